import { Button, Textarea, TextInput } from "@mantine/core";
import { IconMailCheck } from "@tabler/icons-react";
import { getRouteApi } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { newKey } from "@/http";
import { ButtonLink } from "@/ui/links";
import { Page, Panel } from "@/ui/Page";
import { ProblemNotice } from "@/ui/ProblemNotice";
import { EmptyState } from "@/ui/states";
import classes from "./HelpPage.module.css";
import { useSupportRequest } from "./queries";

const route = getRouteApi("/signed-in/support");

export function SupportPage() {
  const { t } = useTranslation();
  const { about, order } = route.useSearch();
  const [subject, setSubject] = useState(about === "block" ? t("support.blockSubject") : "");
  const [message, setMessage] = useState("");
  const request = useSupportRequest();

  function submit(event: FormEvent) {
    event.preventDefault();
    const body = { subject: subject.trim(), message: message.trim(), order_id: order ?? null };
    // The same text sent again, as its answer did not come, is still one request.
    const same = JSON.stringify(request.variables?.body) === JSON.stringify(body);
    request.mutate({ key: same && request.variables ? request.variables.key : newKey(), body });
  }

  return (
    <Page title={t("support.title")} eyebrow={t("help.eyebrow")}>
      <Panel>
        {request.data ? (
          <EmptyState
            icon={<IconMailCheck />}
            title={t("support.received", { reference: request.data.reference })}
          >
            <p>{t("support.receivedText")}</p>
            <ButtonLink to="/" variant="default">
              {t("nav.dashboard")}
            </ButtonLink>
          </EmptyState>
        ) : (
          <form onSubmit={submit} className={classes.form}>
            {about === "block" && <p style={{ margin: 0 }}>{t("support.blockHint")}</p>}
            <TextInput
              label={t("support.subject")}
              required
              withAsterisk={false}
              maxLength={200}
              value={subject}
              onChange={(event) => setSubject(event.target.value)}
            />
            <Textarea
              label={t("support.message")}
              required
              withAsterisk={false}
              maxLength={4000}
              autosize
              minRows={6}
              value={message}
              onChange={(event) => setMessage(event.target.value)}
            />
            <ProblemNotice error={request.error} />
            <Button type="submit" loading={request.isPending}>
              {t("support.send")}
            </Button>
          </form>
        )}
      </Panel>
    </Page>
  );
}
