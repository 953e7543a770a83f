import { Button, Checkbox, CopyButton, Group, Skeleton, Stack, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconCheck, IconCopy, IconWebhook } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { NewWebhook, Webhook } from "@/api/schema";
import { Panel } from "@/ui/Page";
import { ProblemNotice } from "@/ui/ProblemNotice";
import { useProblemText } from "@/ui/problem";
import { EmptyState, ErrorState } from "@/ui/states";
import { DeliveryLog } from "./DeliveryLog";
import { useCreateWebhook, useDeleteWebhook, useWebhooks } from "./queries";
import classes from "./SettingsPage.module.css";

type EventType = NonNullable<NewWebhook["event_types"]>[number];

const EVENT_TYPES: EventType[] = [
  "order.created.v1",
  "order.status_changed.v1",
  "order.updated.v1",
  "order.overdue.v1",
  "message.sent.v1",
  "message.read.v1",
  "review.opened.v1",
  "review.submitted.v1",
];

export function WebhooksTab() {
  const { t } = useTranslation();
  const { data, error, refetch } = useWebhooks();
  return (
    <>
      <NewWebhookForm />
      <Panel title={t("webhooks.list")}>
        {error && <ErrorState error={error} retry={refetch} />}
        {!data && !error && <Skeleton height="6rem" />}
        {data?.items.length === 0 && (
          <EmptyState icon={<IconWebhook />} title={t("webhooks.empty")}>
            {t("webhooks.emptyText")}
          </EmptyState>
        )}
        <ul className={classes.list}>
          {data?.items.map((webhook) => (
            <WebhookLine key={webhook.id} webhook={webhook} />
          ))}
        </ul>
      </Panel>
    </>
  );
}

function NewWebhookForm() {
  const { t } = useTranslation();
  const create = useCreateWebhook();
  const [url, setUrl] = useState("");
  const [types, setTypes] = useState<EventType[]>([]);

  function submit(event: FormEvent) {
    event.preventDefault();
    create.mutate(
      { url: url.trim(), event_types: types.length ? types : null },
      { onSuccess: () => setUrl("") },
    );
  }

  return (
    <Panel title={t("webhooks.add")}>
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            type="url"
            label={t("webhooks.url")}
            description={t("webhooks.urlHint")}
            placeholder="https://"
            required
            withAsterisk={false}
            value={url}
            onChange={(event) => setUrl(event.target.value)}
          />
          <Checkbox.Group
            label={t("webhooks.events")}
            description={t("webhooks.eventsHint")}
            value={types}
            onChange={(chosen) => setTypes(EVENT_TYPES.filter((type) => chosen.includes(type)))}
          >
            <div className={classes.grid} style={{ gap: "0.5rem", marginTop: "0.5rem" }}>
              {EVENT_TYPES.map((type) => (
                <Checkbox key={type} value={type} label={type} />
              ))}
            </div>
          </Checkbox.Group>
          <ProblemNotice error={create.error} />
          <Group>
            <Button type="submit" loading={create.isPending}>
              {t("webhooks.create")}
            </Button>
          </Group>
          {create.data && <Secret secret={create.data.secret} />}
        </Stack>
      </form>
    </Panel>
  );
}

function Secret({ secret }: { secret: string }) {
  const { t } = useTranslation();
  return (
    <div role="status">
      <p className={classes.small}>{t("webhooks.secretHint")}</p>
      <Group wrap="nowrap" mt="xs">
        <span className={classes.code}>{secret}</span>
        <CopyButton value={secret}>
          {({ copied, copy }) => (
            <Button
              variant="default"
              leftSection={copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
              onClick={copy}
              style={{ flex: "none" }}
            >
              {copied ? t("actions.copied") : t("actions.copy")}
            </Button>
          )}
        </CopyButton>
      </Group>
    </div>
  );
}

function WebhookLine({ webhook }: { webhook: Webhook }) {
  const { t } = useTranslation();
  const problem = useProblemText();
  const remove = useDeleteWebhook();
  const [open, setOpen] = useState(false);
  const [sure, setSure] = useState(false);
  return (
    <li>
      <div className={classes.line}>
        <div className={classes.lineText}>
          <div>{webhook.url}</div>
          <div className={classes.small}>
            {webhook.enabled ? t("webhooks.on") : t("webhooks.off")} · {webhook.event_types.join(", ")}
          </div>
        </div>
        <div className={classes.lineActions}>
          <Button variant="default" size="sm" aria-expanded={open} onClick={() => setOpen(!open)}>
            {t("webhooks.deliveries")}
          </Button>
          <Button
            variant={sure ? "filled" : "subtle"}
            color="signal"
            size="sm"
            loading={remove.isPending}
            onBlur={() => setSure(false)}
            onClick={() =>
              sure
                ? remove.mutate(webhook.id, {
                    onError: (error) => notifications.show({ message: problem(error), color: "signal" }),
                  })
                : setSure(true)
            }
          >
            {sure ? t("webhooks.deleteSure") : t("webhooks.delete")}
          </Button>
        </div>
      </div>
      {open && <DeliveryLog webhookId={webhook.id} />}
    </li>
  );
}
