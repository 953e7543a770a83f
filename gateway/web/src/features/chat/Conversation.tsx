import { Button, Skeleton } from "@mantine/core";
import { useDocumentVisibility } from "@mantine/hooks";
import { IconMessages } from "@tabler/icons-react";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { Message } from "@/api/schema";
import { useAccount } from "@/features/account/queries";
import { useFormat } from "@/i18n/format";
import { MoreOnScroll } from "@/ui/MoreOnScroll";
import { useProblemText } from "@/ui/problem";
import { EmptyState, ErrorState } from "@/ui/states";
import { AttachmentList } from "./Attachments";
import { Composer } from "./Composer";
import classes from "./Conversation.module.css";
import { messagesOf } from "./cache";
import { byDay, continues } from "./days";
import { MessageLine } from "./MessageLine";
import { type Outgoing, useOutbox } from "./outbox";
import { useMarkRead, useThread } from "./queries";
import { useTyping } from "./typing";

export function Conversation({
  orderId,
  canSend = true,
}: {
  orderId: string;
  canSend?: boolean | undefined;
}) {
  const { t } = useTranslation();
  const format = useFormat();
  const { user, organisation } = useAccount();
  const thread = useThread(orderId);
  const messages = messagesOf(thread.data);
  const outbox = useOutbox(orderId);
  const bottom = useRef<HTMLDivElement>(null);
  const newest = messages.at(-1);

  useReading(orderId, messages);
  // One's own new message is always brought into view; another's only moves what is already at the end.
  const own = newest?.sender.user_id === user.id ? newest.seq : 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: both are what it waits for
  useEffect(() => {
    bottom.current?.scrollIntoView({ block: "end" });
  }, [own, outbox.waiting.length]);

  return (
    <>
      <div className={classes.scroller}>
        <div
          // Another one when the messages are there: this list grows at its top, and so would seem to jump.
          key={thread.isPending ? "waiting" : "there"}
          className={classes.messages}
          role="log"
          aria-label={t("chat.messages")}
          aria-busy={thread.isPending}
        >
          <MoreOnScroll list={thread} />
          {thread.isPending && <Waiting />}
          {thread.error && !thread.data && <ErrorState error={thread.error} retry={thread.refetch} />}
          {thread.data && messages.length === 0 && (
            <EmptyState icon={<IconMessages />} title={t("chat.empty")}>
              {t("chat.emptyText")}
            </EmptyState>
          )}
          {byDay(messages).map(({ key, day, items }) => (
            <section key={key} className={classes.day}>
              <h3 className={classes.separator}>{format.weekday(day)}</h3>
              {items.map((message, index) => (
                <MessageLine
                  key={message.seq}
                  message={message}
                  side={organisation.kind}
                  own={message.sender.user_id === user.id}
                  continues={continues(items[index - 1], message)}
                />
              ))}
            </section>
          ))}
          {outbox.waiting.map((outgoing) => (
            <OutgoingLine key={outgoing.key} outgoing={outgoing} {...outbox} />
          ))}
          <TypingLine orderId={orderId} />
          <div ref={bottom} />
        </div>
      </div>
      {canSend ? (
        <Composer orderId={orderId} outbox={outbox} />
      ) : (
        <p className={classes.closed}>{t("chat.closed")}</p>
      )}
    </>
  );
}

function TypingLine({ orderId }: { orderId: string }) {
  const { t } = useTranslation();
  const names = useTyping(orderId);
  if (names.length === 0) return null;
  return <div className={classes.typing}>{t("chat.typing", { name: names.join(", ") })}</div>;
}

/** What is on an open, visible screen is read. */
function useReading(orderId: string, messages: Message[]) {
  const visible = useDocumentVisibility() === "visible";
  const { mutate } = useMarkRead(orderId);
  const { organisation } = useAccount();
  const marked = useRef(0);
  const last =
    messages.findLast(({ sender }) => sender.side !== organisation.kind && sender.side !== "system")?.seq ??
    0;

  useEffect(() => {
    if (!visible || last <= marked.current) return;
    marked.current = last;
    mutate(last);
  }, [visible, last, mutate]);
}

interface OutgoingLineProps {
  outgoing: Outgoing;
  retry: (outgoing: Outgoing) => void;
  discard: (outgoing: Outgoing) => void;
}

function OutgoingLine({ outgoing, retry, discard }: OutgoingLineProps) {
  const { t } = useTranslation();
  const problem = useProblemText();
  return (
    <div className={classes.outgoing} data-failed={outgoing.error ? true : undefined}>
      <div className={classes.bubble}>
        <AttachmentList attachments={outgoing.attachments} />
        {outgoing.text && <div className={classes.text}>{outgoing.text}</div>}
      </div>
      {outgoing.error ? (
        <div className={classes.failed} role="alert">
          {t("chat.notSent", { reason: problem(outgoing.error) })}
          <Button size="compact-xs" variant="subtle" onClick={() => retry(outgoing)}>
            {t("states.retry")}
          </Button>
          <Button size="compact-xs" variant="subtle" color="gray" onClick={() => discard(outgoing)}>
            {t("chat.discard")}
          </Button>
        </div>
      ) : (
        <div className={classes.sending}>{t("chat.sending")}</div>
      )}
    </div>
  );
}

function Waiting() {
  return (
    <div className={classes.waiting} aria-hidden="true">
      <Skeleton height="3rem" width="60%" radius="lg" />
      <Skeleton height="2.25rem" width="45%" radius="lg" ml="auto" />
      <Skeleton height="4rem" width="70%" radius="lg" />
      <Skeleton height="2.25rem" width="50%" radius="lg" ml="auto" />
    </div>
  );
}
