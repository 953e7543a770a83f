import { useTranslation } from "react-i18next";
import type { HistoryEntry } from "@/api/schema";
import { useFormat } from "@/i18n/format";
import classes from "./History.module.css";

/** Every step that the order took, the latest first. */
export function History({ entries }: { entries: HistoryEntry[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <ol className={classes.history} reversed>
      {entries.toReversed().map((entry) => (
        <li key={entry.status}>
          <div className={classes.step}>
            <span className={classes.status}>{t(`status.${entry.status}`)}</span>
            <time dateTime={entry.at}>{format.dateTime(entry.at)}</time>
          </div>
          <div className={classes.by}>
            {"name" in entry.by ? `${entry.by.name} · ${t(`sides.${entry.by.side}`)}` : t("sides.system")}
          </div>
          {entry.note && <p className={classes.note}>{entry.note}</p>}
        </li>
      ))}
    </ol>
  );
}
