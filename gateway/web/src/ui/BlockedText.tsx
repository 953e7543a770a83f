import { Alert } from "@mantine/core";
import { IconShieldLock } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Finding } from "@/http";
import classes from "./BlockedText.module.css";

/** Cuts a text at the findings; their offsets are code points, not UTF-16 units. */
export function partsOf(text: string, findings: Finding[]): { text: string; kind?: Finding["kind"] }[] {
  const points = Array.from(text);
  const parts: { text: string; kind?: Finding["kind"] }[] = [];
  let done = 0;
  for (const { start, end, kind } of findings.toSorted((a, b) => a.start - b.start)) {
    if (end <= done) continue;
    if (start > done) parts.push({ text: points.slice(done, start).join("") });
    parts.push({ text: points.slice(Math.max(start, done), end).join(""), kind });
    done = end;
  }
  if (done < points.length) parts.push({ text: points.slice(done).join("") });
  return parts;
}

/**
 * A text that was not sent: what in it is contact information, why that is blocked, and how to object.
 *
 * @param appeal how to object, where there is a way of its own; else the support form is offered.
 */
export function BlockedText({
  text,
  findings,
  appeal,
}: {
  text: string;
  findings: Finding[];
  appeal?: ReactNode;
}) {
  const { t } = useTranslation();
  const kinds = [...new Set(findings.map((finding) => finding.kind))];
  return (
    <Alert color="signal" variant="light" role="alert" icon={<IconShieldLock />} title={t("blocked.title")}>
      <p className={classes.quote}>
        {partsOf(text, findings).map((part, index) =>
          part.kind ? (
            // biome-ignore lint/suspicious/noArrayIndexKey: the parts are a cut of one text
            <mark key={index} className={classes.mark} title={t(`blocked.kinds.${part.kind}`)}>
              {part.text}
            </mark>
          ) : (
            // biome-ignore lint/suspicious/noArrayIndexKey: the parts are a cut of one text
            <span key={index}>{part.text}</span>
          ),
        )}
      </p>
      <p className={classes.why}>
        {t("blocked.why", { kinds: kinds.map((kind) => t(`blocked.kinds.${kind}`)).join(", ") })}{" "}
        {appeal ?? (
          <Link to="/support" search={{ about: "block" }}>
            {t("blocked.appeal")}
          </Link>
        )}
      </p>
    </Alert>
  );
}
