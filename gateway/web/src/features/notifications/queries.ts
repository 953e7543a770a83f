import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import type { MarkRead } from "@/api/schema";
import { keys } from "@/features/keys";
import { answerOf, api } from "@/http";

export function useNotifications() {
  return useInfiniteQuery({
    queryKey: keys.notifications,
    queryFn: ({ pageParam: cursor }) =>
      answerOf(api.GET("/api/v1/notifications", { params: { query: { cursor, limit: 30 } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });
}

export function useMarkNotifications() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: MarkRead) => answerOf(api.POST("/api/v1/notifications/read", { body })),
    onSettled: () => {
      void client.invalidateQueries({ queryKey: keys.notifications });
      void client.invalidateQueries({ queryKey: keys.dashboard });
    },
  });
}
