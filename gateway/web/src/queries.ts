import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import type { Account } from "@/api/schema";
import { Problem } from "@/http";

/** Who is signed in; `null` for nobody. */
export const ME = ["me"];

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
      retry: (failures, error) =>
        failures < 3 && error instanceof Problem && (error.status === 0 || error.status >= 500),
    },
  },
});
