import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";
import { Problem } from "@/http";
import type en from "@/i18n/en";

type Known = keyof typeof en.problems;

const KNOWN: Record<string, Known> = {
  offline: "offline",
  "contact-info-blocked": "contactInfoBlocked",
  "email-taken": "emailTaken",
  "wrong-credentials": "wrongCredentials",
  "too-many-logins": "tooManyLogins",
  "invitation-not-usable": "invitationNotUsable",
  "invalid-transition": "invalidTransition",
  "awaiting-buyer-confirmation": "awaitingBuyerConfirmation",
  "receipt-recently-requested": "receiptRecentlyRequested",
  "receipt-already-extended": "receiptAlreadyExtended",
  "review-not-open": "reviewNotOpen",
  "quote-already-accepted": "quoteAlreadyAccepted",
  "role-not-sufficient": "roleNotSufficient",
  "wrong-side": "wrongSide",
  "attachment-too-large": "attachmentTooLarge",
  "attachment-type-unsupported": "attachmentTypeUnsupported",
  "logo-too-large": "logoTooLarge",
  "logo-type-unsupported": "logoTypeUnsupported",
  "too-many-webhooks": "tooManyWebhooks",
  "webhook-disabled": "webhookDisabled",
  "stale-version": "staleVersion",
  "last-owner": "lastOwner",
  "owner-needed": "ownerNeeded",
};

/** What went wrong, in the reader's language where we know the problem, else in the gateway's own words. */
export function problemText(t: TFunction, error: unknown): string {
  if (!(error instanceof Problem)) return t("problems.unknown");
  const known = KNOWN[error.slug];
  if (known) return t(`problems.${known}`);
  if (error.status === 429) return t("problems.tooMany");
  if (error.status === 503) return t("problems.unavailable");
  if (error.status === 404) return t("problems.notFound");
  return error.message || t("problems.unknown");
}

export function useProblemText(): (error: unknown) => string {
  const { t } = useTranslation();
  return (error) => problemText(t, error);
}
