import { expect, test } from "vitest";
import type { Card, Dashboard } from "@/api/schema";
import { Problem } from "@/http";
import { askAgain } from "./queries";

const items = (unread_messages: number | null) => [{ unread_messages } as Card];

test("a whole answer is read again when an event says so, and not by itself", () => {
  expect(askAgain({ state: { error: null } })).toBe(false);
  expect(askAgain({ state: { data: { pages: [{ items: items(0) }, { degraded: [] }] }, error: null } })).toBe(
    false,
  );
});

test("a page that lacks what a service did not say in time is read again", () => {
  expect(askAgain({ state: { data: { pages: [{ degraded: ["chat"] }] }, error: null } })).toBe(5_000);
  expect(askAgain({ state: { data: { pages: [{ items: items(null) }] }, error: null } })).toBe(5_000);
});

test("figures that do not count yet what the cards show are read again", () => {
  const board = (total: number) => ({
    stats: { unread_messages: total } as Dashboard["stats"],
    active_orders: { items: items(2), next_cursor: null },
  });
  expect(askAgain({ state: { data: { pages: [board(1)] }, error: null } })).toBe(5_000);
  expect(askAgain({ state: { data: { pages: [board(2)] }, error: null } })).toBe(false);
  expect(askAgain({ state: { data: { pages: [board(3)] }, error: null } })).toBe(false);
});

test("a list that could not be read is read again, unless it was refused", () => {
  expect(askAgain({ state: { error: new Problem(503) } })).toBe(5_000);
  expect(askAgain({ state: { error: new Problem(0) } })).toBe(5_000);
  expect(askAgain({ state: { error: new Problem(422) } })).toBe(false);
});
