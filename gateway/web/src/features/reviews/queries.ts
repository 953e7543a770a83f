import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import type { Review } from "@/api/schema";
import { keys } from "@/features/keys";
import { answerOf, api } from "@/http";

export const reviewsQuery = (orderId: string) =>
  queryOptions({
    queryKey: keys.reviewsOf(orderId),
    queryFn: () =>
      answerOf(api.GET("/api/v1/orders/{order_id}/reviews", { params: { path: { order_id: orderId } } })),
  });

export function useReply(review: Review) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (text: string) =>
      answerOf(
        api.POST("/api/v1/reviews/{review_id}/reply", {
          params: { path: { review_id: review.id } },
          body: { text },
        }),
      ),
    onSettled: () => {
      void client.invalidateQueries({ queryKey: keys.reviewsOf(review.order_id) });
      void client.invalidateQueries({ queryKey: keys.profiles });
    },
  });
}
