import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import type { Attachment } from "@/api/schema";
import { keys } from "@/features/keys";
import { answerOf, api, onceBy } from "@/http";
import { receiveMessage } from "./cache";

const PAGE = 40;

export function useThread(orderId: string) {
  return useInfiniteQuery({
    queryKey: keys.messages(orderId),
    queryFn: ({ pageParam }) =>
      answerOf(
        api.GET("/api/v1/orders/{order_id}/messages", {
          params: {
            path: { order_id: orderId },
            query: { before: pageParam ? Number(pageParam) : undefined, limit: PAGE },
          },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (oldest) => oldest.next_cursor,
    // A thread that was closed gets no events: read it anew each time that it is opened.
    gcTime: 0,
  });
}

export const sendingKey = (orderId: string) => ["send", orderId];

export interface SendVariables {
  key: string;
  text: string;
  attachments: Attachment[];
}

export function useSendMessage(orderId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationKey: sendingKey(orderId),
    mutationFn: ({ key, text, attachments }: SendVariables) =>
      answerOf(
        api.POST("/api/v1/orders/{order_id}/messages", {
          params: { path: { order_id: orderId } },
          headers: onceBy(key),
          body: { text: text || null, attachment_ids: attachments.map(({ id }) => id) },
        }),
      ),
    onSuccess: (message) => receiveMessage(client, orderId, message),
  });
}

export function useMarkRead(orderId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (upTo: number) =>
      answerOf(
        api.POST("/api/v1/orders/{order_id}/messages/read", {
          params: { path: { order_id: orderId } },
          body: { up_to: upTo },
        }),
      ),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: keys.dashboard });
      void client.invalidateQueries({ queryKey: keys.cards });
    },
  });
}
