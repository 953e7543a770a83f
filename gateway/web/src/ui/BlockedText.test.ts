import { expect, test } from "vitest";
import { partsOf } from "./BlockedText";

test("the found part is cut out by code points, so that an emoji before it moves nothing", () => {
  const text = "Hi 😀 a@b.cn bye";

  const parts = partsOf(text, [{ kind: "email", start: 5, end: 11 }]);

  expect(parts).toEqual([{ text: "Hi 😀 " }, { text: "a@b.cn", kind: "email" }, { text: " bye" }]);
});

test("overlapping findings repeat no letter", () => {
  const parts = partsOf("abcdef", [
    { kind: "phone", start: 1, end: 4 },
    { kind: "url", start: 2, end: 5 },
  ]);

  expect(parts.map(({ text }) => text).join("")).toBe("abcdef");
});
