import type { Language } from "@/i18n";
import type { Section } from "./guides/guide";
import sizes from "./pictures/sizes.json";

export interface Picture {
  src: string;
  width: number;
  height: number;
}

const FILES = import.meta.glob<string>("./pictures/*.webp", {
  eager: true,
  query: "?url",
  import: "default",
});

/** A picture of our own pages, as `make screenshots` took it; as wide as on the page, so that nothing jumps. */
export function pictureOf(name: NonNullable<Section["picture"]>, language: Language): Picture | undefined {
  const src = FILES[`./pictures/${name}-${language}.webp`];
  return src ? { src, ...sizes[`${name}-${language}`] } : undefined;
}
