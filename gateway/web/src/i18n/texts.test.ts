import { expect, test } from "vitest";
import guidesEn from "@/features/help/guides/en";
import guidesZh from "@/features/help/guides/zh";
import { pictureOf } from "@/features/help/pictures";
import en from "./en";
import zh from "./zh";

type Texts = { [key: string]: string | Texts };

/** All keys, without the plural forms, of which Chinese has fewer. */
function keysOf(texts: Texts, prefix = ""): string[] {
  const keys = Object.entries(texts).flatMap(([key, value]) =>
    typeof value === "string"
      ? [`${prefix}${key.replace(/_(one|other)$/, "")}`]
      : keysOf(value, `${prefix}${key}.`),
  );
  return [...new Set(keys)].sort();
}

function placeholdersOf(texts: Texts, prefix = ""): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(texts).flatMap(([key, value]) =>
      typeof value === "string"
        ? [
            [
              `${prefix}${key.replace(/_(one|other)$/, "")}`,
              [...value.matchAll(/{{\w+}}/g)].map(String).sort(),
            ],
          ]
        : Object.entries(placeholdersOf(value, `${prefix}${key}.`)),
    ),
  );
}

test("every text is there in both languages", () => {
  expect(keysOf(zh)).toEqual(keysOf(en));
});

test("a translation fills in the same values", () => {
  expect(placeholdersOf(zh)).toEqual(placeholdersOf(en));
});

test("the guides have the same sections, lists and pictures in both languages", () => {
  const shapeOf = (guides: typeof guidesEn) =>
    Object.entries(guides).map(([topic, { sections }]) => [
      topic,
      sections.map(({ text, list, picture }) => [text.length, list?.length, picture]),
    ]);

  expect(shapeOf(guidesZh)).toEqual(shapeOf(guidesEn));
});

test("every picture of a guide has been taken in both languages", () => {
  const names = Object.values(guidesEn).flatMap(({ sections }) =>
    sections.flatMap(({ picture }) => picture ?? []),
  );

  const missing = names.filter((name) => !pictureOf(name, "en") || !pictureOf(name, "zh"));

  expect(missing).toEqual([]);
});
