import { Button, Switch } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Webhook } from "@/api/schema";
import { useFormat } from "@/i18n/format";
import { CopyLine } from "@/ui/CopyLine";
import { useProblemText } from "@/ui/problem";
import { SureButton } from "@/ui/SureButton";
import { DeliveryLog } from "./DeliveryLog";
import { useDeleteWebhook, useRenewSecret, useSwitchWebhook } from "./queries";
import classes from "./SettingsPage.module.css";

export function WebhookLine({ webhook }: { webhook: Webhook }) {
  const { t } = useTranslation();
  const problem = useProblemText();
  const toggle = useSwitchWebhook(webhook.id);
  const renew = useRenewSecret(webhook.id);
  const remove = useDeleteWebhook();
  const [open, setOpen] = useState(false);
  const onError = (error: unknown) => notifications.show({ message: problem(error), color: "signal" });
  const enabled = toggle.isPending ? toggle.variables : webhook.enabled;

  return (
    <li className={classes.webhook}>
      <div className={classes.lineText}>{webhook.url}</div>
      <p className={classes.small}>{webhook.event_types.join(", ")}</p>
      <Trouble webhook={webhook} />
      <div className={`${classes.lineActions} ${classes.after}`}>
        <Switch
          className={classes.switch}
          aria-label={t("webhooks.switch", { url: webhook.url })}
          label={enabled ? t("webhooks.on") : t("webhooks.off")}
          checked={enabled}
          onChange={(event) => toggle.mutate(event.target.checked, { onError })}
        />
        <Button variant="default" size="sm" aria-expanded={open} onClick={() => setOpen(!open)}>
          {t("webhooks.deliveries")}
        </Button>
        <SureButton
          sure={t("webhooks.renewSure")}
          loading={renew.isPending}
          onConfirm={() => renew.mutate(undefined, { onError })}
        >
          {t("webhooks.renew")}
        </SureButton>
        <SureButton
          sure={t("webhooks.deleteSure")}
          loading={remove.isPending}
          onConfirm={() => remove.mutate(webhook.id, { onError })}
        >
          {t("webhooks.delete")}
        </SureButton>
      </div>
      {renew.data && (
        <div className={classes.after}>
          <CopyLine hint={t("webhooks.renewedHint")} value={renew.data.secret} />
        </div>
      )}
      {open && <DeliveryLog webhookId={webhook.id} />}
    </li>
  );
}

function Trouble({ webhook }: { webhook: Webhook }) {
  const { t } = useTranslation();
  const format = useFormat();
  if (webhook.disabled_reason) return <p className={classes.warning}>{t("webhooks.switchedOff")}</p>;
  if (!webhook.failing_since) return null;
  return (
    <p className={classes.warning}>
      {t("webhooks.failingSince", { when: format.dateTime(webhook.failing_since) })}
    </p>
  );
}
