import { useSyncExternalStore } from "react";
import { api } from "@/http";

/** What the stream tells of somebody who has a chat before them. */
export interface Typing {
  order_id: string;
  user_id: string;
  name: string;
  side: "buyer" | "factory";
  state: "typing" | "here" | "away";
}

// Told again while the hand moves, and taken as ended when it is not.
const TELL_EVERY = 2500;
const SHOWN_FOR = 5000;

const NOBODY: readonly string[] = [];
const writers = new Map<string, Map<string, { name: string; timer: ReturnType<typeof setTimeout> }>>();
const shown = new Map<string, readonly string[]>();
const listeners = new Set<() => void>();

function update(orderId: string) {
  const names = [...(writers.get(orderId)?.values() ?? [])].map(({ name }) => name);
  shown.set(orderId, names.length ? names : NOBODY);
  for (const listener of listeners) listener();
}

export function stopTyping(orderId: string, userId: string): void {
  const writer = writers.get(orderId)?.get(userId);
  if (!writer) return;
  clearTimeout(writer.timer);
  writers.get(orderId)?.delete(userId);
  update(orderId);
}

export function showTyping(
  { order_id, user_id, name, side, state }: Typing,
  { ownSide }: { ownSide: Typing["side"] },
): void {
  if (side === ownSide) return;
  stopTyping(order_id, user_id);
  if (state !== "typing") return;
  const inThread = writers.get(order_id) ?? new Map();
  writers.set(order_id, inThread);
  inThread.set(user_id, { name, timer: setTimeout(() => stopTyping(order_id, user_id), SHOWN_FOR) });
  update(order_id);
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The names of those on the other side who are writing just now. */
export function useTyping(orderId: string): readonly string[] {
  return useSyncExternalStore(subscribe, () => shown.get(orderId) ?? NOBODY);
}

let toldAt = 0;

/** Lets the other side see that one is writing; whether that arrives is of no importance. */
export function tellTyping(orderId: string, now = Date.now()): void {
  if (now - toldAt < TELL_EVERY) return;
  toldAt = now;
  api
    .POST("/api/v1/orders/{order_id}/typing", { params: { path: { order_id: orderId } } })
    .catch(() => undefined);
}
