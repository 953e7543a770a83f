import { useState } from "react";

const keyOf = (orderId: string) => `draft:${orderId}`;

/**
 * What is written and not yet sent; it outlives the closed chat and a reload of the page.
 *
 * @param refused the text to begin with where nothing newer was written: it was refused while the chat was closed.
 */
export function useDraft(
  orderId: string,
  refused = "",
): [string, (change: (text: string) => string) => void] {
  const [text, setText] = useState(() => sessionStorage.getItem(keyOf(orderId)) ?? refused);
  return [
    text,
    (change) =>
      setText((old) => {
        const next = change(old);
        if (next) sessionStorage.setItem(keyOf(orderId), next);
        else sessionStorage.removeItem(keyOf(orderId));
        return next;
      }),
  ];
}
