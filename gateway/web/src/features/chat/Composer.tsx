import { ActionIcon, CloseButton, Textarea } from "@mantine/core";
import { IconPaperclip, IconSend2 } from "@tabler/icons-react";
import { type ClipboardEvent, type DragEvent, type KeyboardEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Problem } from "@/http";
import { useFormat } from "@/i18n/format";
import { BlockedText } from "@/ui/BlockedText";
import { useProblemText } from "@/ui/problem";
import { Appeal } from "./Appeal";
import classes from "./Composer.module.css";
import { useDraft } from "./draft";
import type { Outbox } from "./outbox";
import { tellTyping } from "./typing";
import { ACCEPT } from "./upload";
import { type Attaching, useUploads } from "./useUploads";

const MAX_TEXT = 4000;

export function Composer({ orderId, outbox }: { orderId: string; outbox: Outbox }) {
  const { t } = useTranslation();
  const { blocked } = outbox;
  const refusal = blocked ? (blocked.error as Problem).members : {};
  const [text, setText] = useDraft(orderId, blocked?.text);
  const uploads = useUploads(orderId);
  const [dropping, setDropping] = useState(false);
  const chooser = useRef<HTMLInputElement>(null);
  const ready = (text.trim() !== "" || uploads.ready.length > 0) && !uploads.busy;

  function send() {
    if (!ready) return;
    const attachments = uploads.ready;
    if (blocked) outbox.discard(blocked);
    setText(() => "");
    uploads.clear();
    outbox.send(text, attachments, {
      onBlocked: () => {
        setText((since) => (since ? `${text}\n${since}` : text));
        uploads.restore(attachments);
      },
    });
  }

  function onKeyDown(event: KeyboardEvent) {
    // Not the Enter that chooses a word of an input method.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  }

  function onPaste(event: ClipboardEvent) {
    if (event.clipboardData.files.length === 0) return;
    event.preventDefault();
    uploads.add(event.clipboardData.files);
  }

  function onDrop(event: DragEvent) {
    event.preventDefault();
    setDropping(false);
    uploads.add(event.dataTransfer.files);
  }

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping files is a second way beside the button
    <div
      className={classes.composer}
      data-dropping={dropping || undefined}
      onDragOver={(event) => {
        event.preventDefault();
        setDropping(true);
      }}
      onDragLeave={() => setDropping(false)}
      onDrop={onDrop}
    >
      {blocked && (
        <BlockedText
          text={blocked.text}
          findings={refusal.findings ?? []}
          appeal={
            refusal.ref && (
              <Appeal key={refusal.ref} orderId={orderId} blockRef={refusal.ref} text={blocked.text} />
            )
          }
        />
      )}
      {uploads.files.length > 0 && (
        <ul className={classes.files} aria-label={t("chat.attachments")}>
          {uploads.files.map((file) => (
            <FileLine key={file.key} file={file} onRemove={() => uploads.remove(file.key)} />
          ))}
        </ul>
      )}
      <div className={classes.row}>
        <input
          ref={chooser}
          type="file"
          multiple
          hidden
          accept={ACCEPT}
          aria-label={t("chat.attach")}
          onChange={(event) => {
            uploads.add(event.target.files ?? []);
            event.target.value = "";
          }}
        />
        <ActionIcon
          variant="subtle"
          color="gray"
          size="lg"
          aria-label={t("chat.attach")}
          title={t("chat.attachHint")}
          onClick={() => chooser.current?.click()}
        >
          <IconPaperclip size={20} />
        </ActionIcon>
        <Textarea
          className={classes.input}
          aria-label={t("chat.write")}
          placeholder={t("chat.write")}
          value={text}
          maxLength={MAX_TEXT}
          autosize
          minRows={1}
          maxRows={8}
          enterKeyHint="send"
          data-autofocus
          onChange={(event) => {
            setText(() => event.target.value);
            if (event.target.value) tellTyping(orderId);
          }}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
        />
        <ActionIcon size="lg" aria-label={t("chat.send")} disabled={!ready} onClick={send}>
          <IconSend2 size={19} />
        </ActionIcon>
      </div>
      <p className={classes.hint}>{dropping ? t("chat.drop") : t("chat.hint")}</p>
    </div>
  );
}

function FileLine({ file, onRemove }: { file: Attaching; onRemove: () => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const problem = useProblemText();
  const state = file.error
    ? problem(file.error)
    : file.attachment
      ? format.size(file.size)
      : t("chat.uploading", { percent: format.percent(file.progress) });
  return (
    <li className={classes.file} data-failed={file.error ? true : undefined}>
      <span className={classes.fileName}>{file.name}</span>
      <span className={classes.fileState} role="status">
        {state}
      </span>
      <CloseButton size="sm" aria-label={t("chat.removeFile", { name: file.name })} onClick={onRemove} />
      {!file.attachment && !file.error && (
        <progress className={classes.progress} value={file.progress} aria-label={file.name} />
      )}
    </li>
  );
}
