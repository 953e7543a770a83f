import type { InfiniteData, QueryClient } from "@tanstack/react-query";
import type { Message, Messages } from "@/api/schema";
import { keys } from "@/features/keys";
import { stopTyping } from "./typing";

/** A thread as it is cached: the newest page first, each page oldest first. */
export type Thread = InfiniteData<Messages>;

export function messagesOf(thread: Thread | undefined): Message[] {
  return thread ? [...thread.pages].reverse().flatMap((page) => page.items) : [];
}

function changeMessages(thread: Thread, change: (messages: Message[], page: number) => Message[]): Thread {
  return {
    ...thread,
    pages: thread.pages.map((page, index) => ({ ...page, items: change(page.items, index) })),
  };
}

/** Shows a new message as it came. After a gap in `seq` the thread is read again: the stream only hints. */
export function receiveMessage(client: QueryClient, orderId: string, message: Message): void {
  const key = keys.messages(orderId);
  if (message.sender.user_id) stopTyping(orderId, message.sender.user_id);
  const thread = client.getQueryState<Thread>(key);
  if (!thread) return;
  const newest = thread.data?.pages[0]?.items.at(-1)?.seq ?? 0;
  if (message.seq <= newest) return;
  // An answer that is on its way may be older than the message, and would hide it again.
  if (!thread.data || thread.fetchStatus === "fetching" || message.seq > newest + 1) {
    void client.cancelQueries({ queryKey: key }).then(() => client.invalidateQueries({ queryKey: key }));
    return;
  }
  client.setQueryData<Thread>(
    key,
    changeMessages(thread.data, (items, page) => (page === 0 ? [...items, message] : items)),
  );
}

export function markReadByOtherSide(
  client: QueryClient,
  orderId: string,
  ownSide: Message["sender"]["side"],
  upTo: number,
): void {
  client.setQueryData<Thread>(
    keys.messages(orderId),
    (thread) =>
      thread &&
      changeMessages(thread, (items) =>
        items.map((message) =>
          message.sender.side === ownSide && message.seq <= upTo && !message.read_by_other_side
            ? { ...message, read_by_other_side: true }
            : message,
        ),
      ),
  );
}
