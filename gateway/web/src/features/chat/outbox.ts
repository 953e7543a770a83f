import { type Mutation, useMutationState, useQueryClient } from "@tanstack/react-query";
import type { Attachment } from "@/api/schema";
import { newKey, Problem } from "@/http";
import { type SendVariables, sendingKey, useSendMessage } from "./queries";

/** A message that the gateway has not taken yet. */
export interface Outgoing {
  /** Also the Idempotency-Key: a repeated try is the same message. */
  key: string;
  text: string;
  attachments: Attachment[];
  error: unknown;
}

export type Outbox = ReturnType<typeof useOutbox>;

const isBlocked = (error: unknown): error is Problem =>
  error instanceof Problem && Boolean(error.members.findings);

/** Messages on their way. They outlive the open chat: what failed while it was closed is there when it opens again. */
export function useOutbox(orderId: string) {
  const mutations = useQueryClient().getMutationCache();
  const send = useSendMessage(orderId);
  const mutationKey = sendingKey(orderId);
  const all = useMutationState({
    filters: {
      mutationKey,
      predicate: ({ state }) => state.status === "pending" || state.status === "error",
    },
    select: (mutation): Outgoing => {
      const { key, text, attachments } = mutation.state.variables as SendVariables;
      return { key, text, attachments, error: mutation.state.error };
    },
  });

  function discard({ key }: { key: string }) {
    const isIt = (mutation: Mutation) => (mutation.state.variables as SendVariables | undefined)?.key === key;
    for (const mutation of mutations.findAll({ mutationKey, predicate: isIt })) mutations.remove(mutation);
  }

  return {
    waiting: all.filter(({ error }) => !isBlocked(error)),
    /** The last text that was refused for contact information. */
    blocked: all.findLast(({ error }) => isBlocked(error)),
    send: (text: string, attachments: Attachment[], { onBlocked }: { onBlocked: () => void }) =>
      send.mutate(
        { key: newKey(), text, attachments },
        { onError: (error) => isBlocked(error) && onBlocked() },
      ),
    retry: ({ key, text, attachments, error }: Outgoing) => {
      discard({ key });
      // The gateway answers a refused key with the same refusal again; without its answer the key must stay.
      const unanswered = error instanceof Problem && (error.status === 0 || error.status >= 500);
      send.mutate({ key: unanswered ? key : newKey(), text, attachments });
    },
    discard,
  };
}
