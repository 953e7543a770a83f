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
  const thread = client.getQueryData<Thread>(key);
  if (!thread) return;
  const newest = thread.pages[0]?.items.at(-1)?.seq ?? 0;
  if (message.seq <= newest) return;
  if (message.seq > newest + 1) {
    void client.invalidateQueries({ queryKey: key });
    return;
  }
  client.setQueryData<Thread>(
    key,
    changeMessages(thread, (items, page) => (page === 0 ? [...items, message] : items)),
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
