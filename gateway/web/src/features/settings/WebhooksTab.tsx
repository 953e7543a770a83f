import { Button, Checkbox, Group, Skeleton, Stack, TextInput } from "@mantine/core";
import { IconWebhook } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { NewWebhook } from "@/api/schema";
import { CopyLine } from "@/ui/CopyLine";
import { Panel } from "@/ui/Page";
import { ProblemNotice } from "@/ui/ProblemNotice";
import { EmptyState, ErrorState } from "@/ui/states";
import { useCreateWebhook, useWebhooks } from "./queries";
import classes from "./SettingsPage.module.css";
import { WebhookLine } from "./WebhookLine";

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
          {create.data && <CopyLine hint={t("webhooks.secretHint")} value={create.data.secret} />}
        </Stack>
      </form>
    </Panel>
  );
}
