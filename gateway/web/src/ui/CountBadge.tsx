import { useFormat } from "@/i18n/format";
import classes from "./CountBadge.module.css";

/** A red count; nothing at zero. Its meaning stands in the label of what it sits on. */
export function CountBadge({ count, className = "" }: { count: number; className?: string }) {
  const format = useFormat();
  if (count === 0) return null;
  return (
    <span className={`${classes.badge} ${className}`} aria-hidden="true">
      {count > 99 ? "99+" : format.number(count)}
    </span>
  );
}
