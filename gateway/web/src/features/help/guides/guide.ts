export const TOPICS = ["submitting-quotes", "managing-active-orders", "messaging"] as const;
export type Topic = (typeof TOPICS)[number];

export interface Section {
  title: string;
  text: string[];
  list?: { term?: string; text: string }[];
  picture?: "card" | "update" | "chat" | "unread";
}

export interface Guide {
  title: string;
  summary: string;
  sections: Section[];
}

export type Guides = Record<Topic, Guide>;

const LANGUAGES = { en: () => import("./en"), zh: () => import("./zh") };

export async function guidesIn(language: string): Promise<Guides> {
  return (await LANGUAGES[language === "zh" ? "zh" : "en"]()).default;
}
