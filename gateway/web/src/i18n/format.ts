import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Money } from "@/api/schema";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

function localeOf(language: string): string {
  // "en-GB" for a Briton, "zh-TW" for a Taiwanese: the reader's own habits of writing dates and numbers.
  return (
    navigator.languages.find((locale) => locale.startsWith(language)) ??
    (language === "zh" ? "zh-CN" : "en-GB")
  );
}

function formatsOf(locale: string) {
  const number = new Intl.NumberFormat(locale);
  const day = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone: "UTC" });
  const date = new Intl.DateTimeFormat(locale, { dateStyle: "medium" });
  const weekday = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long" });
  const time = new Intl.DateTimeFormat(locale, { timeStyle: "short" });
  const dateTime = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "short" });
  const percent = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 });
  const rating = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

  return {
    number: (value: number) => number.format(value),
    percent: (value: number) => percent.format(value),
    rating: (value: number) => rating.format(value),
    money: ({ amount, currency }: Money, { whole = false } = {}) =>
      new Intl.NumberFormat(locale, {
        style: "currency",
        currency,
        currencyDisplay: "narrowSymbol",
        minimumFractionDigits: whole ? 0 : undefined,
        maximumFractionDigits: whole ? 0 : Math.max(2, amount.split(".")[1]?.length ?? 0),
        // A decimal string, passed on as it is: a float would round a large amount.
      }).format(amount as unknown as number),
    /** A calendar date such as a deadline: the same day wherever the reader is. */
    day: (value: string) => day.format(new Date(`${value}T00:00:00Z`)),
    date: (instant: string) => date.format(new Date(instant)),
    weekday: (instant: string) => weekday.format(new Date(instant)),
    time: (instant: string) => time.format(new Date(instant)),
    dateTime: (instant: string) => dateTime.format(new Date(instant)),
    ago: (instant: string, now = Date.now()) => {
      const past = new Date(instant).getTime() - now;
      if (past > -60 * MINUTE) return relative.format(Math.min(0, Math.round(past / MINUTE)), "minute");
      if (past > -DAY) return relative.format(Math.round(past / (60 * MINUTE)), "hour");
      if (past > -7 * DAY) return relative.format(Math.round(past / DAY), "day");
      return date.format(new Date(instant));
    },
    size: (bytes: number) => {
      const [value, unit] =
        bytes < 1024 * 1024 ? [bytes / 1024, "kilobyte"] : [bytes / 1024 / 1024, "megabyte"];
      return new Intl.NumberFormat(locale, { style: "unit", unit, maximumFractionDigits: 1 }).format(
        Number(value),
      );
    },
  };
}

export type Format = ReturnType<typeof formatsOf>;

export function useFormat(): Format {
  const { i18n } = useTranslation();
  return useMemo(() => formatsOf(localeOf(i18n.language)), [i18n.language]);
}
