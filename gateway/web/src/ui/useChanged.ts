import { useEffect, useRef, useState } from "react";

const SHOWN = 2000;

/** True for a moment after the value has changed: the discreet sign that something came in live. */
export function useChanged(value: unknown): boolean {
  const last = useRef(value);
  const [changed, setChanged] = useState(false);

  useEffect(() => {
    if (last.current === value) return;
    last.current = value;
    setChanged(true);
    const timer = setTimeout(() => setChanged(false), SHOWN);
    return () => clearTimeout(timer);
  }, [value]);

  return changed;
}
