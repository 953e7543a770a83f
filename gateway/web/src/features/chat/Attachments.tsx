import { Modal, UnstyledButton } from "@mantine/core";
import { IconDownload, IconFileSpreadsheet, IconFileText, IconFileTypePdf } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Attachment } from "@/api/schema";
import { useFormat } from "@/i18n/format";
import classes from "./Attachments.module.css";

// What every browser draws; HEIC is not among them and is shown by its thumbnail.
const DRAWN = ["image/jpeg", "image/png", "image/webp", "image/gif"];

const addressOf = ({ id }: Attachment) => `/api/v1/attachments/${encodeURIComponent(id)}`;

export function AttachmentList({ attachments }: { attachments: Attachment[] }) {
  const [shown, setShown] = useState<Attachment>();
  if (attachments.length === 0) return null;
  const images = attachments.filter(
    ({ thumbnail_url, content_type }) => thumbnail_url && content_type.startsWith("image/"),
  );
  const files = attachments.filter((attachment) => !images.includes(attachment));

  return (
    <div className={classes.attachments}>
      {images.length > 0 && (
        <div className={classes.images}>
          {images.map((image) => (
            <UnstyledButton key={image.id} className={classes.image} onClick={() => setShown(image)}>
              <img src={image.thumbnail_url ?? undefined} alt={image.filename} loading="lazy" />
            </UnstyledButton>
          ))}
        </div>
      )}
      {files.map((file) => (
        <FileLink key={file.id} file={file} />
      ))}
      {shown && <Viewer images={images} shown={shown} show={setShown} />}
    </div>
  );
}

function FileLink({ file }: { file: Attachment }) {
  const format = useFormat();
  const Icon =
    file.content_type === "application/pdf"
      ? IconFileTypePdf
      : /excel|sheet/.test(file.content_type)
        ? IconFileSpreadsheet
        : IconFileText;
  return (
    <a className={classes.file} href={addressOf(file)} target="_blank" rel="noreferrer">
      <Icon size={22} stroke={1.5} />
      <span className={classes.fileName}>{file.filename}</span>
      <span className={classes.size}>{format.size(file.size)}</span>
    </a>
  );
}

interface ViewerProps {
  images: Attachment[];
  shown: Attachment;
  show: (image: Attachment | undefined) => void;
}

function Viewer({ images, shown, show }: ViewerProps) {
  const { t } = useTranslation();
  const at = images.indexOf(shown);
  const go = (step: number) => show(images[(at + step + images.length) % images.length]);

  return (
    <Modal
      opened
      onClose={() => show(undefined)}
      size="auto"
      title={images.length > 1 ? `${shown.filename} · ${at + 1}/${images.length}` : shown.filename}
      closeButtonProps={{ "aria-label": t("actions.close") }}
      onKeyDown={(event) => {
        if (event.key === "ArrowRight") go(1);
        if (event.key === "ArrowLeft") go(-1);
      }}
    >
      <img
        className={classes.full}
        src={(DRAWN.includes(shown.content_type) ? addressOf(shown) : shown.thumbnail_url) ?? undefined}
        alt={shown.filename}
      />
      <a className={classes.download} href={addressOf(shown)} download={shown.filename}>
        <IconDownload size={16} /> {t("chat.download")}
      </a>
    </Modal>
  );
}
