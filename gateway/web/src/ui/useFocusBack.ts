import { useEffect, useState } from "react";

/** For what opens over the page: when it goes, the focus is again where it was before. */
export function useFocusBack(): void {
  // Asked while rendering, as the dialog takes the focus before any effect of ours.
  const [before] = useState(() => document.activeElement);
  useEffect(
    () => () => {
      if (before instanceof HTMLElement) before.focus({ preventScroll: true });
    },
    [before],
  );
}
