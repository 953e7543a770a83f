import {
  type QueryKey,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import type {
  NewInvitation,
  NewWebhook,
  OrganisationChanges,
  Preferences,
  ProfileChanges,
  User,
} from "@/api/schema";
import { useAccount } from "@/features/account/queries";
import { keys } from "@/features/keys";
import { answerOf, api } from "@/http";
import { ME } from "@/queries";

/** A change after which some answers are read anew. */
function useChange<Answer, Body = void>(call: (body: Body) => Promise<Answer>, ...stale: QueryKey[]) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: call,
    onSuccess: () => {
      for (const queryKey of stale) void client.invalidateQueries({ queryKey });
    },
  });
}

export function useChangeProfile() {
  return useChange((body: ProfileChanges) => answerOf(api.PATCH("/api/v1/auth/me", { body })), ME);
}

/** Read a list to its end. */
async function whole<Item>(
  read: (page: { limit: number; cursor?: string }) => Promise<{ items: Item[]; next_cursor: string | null }>,
) {
  const items: Item[] = [];
  let cursor: string | null | undefined;
  do {
    const page = await read({ limit: 100, ...(cursor ? { cursor } : {}) });
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor);
  return { items };
}

function useOwnOrganisation() {
  return { params: { path: { organisation_id: useAccount().organisation.id } } };
}

export function useChangeOrganisation() {
  const own = useOwnOrganisation();
  return useChange(
    (body: OrganisationChanges) =>
      answerOf(api.PATCH("/api/v1/organisations/{organisation_id}", { ...own, body })),
    ME,
    keys.profiles,
  );
}

const asForm = ({ file }: { file: string | File }) => {
  const form = new FormData();
  form.append("file", file);
  return form;
};

export function useSetLogo() {
  const own = useOwnOrganisation();
  return useChange(
    (file: File) =>
      answerOf(
        api.PUT("/api/v1/organisations/{organisation_id}/logo", {
          ...own,
          // The document has no better name for a file's bytes.
          body: { file: file as unknown as string },
          bodySerializer: asForm,
        }),
      ),
    ME,
    keys.profiles,
  );
}

export function useRemoveLogo() {
  const own = useOwnOrganisation();
  return useChange(
    () => answerOf(api.DELETE("/api/v1/organisations/{organisation_id}/logo", own)),
    ME,
    keys.profiles,
  );
}

export function useMembers() {
  const own = useOwnOrganisation();
  return useQuery({
    queryKey: keys.members,
    queryFn: () =>
      whole((query) =>
        answerOf(
          api.GET("/api/v1/organisations/{organisation_id}/members", { params: { ...own.params, query } }),
        ),
      ),
  });
}

export function useInvitations() {
  const own = useOwnOrganisation();
  return useQuery({
    queryKey: keys.invitations,
    queryFn: () =>
      whole((query) =>
        answerOf(
          api.GET("/api/v1/organisations/{organisation_id}/invitations", {
            params: { ...own.params, query },
          }),
        ),
      ),
  });
}

export function useInvite() {
  const own = useOwnOrganisation();
  return useChange(
    (body: NewInvitation) =>
      answerOf(api.POST("/api/v1/organisations/{organisation_id}/invitations", { ...own, body })),
    keys.invitations,
  );
}

export function useWithdraw() {
  const { organisation } = useAccount();
  return useChange(
    (id: string) =>
      answerOf(
        api.DELETE("/api/v1/organisations/{organisation_id}/invitations/{invitation_id}", {
          params: { path: { organisation_id: organisation.id, invitation_id: id } },
        }),
      ),
    keys.invitations,
  );
}

function useMemberPath() {
  const { organisation } = useAccount();
  return (userId: string) => ({ params: { path: { organisation_id: organisation.id, user_id: userId } } });
}

export function useChangeRole() {
  const member = useMemberPath();
  return useChange(
    ({ userId, role }: { userId: string; role: User["role"] }) =>
      answerOf(
        api.PATCH("/api/v1/organisations/{organisation_id}/members/{user_id}", {
          ...member(userId),
          body: { role },
        }),
      ),
    keys.members,
    ME,
  );
}

export function useRemoveMember() {
  const member = useMemberPath();
  return useChange(
    (userId: string) =>
      answerOf(api.DELETE("/api/v1/organisations/{organisation_id}/members/{user_id}", member(userId))),
    keys.members,
  );
}

export function usePreferences() {
  return useQuery({
    queryKey: keys.preferences,
    queryFn: () => answerOf(api.GET("/api/v1/notifications/preferences")),
  });
}

export function useSavePreferences() {
  return useChange(
    (body: Preferences) => answerOf(api.PUT("/api/v1/notifications/preferences", { body })),
    keys.preferences,
  );
}

export function useWebhooks() {
  return useQuery({ queryKey: keys.webhooks, queryFn: () => answerOf(api.GET("/api/v1/webhooks")) });
}

export function useCreateWebhook() {
  return useChange((body: NewWebhook) => answerOf(api.POST("/api/v1/webhooks", { body })), keys.webhooks);
}

const webhookPath = (id: string) => ({ params: { path: { webhook_id: id } } });

export function useSwitchWebhook(id: string) {
  return useChange(
    (enabled: boolean) =>
      answerOf(api.PATCH("/api/v1/webhooks/{webhook_id}", { ...webhookPath(id), body: { enabled } })),
    keys.webhooks,
  );
}

/** The old secret signs beside the new one for a day. */
export function useRenewSecret(id: string) {
  return useChange(
    () => answerOf(api.POST("/api/v1/webhooks/{webhook_id}/secret", webhookPath(id))),
    keys.webhooks,
  );
}

export function useDeleteWebhook() {
  return useChange(
    (id: string) => answerOf(api.DELETE("/api/v1/webhooks/{webhook_id}", webhookPath(id))),
    keys.webhooks,
  );
}

export function useDeliveries(webhookId: string) {
  return useInfiniteQuery({
    queryKey: keys.deliveries(webhookId),
    queryFn: ({ pageParam: cursor }) =>
      answerOf(
        api.GET("/api/v1/webhooks/{webhook_id}/deliveries", {
          params: { ...webhookPath(webhookId).params, query: { cursor } },
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    refetchInterval: 5000,
  });
}

export function useRedeliver(webhookId: string) {
  return useChange(
    (deliveryId: string) =>
      answerOf(
        api.POST("/api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver", {
          params: { path: { webhook_id: webhookId, delivery_id: deliveryId } },
        }),
      ),
    keys.deliveries(webhookId),
  );
}
