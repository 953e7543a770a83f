import { type QueryClient, queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { Advance, NewOrder, NewReview, Order } from "@/api/schema";
import { showInLists } from "@/features/dashboard/cache";
import { keys } from "@/features/keys";
import { answerOf, api } from "@/http";

export const orderQuery = (orderId: string) =>
  queryOptions({
    queryKey: keys.order(orderId),
    queryFn: () =>
      answerOf(api.GET("/api/v1/orders/{order_id}", { params: { path: { order_id: orderId } } })),
  });

const at = (orderId: string) => ({ params: { path: { order_id: orderId } } });

/** Takes over the order as a write answered it; the lists follow. */
function keep(client: QueryClient, order: Order) {
  client.setQueryData<Order>(keys.order(order.id), (known) =>
    known && known.version > order.version ? known : order,
  );
  showInLists(client, order);
  void client.invalidateQueries({ queryKey: keys.dashboard });
  void client.invalidateQueries({ queryKey: keys.cards });
  void client.invalidateQueries({ queryKey: keys.factories });
}

function useStep<Body>(call: (body: Body) => Promise<Order>, orderId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: call,
    onSuccess: (order) => keep(client, order),
    // Somebody else was faster, most likely: show what stands now.
    onError: () => void client.invalidateQueries({ queryKey: keys.order(orderId) }),
  });
}

export function useAdvance(orderId: string) {
  return useStep(
    (body: Advance) => answerOf(api.POST("/api/v1/orders/{order_id}/status", { ...at(orderId), body })),
    orderId,
  );
}

export function useConfirmReceipt(orderId: string) {
  return useStep(
    (note: string | null) =>
      answerOf(api.POST("/api/v1/orders/{order_id}/receipt", { ...at(orderId), body: { note } })),
    orderId,
  );
}

export function useExtendReceipt(orderId: string) {
  return useStep(
    () => answerOf(api.POST("/api/v1/orders/{order_id}/receipt-extension", at(orderId))),
    orderId,
  );
}

export function useRequestReceipt(orderId: string) {
  return useMutation({
    mutationFn: () => answerOf(api.POST("/api/v1/orders/{order_id}/receipt-request", at(orderId))),
  });
}

export function useSubmitReview(orderId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: NewReview) =>
      answerOf(api.POST("/api/v1/orders/{order_id}/reviews", { ...at(orderId), body })),
    onSettled: () => {
      for (const queryKey of [keys.order(orderId), keys.dashboard, keys.cards, keys.profiles]) {
        void client.invalidateQueries({ queryKey });
      }
    },
  });
}

/** The factories of the latest orders, by name. */
export function useFactoriesOfOrders() {
  return useQuery({
    queryKey: keys.factories,
    queryFn: async () => {
      const query = { sort: "-updated", limit: 100 } as const;
      const { items } = await answerOf(api.GET("/api/v1/orders", { params: { query } }));
      const factories = new Map(items.map(({ counterparty }) => [counterparty.id, counterparty]));
      return [...factories.values()].sort((a, b) => a.name.localeCompare(b.name));
    },
  });
}

export function useCreateOrder() {
  const client = useQueryClient();
  return useMutation({
    // Sent twice it is one order: a quote is accepted once.
    mutationFn: (body: NewOrder) => answerOf(api.POST("/api/v1/orders", { body })),
    onSuccess: (order) => keep(client, order),
  });
}
