import { type InfiniteData, QueryClient } from "@tanstack/react-query";
import { expect, test } from "vitest";
import type { Card, Dashboard, Order, PageCard } from "@/api/schema";
import { keys } from "@/features/keys";
import { showInLists } from "./cache";

const card = (id: string, version: number) =>
  ({ id, version, status: "confirmed", unread_messages: 3 }) as Card;
const order = (id: string, version: number) => ({ id, version, status: "in_production" }) as Order;

function clientWith(...items: Card[]) {
  const client = new QueryClient();
  const pageParams = [undefined];
  client.setQueryData(keys.dashboard, { pages: [{ active_orders: { items } }], pageParams });
  client.setQueryData([...keys.cards, { q: "x" }], { pages: [{ items }], pageParams });
  return client;
}

const onDashboard = (client: QueryClient) =>
  client.getQueryData<InfiniteData<Dashboard>>(keys.dashboard)?.pages[0]?.active_orders.items;
const inSearch = (client: QueryClient) =>
  client.getQueryData<InfiniteData<PageCard>>([...keys.cards, { q: "x" }])?.pages[0]?.items;

test("a step shows in every list at once, with what only the card knows kept", () => {
  const client = clientWith(card("a", 1), card("b", 1));

  showInLists(client, order("a", 2));

  for (const items of [onDashboard(client), inSearch(client)]) {
    expect(items).toMatchObject([
      { id: "a", version: 2, status: "in_production", unread_messages: 3 },
      { id: "b", version: 1, status: "confirmed" },
    ]);
  }
});

test("an answer that was overtaken changes nothing", () => {
  const client = clientWith(card("a", 3));

  showInLists(client, order("a", 2));

  expect(onDashboard(client)).toEqual([card("a", 3)]);
});

test("lists that were never read stay unread", () => {
  const client = new QueryClient();

  showInLists(client, order("a", 2));

  expect(client.getQueryData(keys.dashboard)).toBeUndefined();
});
