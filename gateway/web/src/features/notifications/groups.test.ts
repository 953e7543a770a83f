import { expect, test } from "vitest";
import type { Notification } from "@/api/schema";
import { groupsOf } from "./groups";

const about = (id: string, order_id: string | null): Notification => ({
  id,
  order_id,
  kind: order_id ? "order_status_changed" : "webhook_disabled",
  title: id,
  body: "",
  count: 1,
  created_at: "2026-11-23T09:00:00Z",
  read_at: null,
});

test("what one order causes in a row stands together, and nothing changes its place", () => {
  const items = [about("a", "1"), about("b", "1"), about("c", "2"), about("d", "1")];

  expect(groupsOf(items).map((group) => group.map(({ id }) => id))).toEqual([["a", "b"], ["c"], ["d"]]);
});

test("what is about no order stands alone", () => {
  expect(groupsOf([about("a", null), about("b", null)])).toHaveLength(2);
});
