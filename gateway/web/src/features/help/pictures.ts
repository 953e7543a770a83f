import type { Section } from "./guides/guide";

interface Picture {
  src: string;
  width: number;
  height: number;
}

/** Pictures of our own pages, taken by `make screenshots`. */
export const PICTURES: Partial<Record<NonNullable<Section["picture"]>, Picture>> = {};
