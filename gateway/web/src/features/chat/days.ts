import type { Message } from "@/api/schema";

const CLOSE = 5 * 60_000;

export interface Day {
  /** The same whatever else is loaded of the day, so that what stands on the page stays. */
  key: string;
  /** An instant in it. */
  day: string;
  items: Message[];
}

/** Messages in groups, one for each day of the reader's calendar. */
export function byDay(messages: Message[]): Day[] {
  const days: Day[] = [];
  for (const message of messages) {
    const key = new Date(message.sent_at).toDateString();
    const last = days.at(-1);
    if (last?.key === key) last.items.push(message);
    else days.push({ key, day: message.sent_at, items: [message] });
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
