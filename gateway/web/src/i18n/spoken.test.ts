import ts from "typescript";
import { expect, test } from "vitest";

const SOURCES = import.meta.glob<string>("../**/*.tsx", { eager: true, query: "?raw", import: "default" });
const SPOKEN = new Set(["alt", "aria-label", "description", "label", "placeholder", "title"]);
/** The same in every language: our name, examples of an address and of shipping terms. */
const NAMES = new Set(["Millrace", "https://", "FOB Ningbo"]);

// "aria-label" is one identifier here too.
const spokenName = (name: ts.JsxAttributeName) => ts.isIdentifier(name) && SPOKEN.has(name.text);

/** What a component says to its reader that it does not take from the texts. */
function literalsIn(path: string, source: string): string[] {
  const found: string[] = [];
  const note = (text: string) => {
    if (/\p{L}/u.test(text) && !NAMES.has(text.trim())) found.push(`${path}: ${text.trim()}`);
  };

  function visit(node: ts.Node) {
    if (ts.isJsxText(node)) note(node.text);
    if (ts.isJsxAttribute(node) && spokenName(node.name)) {
      const { initializer } = node;
      const value = initializer && ts.isJsxExpression(initializer) ? initializer.expression : initializer;
      if (value && ts.isStringLiteralLike(value)) note(value.text);
    }
    ts.forEachChild(node, visit);
  }

  visit(ts.createSourceFile(path, source, ts.ScriptTarget.Latest, false, ts.ScriptKind.TSX));
  return found;
}

test("no component says a word that is not among the texts", () => {
  const paths = Object.keys(SOURCES);

  const literals = Object.entries(SOURCES).flatMap(([path, source]) => literalsIn(path, source));

  expect(paths.length).toBeGreaterThan(40);
  expect(literals).toEqual([]);
}, 30_000);
