import { expect, test } from "vitest";
import { idIn } from "./FactoryField";

test.each([
  ["https://mill.example/organisations/01a2", "01a2"],
  [" https://mill.example/organisations/01a2/?chat=7#top ", "01a2"],
  ["01a2", "01a2"],
  ["", ""],
])("%s names %s", (address, id) => {
  expect(idIn(address)).toBe(id);
});
