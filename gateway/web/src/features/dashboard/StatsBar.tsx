import { Skeleton } from "@mantine/core";
import { IconStarFilled } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Dashboard } from "@/api/schema";
import { useAccount } from "@/features/account/queries";
import { useFormat } from "@/i18n/format";
import type { Filters } from "./filters";
import classes from "./StatsBar.module.css";

export function StatsBar({ stats, degraded }: { stats: Dashboard["stats"] | undefined; degraded: string[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { organisation } = useAccount();

  return (
    <section aria-label={t("stats.title")}>
      <div className={classes.bar}>
        <Stat name={t("stats.active")} to={{}} value={stats && format.number(stats.active)} />
        <Stat
          name={t("stats.overdue")}
          to={{ due: "overdue" }}
          tone={stats?.overdue ? "danger" : undefined}
          value={stats && format.number(stats.overdue)}
        />
        <Stat
          name={t("stats.dueSoon")}
          to={{ due: "due_soon" }}
          tone={stats?.due_soon ? "warn" : undefined}
          value={stats && format.number(stats.due_soon)}
        />
        <Stat
          name={t("stats.awaitingReceipt")}
          to={{ status: "shipped" }}
          value={stats && format.number(stats.awaiting_receipt)}
        />
        <Stat
          name={t("stats.unread")}
          tone={stats?.unread_messages ? "danger" : undefined}
          value={stats && (stats.unread_messages === null ? "–" : format.number(stats.unread_messages))}
        />
        <Stat
          name={t("stats.openValue")}
          value={
            stats &&
            (stats.open_value.length === 0
              ? "–"
              : stats.open_value.map((money) => (
                  <span key={money.currency} className={classes.money}>
                    {format.money(money, { whole: true })}
                  </span>
                )))
          }
        />
        <Stat
          name={t("stats.completed")}
          to={{ state: "completed" }}
          value={stats && format.number(stats.completed)}
        />
        <Link
          to="/organisations/$organisationId"
          params={{ organisationId: organisation.id }}
          className={classes.stat}
        >
          <span className={classes.name}>{t("stats.rating")}</span>
          <span className={classes.value}>
            {!stats && <Skeleton height="1.5rem" width="3rem" />}
            {stats &&
              (typeof stats.rating?.average !== "number" ? "–" : <RatingValue rating={stats.rating} />)}
          </span>
        </Link>
      </div>
      <p className={classes.degraded} role="status">
        {degraded.length > 0 &&
          t("stats.degraded", {
            services: degraded.map((name) => t(`services.${name}` as "services.chat")).join(", "),
          })}
      </p>
    </section>
  );
}

function RatingValue({ rating }: { rating: { average: number | null; count: number } }) {
  const format = useFormat();
  return (
    <>
      {format.rating(rating.average ?? 0)} <IconStarFilled size={15} className={classes.star} />
      <span className={classes.count}>({format.number(rating.count)})</span>
    </>
  );
}

interface StatProps {
  name: string;
  value: ReactNode;
  tone?: "danger" | "warn" | undefined;
  /** The view of the list that shows what is counted here. */
  to?: Filters;
}

function Stat({ name, value, tone, to }: StatProps) {
  const content = (
    <>
      <span className={classes.name}>{name}</span>
      <span className={classes.value} data-tone={tone}>
        {value ?? <Skeleton height="1.5rem" width="2.5rem" />}
      </span>
    </>
  );
  if (!to) return <div className={classes.stat}>{content}</div>;
  return (
    <Link to="/" search={to} className={classes.stat} resetScroll={false}>
      {content}
    </Link>
  );
}
