import { useTranslation } from "react-i18next";
import type { Due } from "@/api/schema";
import classes from "./DueBadge.module.css";

export function DueBadge({ due }: { due: Due }) {
  const { t } = useTranslation();
  const count = Math.abs(due.days_left);
  const text =
    due.state === "done"
      ? t("due.done")
      : due.state === "overdue"
        ? t("due.overdue", { count })
        : due.days_left === 0
          ? t("due.today")
          : t("due.left", { count });
  return (
    <span className={classes.badge} data-state={due.state}>
      {text}
    </span>
  );
}
