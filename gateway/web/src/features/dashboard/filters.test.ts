import { expect, test } from "vitest";
import { isDefault, readFilters } from "./filters";

test("an address keeps a view", () => {
  const search = { status: "shipped", due: "overdue", q: "bracket", sort: "-value" };

  expect(readFilters(search)).toEqual(search);
  expect(isDefault(readFilters(search))).toBe(false);
});

test("what an address cannot mean is left out", () => {
  const filters = readFilters({ state: "lost", status: "melted", due: 7, q: "  ", sort: "color", page: 3 });

  expect(filters).toEqual({});
  expect(isDefault(filters)).toBe(true);
});

test("the usual order of the list is the view that the dashboard opens with", () => {
  expect(isDefault(readFilters({ sort: "deadline" }))).toBe(true);
});

test("a search is cut where the gateway would refuse it", () => {
  expect(readFilters({ q: "x".repeat(500) }).q).toHaveLength(200);
});
