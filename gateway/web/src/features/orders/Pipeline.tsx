import { useTranslation } from "react-i18next";
import type { Status } from "@/api/schema";
import classes from "./Pipeline.module.css";
import { PIPELINE, stepOf } from "./pipeline";

/** The six stages as a bar, with the present one named; the next one too, where there is one. */
export function Pipeline({ status, next }: { status: Status; next: Status | null }) {
  const { t } = useTranslation();
  const current = stepOf(status);
  return (
    <div>
      <div className={classes.names}>
        <span className={classes.current}>{t(`status.${status}`)}</span>
        <span className={classes.next}>
          {next ? t("orders.next", { status: t(`status.${next}`) }) : t("orders.allDone")}
        </span>
      </div>
      <ol className={classes.bar} aria-label={t("orders.pipeline")}>
        {PIPELINE.map((stage, index) => (
          <li
            key={stage}
            className={classes.stage}
            data-state={index < current ? "past" : index === current ? "current" : "ahead"}
            aria-current={index === current ? "step" : undefined}
            title={t(`status.${stage}`)}
          >
            <span className="sr-only">{t(`status.${stage}`)}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}
