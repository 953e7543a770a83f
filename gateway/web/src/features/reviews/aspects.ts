/** What each side can tell of the other. */
export const ASPECTS = {
  buyer: ["quality", "communication", "on_time"],
  factory: ["communication", "payment"],
} as const;
