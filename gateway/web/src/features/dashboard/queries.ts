import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import type { Card, Dashboard } from "@/api/schema";
import { keys } from "@/features/keys";
import { answerOf, api } from "@/http";
import { ASK_AGAIN, mayPass } from "@/queries";
import type { Filters } from "./filters";

/** How soon to read a list again by itself: not at all, unless the last answer failed or lacks what a service knows. */
export function askAgain({ state: { data, error } }: { state: { data?: Pages; error: Error | null } }) {
  const lacks = ({ degraded, items, stats, active_orders }: Pages["pages"][number]) =>
    degraded?.length ||
    items?.some((card) => card.unread_messages === null) ||
    // Chat adds the total up a moment after the message.
    unreadOn(active_orders?.items) > (stats?.unread_messages ?? Number.POSITIVE_INFINITY);
  return (error && mayPass(error)) || data?.pages.some(lacks) ? ASK_AGAIN : false;
}

const unreadOn = (cards: Card[] = []) => cards.reduce((sum, card) => sum + (card.unread_messages ?? 0), 0);

interface Pages {
  pages: (Partial<Pick<Dashboard, "degraded" | "stats" | "active_orders">> & { items?: Card[] })[];
}

// A small first page comes fast; the large ones after it keep a reload of a long list to a few calls.
const limitOf = (cursor: string | undefined) => (cursor ? 100 : 24);

/** Figures and active orders in one answer; the first page is also what the bell counts by. */
export function useDashboard() {
  return useInfiniteQuery({
    queryKey: keys.dashboard,
    queryFn: ({ pageParam: cursor }) =>
      answerOf(api.GET("/api/v1/dashboard", { params: { query: { cursor, limit: limitOf(cursor) } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.active_orders.next_cursor ?? undefined,
    refetchInterval: askAgain,
  });
}

export function useOrders(filters: Filters) {
  return useInfiniteQuery({
    queryKey: [...keys.cards, filters],
    queryFn: ({ pageParam: cursor }) => {
      const { state = "active" as const, status, due, q, sort } = filters;
      const query = { state, status: status && [status], due, q, sort, cursor, limit: limitOf(cursor) };
      return answerOf(api.GET("/api/v1/orders", { params: { query } }));
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
    refetchInterval: askAgain,
  });
}
