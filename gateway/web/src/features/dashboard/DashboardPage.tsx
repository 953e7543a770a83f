import { Button } from "@mantine/core";
import { IconDownload, IconFilterOff, IconPackage, IconPlus } from "@tabler/icons-react";
import { getRouteApi } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Card } from "@/api/schema";
import { useAccount } from "@/features/account/queries";
import { useFormat } from "@/i18n/format";
import { ButtonLink } from "@/ui/links";
import { MoreOnScroll } from "@/ui/MoreOnScroll";
import { Page } from "@/ui/Page";
import { EmptyState, ErrorState } from "@/ui/states";
import classes from "./DashboardPage.module.css";
import { isDefault } from "./filters";
import { OrderCard, OrderCardSkeleton } from "./OrderCard";
import { useDashboard, useOrders } from "./queries";
import { StatsBar } from "./StatsBar";
import { Toolbar } from "./Toolbar";

const route = getRouteApi("/signed-in/");

export function DashboardPage() {
  const { t } = useTranslation();
  const { organisation } = useAccount();
  const { chat: _, ...filters } = route.useSearch();
  const dashboard = useDashboard();
  const first = dashboard.data?.pages[0];

  return (
    <Page
      title={t(`dashboard.title.${organisation.kind}`)}
      eyebrow={organisation.name}
      width="wide"
      actions={
        <>
          <Button
            component="a"
            href="/api/v1/dashboard/orders.csv"
            download
            variant="default"
            leftSection={<IconDownload size={16} />}
          >
            {t("dashboard.csv")}
          </Button>
          {organisation.kind === "buyer" && (
            <ButtonLink to="/orders/new" leftSection={<IconPlus size={16} />}>
              {t("dashboard.acceptQuote")}
            </ButtonLink>
          )}
        </>
      }
    >
      <StatsBar stats={first?.stats} degraded={first?.degraded ?? []} />
      <Toolbar filters={filters} />
      {isDefault(filters) ? (
        <Cards
          key="active"
          cards={dashboard.data?.pages.flatMap((page) => page.active_orders.items)}
          list={dashboard}
          empty={<NothingYet />}
        />
      ) : (
        <FilteredCards />
      )}
    </Page>
  );
}

function FilteredCards() {
  const { chat: _, ...filters } = route.useSearch();
  const orders = useOrders(filters);
  return (
    <Cards
      cards={orders.data?.pages.flatMap((page) => page.items)}
      list={orders}
      empty={filters.state === "completed" && !filters.q ? <NothingCompleted /> : <NothingFound />}
    />
  );
}

interface CardsProps {
  cards: Card[] | undefined;
  list: {
    error: unknown;
    refetch: () => unknown;
    hasNextPage: boolean;
    isFetchingNextPage: boolean;
    fetchNextPage: () => unknown;
  };
  empty: React.ReactNode;
}

function Cards({ cards, list, empty }: CardsProps) {
  const { t } = useTranslation();
  const format = useFormat();
  if (!cards && list.error) return <ErrorState error={list.error} retry={list.refetch} />;
  if (cards?.length === 0) return empty;
  return (
    <>
      <ul className={classes.cards} aria-label={t("dashboard.orders")} aria-busy={!cards}>
        {cards?.map((card) => (
          <li key={card.id} className={classes.item}>
            <OrderCard card={card} />
          </li>
        )) ?? [1, 2, 3, 4, 5, 6].map((n) => <OrderCardSkeleton key={n} />)}
      </ul>
      {cards && <MoreOnScroll list={list} />}
      {cards && !list.hasNextPage && cards.length > 6 && (
        <p className={classes.end}>
          {t("dashboard.end", { count: cards.length, shown: format.number(cards.length) })}
        </p>
      )}
    </>
  );
}

function NothingYet() {
  const { t } = useTranslation();
  const { organisation } = useAccount();
  return (
    <EmptyState icon={<IconPackage />} title={t("dashboard.empty")}>
      {t(`dashboard.emptyText.${organisation.kind}`)}
    </EmptyState>
  );
}

function NothingCompleted() {
  const { t } = useTranslation();
  return (
    <EmptyState icon={<IconPackage />} title={t("dashboard.noneCompleted")}>
      {t("dashboard.noneCompletedText")}
    </EmptyState>
  );
}

function NothingFound() {
  const { t } = useTranslation();
  return (
    <EmptyState icon={<IconFilterOff />} title={t("dashboard.noneFound")}>
      <ButtonLink to="/" variant="default">
        {t("dashboard.clearFilters")}
      </ButtonLink>
    </EmptyState>
  );
}
