import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { createContext, useContext } from "react";
import type { Account, Credentials, Preferences, Registration } from "@/api/schema";
import { keys } from "@/features/keys";
import { answerOf, api, Problem } from "@/http";
import { type Language, languageNow } from "@/i18n";
import { ME } from "@/queries";

export const meQuery = queryOptions({
  queryKey: ME,
  queryFn: async (): Promise<Account | null> => {
    try {
      return await answerOf(api.GET("/api/v1/auth/me"));
    } catch (error) {
      if (error instanceof Problem && error.status === 401) return null;
      throw error;
    }
  },
});

const AccountContext = createContext<Account | null>(null);
export const AccountProvider = AccountContext.Provider;

/** The signed-in user and organisation; only below the shell. */
export function useAccount(): Account {
  const account = useContext(AccountContext);
  if (!account) throw new Error("nobody is signed in here");
  return account;
}

export function useSignIn() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Credentials) => answerOf(api.POST("/api/v1/auth/login", { body })),
    onSuccess: ({ user, organisation }) => {
      client.clear();
      client.setQueryData<Account>(ME, { user, organisation });
    },
  });
}

/** Registers and signs in. */
export function useSignUp() {
  const signIn = useSignIn();
  return useMutation({
    mutationFn: async (body: Registration) => {
      await answerOf(api.POST("/api/v1/auth/register", { body }));
      const account = await signIn.mutateAsync({ email: body.email, password: body.password });
      const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
      // They can be chosen later too: nobody is kept out because they could not be saved.
      await changePreferences({ language: languageNow(), time_zone: timeZone }).catch(() => undefined);
      return account;
    },
  });
}

/** A PUT sets back what it leaves out, so the rest is read before. */
async function changePreferences(changes: Partial<Preferences>): Promise<Preferences> {
  const kept = await answerOf(api.GET("/api/v1/notifications/preferences"));
  return answerOf(api.PUT("/api/v1/notifications/preferences", { body: { ...kept, ...changes } }));
}

/** Lets notifications and e-mails come in the language of the pages. */
export function useSaveLanguage() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (language: Language) => changePreferences({ language }),
    onSuccess: (preferences) => client.setQueryData(keys.preferences, preferences),
  });
}

export function useSignOut() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => answerOf(api.POST("/api/v1/auth/logout")),
    onSuccess: () => {
      sessionStorage.clear();
      // This one stays in the cache, as the shell waits for its change.
      client.setQueryData<Account | null>(ME, null);
      client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== ME[0] });
      client.getMutationCache().clear();
    },
  });
}
