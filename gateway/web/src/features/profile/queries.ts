import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { keys } from "@/features/keys";
import { answerOf, api } from "@/http";
import { ASK_AGAIN } from "@/queries";

const PAGE = 20;

function read(organisationId: string, cursors: { orders_cursor?: string; reviews_cursor?: string } = {}) {
  return answerOf(
    api.GET("/api/v1/organisations/{organisation_id}/profile", {
      params: { path: { organisation_id: organisationId }, query: { limit: PAGE, ...cursors } },
    }),
  );
}

export function useProfile(organisationId: string) {
  return useQuery({
    queryKey: keys.profile(organisationId),
    queryFn: () => read(organisationId),
    enabled: organisationId !== "",
    refetchInterval: ({ state: { data } }) => (data?.degraded.length ? ASK_AGAIN : false),
  });
}

/** The profile's two lists go on by cursors of their own; the first page of both comes with the profile. */
export function useReviews(organisationId: string) {
  const { data: profile } = useProfile(organisationId);
  return useInfiniteQuery({
    queryKey: [...keys.profile(organisationId), "reviews", profile?.reviews],
    queryFn: async ({ pageParam }) =>
      pageParam
        ? (await read(organisationId, { reviews_cursor: pageParam })).reviews
        : (profile?.reviews ?? null),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last?.next_cursor ?? undefined,
    enabled: profile !== undefined,
  });
}

export function useCompletedOrders(organisationId: string) {
  const { data: profile } = useProfile(organisationId);
  return useInfiniteQuery({
    queryKey: [...keys.profile(organisationId), "orders", profile?.completed_orders],
    queryFn: async ({ pageParam }) =>
      pageParam
        ? (await read(organisationId, { orders_cursor: pageParam })).completed_orders
        : (profile?.completed_orders ?? null),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last?.next_cursor ?? undefined,
    enabled: profile !== undefined,
  });
}
