import type { Notification } from "@/api/schema";

export type Group = [Notification, ...Notification[]];

/** Puts what one order causes in a row together: the newest first, as the list has it. */
export function groupsOf(items: Notification[]): Group[] {
  const groups: Group[] = [];
  for (const item of items) {
    const last = groups.at(-1);
    if (item.order_id && last?.[0].order_id === item.order_id) last.push(item);
    else groups.push([item]);
  }
  return groups;
}
