import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import type { Account } from "@/api/schema";
import { Problem } from "@/http";

/** Who is signed in; `null` for nobody. */
export const ME = ["me"];

/** Whether the same question may have an answer a moment later. */
export const mayPass = (error: Error) =>
  error instanceof Problem && (error.status === 0 || error.status >= 500);

/** Milliseconds. What a service did not say in time no event brings later: a page asks again until it does. */
export const ASK_AGAIN = 5_000;

function onError(error: Error) {
  if (error instanceof Problem && error.status === 401) queryClient.setQueryData<Account | null>(ME, null);
}

export const queryClient: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    queries: {
      // The live stream tells when something is no longer fresh.
      staleTime: 60_000,
      retry: (failures, error) => failures < 3 && mayPass(error),
    },
  },
});
