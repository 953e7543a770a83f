import { Button, Textarea } from "@mantine/core";
import { IconThumbDown, IconThumbUp } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { Panel } from "@/ui/Page";
import { ProblemNotice } from "@/ui/ProblemNotice";
import classes from "./HelpPage.module.css";
import { useFeedback } from "./queries";

/** "Was this guide helpful?" – a no asks what is missing before it is sent. */
export function Feedback({ page }: { page: string }) {
  const { t } = useTranslation();
  const [unhelpful, setUnhelpful] = useState(false);
  const [comment, setComment] = useState("");
  const feedback = useFeedback();

  function complain(event: FormEvent) {
    event.preventDefault();
    feedback.mutate({ page, helpful: false, comment: comment.trim() || null });
  }

  if (feedback.isSuccess) {
    return (
      <Panel>
        <p role="status" style={{ margin: 0 }}>
          {t("help.thanks")}
        </p>
      </Panel>
    );
  }
  return (
    <Panel>
      <div className={classes.feedback}>
        <h2>{t("help.helpful")}</h2>
        <Button
          variant="default"
          leftSection={<IconThumbUp size={17} />}
          disabled={feedback.isPending}
          onClick={() => feedback.mutate({ page, helpful: true, comment: null })}
        >
          {t("help.yes")}
        </Button>
        <Button
          variant="default"
          leftSection={<IconThumbDown size={17} />}
          aria-expanded={unhelpful}
          onClick={() => setUnhelpful(true)}
        >
          {t("help.no")}
        </Button>
        {unhelpful && (
          <form className={classes.comment} onSubmit={complain}>
            <Textarea
              label={t("help.missing")}
              value={comment}
              maxLength={2000}
              autosize
              minRows={2}
              onChange={(event) => setComment(event.target.value)}
            />
            <Button type="submit" loading={feedback.isPending}>
              {t("help.send")}
            </Button>
          </form>
        )}
        <ProblemNotice error={feedback.error} text={comment} />
      </div>
    </Panel>
  );
}
