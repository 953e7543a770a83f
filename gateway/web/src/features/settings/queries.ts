import { type QueryKey, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
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
function useChange<Body, Answer>(call: (body: Body) => Promise<Answer>, ...stale: QueryKey[]) {
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

export function useMembers() {
  const own = useOwnOrganisation();
  return useQuery({
    queryKey: keys.members,
    queryFn: () => answerOf(api.GET("/api/v1/organisations/{organisation_id}/members", own)),
  });
}

export function useInvitations() {
  const own = useOwnOrganisation();
  return useQuery({
    queryKey: keys.invitations,
    queryFn: () => answerOf(api.GET("/api/v1/organisations/{organisation_id}/invitations", own)),
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

export function useDeleteWebhook() {
  return useChange(
    (id: string) =>
      answerOf(api.DELETE("/api/v1/webhooks/{webhook_id}", { params: { path: { webhook_id: id } } })),
    keys.webhooks,
  );
}

export function useDeliveries(webhookId: string) {
  return useQuery({
    queryKey: keys.deliveries(webhookId),
    queryFn: () =>
      answerOf(
        api.GET("/api/v1/webhooks/{webhook_id}/deliveries", { params: { path: { webhook_id: webhookId } } }),
      ),
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
