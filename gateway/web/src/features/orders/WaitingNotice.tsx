import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconClockHour4 } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Card, Order } from "@/api/schema";
import { useAccount } from "@/features/account/queries";
import { useFormat } from "@/i18n/format";
import { useProblemText } from "@/ui/problem";
import { useExtendReceipt, useRequestReceipt } from "./queries";
import classes from "./WaitingNotice.module.css";

/** What a shipped or delivered order waits for, when that happens by itself, and how to hurry or put it off. */
export function WaitingNotice({ order }: { order: Card | Order }) {
  const { t } = useTranslation();
  const format = useFormat();
  const problem = useProblemText();
  const { organisation } = useAccount();
  const remind = useRequestReceipt(order.id);
  const extend = useExtendReceipt(order.id);
  const step = order.next_automatic_step;

  if (order.status !== "shipped" && order.status !== "delivered") return null;

  const say = (message: string) => notifications.show({ message });
  const fail = (error: unknown) => notifications.show({ message: problem(error), color: "signal" });

  return (
    <div className={classes.notice}>
      <IconClockHour4 size={16} className={classes.icon} />
      <div>
        {t(`waiting.${order.status}.${organisation.kind}`)}
        {step && <> {t(`waiting.automatic.${order.status}`, { date: format.date(step.at) })}</>}
        <div className={classes.actions}>
          {order.allowed_actions.includes("request_receipt") && (
            <Button
              variant="subtle"
              size="compact-sm"
              loading={remind.isPending}
              onClick={() =>
                remind.mutate(undefined, { onSuccess: () => say(t("waiting.reminded")), onError: fail })
              }
            >
              {t("waiting.remind")}
            </Button>
          )}
          {order.allowed_actions.includes("extend_receipt") && (
            <Button
              variant="subtle"
              size="compact-sm"
              loading={extend.isPending}
              onClick={() =>
                extend.mutate(undefined, { onSuccess: () => say(t("waiting.extended")), onError: fail })
              }
            >
              {t("waiting.extend")}
            </Button>
          )}
        </div>
      </div>
    </div>
  );
}
