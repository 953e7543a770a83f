import { useMutation } from "@tanstack/react-query";
import type { HelpFeedback, NewSupportRequest } from "@/api/schema";
import { answerOf, api, onceBy, Problem } from "@/http";

export function useFeedback() {
  return useMutation({
    mutationFn: (body: HelpFeedback) => answerOf(api.POST("/api/v1/help/feedback", { body })),
  });
}

export function useSupportRequest() {
  return useMutation({
    mutationFn: ({ key, body }: { key: string; body: NewSupportRequest }) =>
      answerOf(api.POST("/api/v1/support/requests", { headers: onceBy(key), body })),
    // With its key a repeated try is still one request.
    retry: (failures, error) => failures < 2 && error instanceof Problem && error.status === 0,
  });
}
