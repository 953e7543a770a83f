import type { Message } from "@/api/schema";

const CLOSE = 5 * 60_000;

/** Messages in groups, one for each day of the reader's calendar; `day` is an instant in it. */
export function byDay(messages: Message[]): { day: string; items: Message[] }[] {
  const days: { day: string; items: Message[] }[] = [];
  for (const message of messages) {
    const last = days.at(-1);
    if (last && new Date(last.day).toDateString() === new Date(message.sent_at).toDateString()) {
      last.items.push(message);
    } else {
      days.push({ day: message.sent_at, items: [message] });
    }
  }
  return days;
}

/** True where a message goes on from the one before, so that its sender need not be named again. */
export function continues(before: Message | undefined, message: Message): boolean {
  return (
    before !== undefined &&
    before.sender.side !== "system" &&
    before.sender.user_id === message.sender.user_id &&
    Date.parse(message.sent_at) - Date.parse(before.sent_at) < CLOSE
  );
}
