import { UnstyledButton } from "@mantine/core";
import { IconFileSpreadsheet, IconFileText, IconFileTypePdf } from "@tabler/icons-react";
import type { Attachment } from "@/api/schema";
import { useFormat } from "@/i18n/format";
import classes from "./Attachments.module.css";
import { addressOf, useShowPictures } from "./Viewer";

export function AttachmentList({ attachments }: { attachments: Attachment[] }) {
  const show = useShowPictures();
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
            <UnstyledButton key={image.id} className={classes.image} onClick={() => show({ images, image })}>
              <img src={image.thumbnail_url ?? undefined} alt={image.filename} loading="lazy" />
            </UnstyledButton>
          ))}
        </div>
      )}
      {files.map((file) => (
        <FileLink key={file.id} file={file} />
      ))}
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
