import { IconStarFilled } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { useFormat } from "@/i18n/format";
import classes from "./Distribution.module.css";

/** How many reviews gave how many stars, as bars; a table for those who hear it. */
export function Distribution({ distribution }: { distribution: Record<string, number> }) {
  const { t } = useTranslation();
  const format = useFormat();
  const most = Math.max(1, ...Object.values(distribution));
  return (
    <table className={classes.chart}>
      <caption className="sr-only">{t("profile.distribution")}</caption>
      <tbody>
        {[5, 4, 3, 2, 1].map((stars) => {
          const count = distribution[stars] ?? 0;
          return (
            <tr key={stars}>
              <th scope="row" aria-label={t("review.stars", { count: stars })}>
                {stars} <IconStarFilled size={11} />
              </th>
              <td className={classes.track}>
                <span className={classes.bar} style={{ width: `${(100 * count) / most}%` }} />
              </td>
              <td className={classes.count}>{format.number(count)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
