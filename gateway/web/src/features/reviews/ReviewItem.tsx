import { Button, Group, Textarea } from "@mantine/core";
import { IconCornerDownRight } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Review } from "@/api/schema";
import { useAccount } from "@/features/account/queries";
import { useFormat } from "@/i18n/format";
import { ProblemNotice } from "@/ui/ProblemNotice";
import { Stars } from "@/ui/Stars";
import { useReply } from "./queries";
import classes from "./reviews.module.css";

export function ReviewItem({ review }: { review: Review }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { organisation, user } = useAccount();
  const [replying, setReplying] = useState(false);
  const aspects = Object.entries(review.aspects ?? {}) as [
    keyof NonNullable<Review["aspects"]>,
    number | null,
  ][];
  const mayReply = review.about.id === organisation.id && !review.reply && user.role !== "viewer";

  return (
    <article className={classes.review}>
      <div className={classes.head}>
        <Stars rating={review.rating} />
        <span className={classes.by}>
          <Link to="/organisations/$organisationId" params={{ organisationId: review.organisation.id }}>
            {review.organisation.name}
          </Link>{" "}
          · {format.date(review.created_at)}
        </span>
      </div>
      {review.text && <p className={classes.text}>{review.text}</p>}
      <dl className={classes.scores}>
        {aspects.map(
          ([aspect, stars]) =>
            stars && (
              <div key={aspect}>
                <dt>{t(`review.aspects.${aspect}`)}</dt>
                <dd>{stars}/5</dd>
              </div>
            ),
        )}
      </dl>
      {review.reply && (
        <div className={classes.reply}>
          <IconCornerDownRight size={18} />
          <div>
            <div className={classes.by}>
              {t("review.replyBy", { name: review.about.name })} · {format.date(review.reply.created_at)}
            </div>
            <p className={classes.text}>{review.reply.text}</p>
          </div>
        </div>
      )}
      {mayReply && !replying && (
        <Button variant="subtle" size="compact-sm" ml="-0.5rem" onClick={() => setReplying(true)}>
          {t("review.reply")}
        </Button>
      )}
      {mayReply && replying && <ReplyForm review={review} onClose={() => setReplying(false)} />}
    </article>
  );
}

function ReplyForm({ review, onClose }: { review: Review; onClose: () => void }) {
  const { t } = useTranslation();
  const [text, setText] = useState("");
  const reply = useReply(review);

  function submit(event: FormEvent) {
    event.preventDefault();
    reply.mutate(text.trim(), { onSuccess: onClose });
  }

  return (
    <form onSubmit={submit} className={classes.form}>
      <Textarea
        label={t("review.replyLabel")}
        description={t("review.replyHint")}
        required
        withAsterisk={false}
        value={text}
        maxLength={4000}
        autosize
        minRows={2}
        onChange={(event) => setText(event.target.value)}
      />
      <ProblemNotice error={reply.error} text={text} />
      <Group gap="xs">
        <Button type="submit" size="sm" loading={reply.isPending} disabled={!text.trim()}>
          {t("review.reply")}
        </Button>
        <Button variant="default" size="sm" onClick={onClose}>
          {t("actions.cancel")}
        </Button>
      </Group>
    </form>
  );
}
