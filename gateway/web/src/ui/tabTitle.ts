import { useEffect } from "react";

let title = "Millrace";
let count = 0;

function write() {
  document.title = count > 0 ? `(${count}) ${title}` : title;
}

/** Names the tab. */
export function useTabTitle(text: string): void {
  useEffect(() => {
    title = `${text} · Millrace`;
    write();
  }, [text]);
}

/** Puts a count before the tab's name, so that a tab in the background tells of what is unread. */
export function useTabCount(unread: number): void {
  useEffect(() => {
    count = unread;
    write();
    return () => {
      count = 0;
      write();
    };
  }, [unread]);
}
