import type { InfiniteData, QueryClient } from "@tanstack/react-query";
import type { Card, Dashboard, Order, PageCard } from "@/api/schema";
import { keys } from "@/features/keys";

/** Brings a card to what a write answered; an answer that others have overtaken changes nothing. */
function updated(card: Card, order: Order): Card {
  if (card.id !== order.id || card.version >= order.version) return card;
  const { version, status, next_status, next_automatic_step, allowed_actions, due, tracking, updated_at } =
    order;
  return {
    ...card,
    ...{ version, status, next_status, next_automatic_step, allowed_actions, due, tracking, updated_at },
  };
}

/** Shows an order's new state in the lists at once; which of them it belongs to, they tell when read again. */
export function showInLists(client: QueryClient, order: Order): void {
  const cards = (items: Card[]) => items.map((card) => updated(card, order));
  client.setQueryData<InfiniteData<Dashboard>>(
    keys.dashboard,
    (data) =>
      data && {
        ...data,
        pages: data.pages.map((page) => ({
          ...page,
          active_orders: { ...page.active_orders, items: cards(page.active_orders.items) },
        })),
      },
  );
  client.setQueriesData<InfiniteData<PageCard>>(
    { queryKey: keys.cards },
    (data) => data && { ...data, pages: data.pages.map((page) => ({ ...page, items: cards(page.items) })) },
  );
}
