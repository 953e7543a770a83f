import { IconCheck, IconChecks } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Message } from "@/api/schema";
import { useFormat } from "@/i18n/format";
import { AttachmentList } from "./Attachments";
import classes from "./Conversation.module.css";

interface MessageLineProps {
  message: Message;
  /** Of the reader. */
  side: "buyer" | "factory";
  /** Written by the reader themselves, not just by their side. */
  own: boolean;
  continues: boolean;
}

export function MessageLine({ message, side, own, continues }: MessageLineProps) {
  const { t } = useTranslation();
  const format = useFormat();
  if (message.sender.side === "system") return <SystemLine message={message} />;

  const ours = message.sender.side === side;
  return (
    <div className={classes.message} data-ours={ours || undefined} data-continues={continues || undefined}>
      {!continues && !own && <div className={classes.sender}>{message.sender.name}</div>}
      <div className={classes.bubble}>
        <AttachmentList attachments={message.attachments} />
        {message.text && <div className={classes.text}>{message.text}</div>}
        <div className={classes.meta}>
          <time dateTime={message.sent_at}>{format.time(message.sent_at)}</time>
          {ours && (
            <span
              className={classes.receipt}
              title={t(message.read_by_other_side ? "chat.read" : "chat.sent")}
            >
              {message.read_by_other_side ? <IconChecks size={14} /> : <IconCheck size={14} />}
              <span className="sr-only">{t(message.read_by_other_side ? "chat.read" : "chat.sent")}</span>
            </span>
          )}
        </div>
      </div>
    </div>
  );
}

function SystemLine({ message }: { message: Message }) {
  const { t } = useTranslation();
  const format = useFormat();
  const step = message.system;
  const who = step && "name" in step.by ? step.by.name : undefined;
  return (
    <div className={classes.system}>
      <span>
        {step
          ? t(who ? `chat.steps.${step.status}` : `chat.automatic.${step.status}`, { who })
          : message.text}
        {" · "}
        <time dateTime={message.sent_at}>{format.time(message.sent_at)}</time>
      </span>
      {step?.note && <q className={classes.note}>{step.note}</q>}
    </div>
  );
}
