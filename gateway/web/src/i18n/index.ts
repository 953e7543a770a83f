import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import type en from "./en";

export type Language = "en" | "zh";

/** Each by its own name, whatever is spoken now. */
export const LANGUAGES: { value: Language; label: string }[] = [
  { value: "en", label: "English" },
  { value: "zh", label: "中文" },
];

const KEY = "millrace-language";
const TEXTS = { en: () => import("./en"), zh: () => import("./zh") };

declare module "i18next" {
  interface CustomTypeOptions {
    resources: { translation: typeof en };
  }
}

function preferred(): Language {
  const chosen = localStorage.getItem(KEY);
  if (chosen === "en" || chosen === "zh") return chosen;
  return navigator.language.startsWith("zh") ? "zh" : "en";
}

export async function speak(language: Language): Promise<void> {
  const texts = await TEXTS[language]();
  i18next.addResourceBundle(language, "translation", texts.default);
  await i18next.changeLanguage(language);
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
}

export const languageNow = (): Language => (i18next.language === "zh" ? "zh" : "en");

export async function choose(language: Language): Promise<void> {
  localStorage.setItem(KEY, language);
  await speak(language);
}

export async function startTranslation(): Promise<void> {
  await i18next.use(initReactI18next).init({
    resources: {},
    interpolation: { escapeValue: false },
    // It would be an advertisement on the console.
    showSupportNotice: false,
  });
  await speak(preferred());
}
