import { Modal } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { createContext, useContext } from "react";
import { useTranslation } from "react-i18next";
import type { Attachment } from "@/api/schema";
import { useFocusBack } from "@/ui/useFocusBack";
import classes from "./Attachments.module.css";

/** The pictures of one message, and the one of them that is looked at. */
export interface Pictures {
  images: Attachment[];
  image: Attachment;
}

// What every browser draws; HEIC is not among them and is shown by its thumbnail.
const DRAWN = ["image/jpeg", "image/png", "image/webp", "image/gif"];

export const addressOf = ({ id }: Attachment) => `/api/v1/attachments/${encodeURIComponent(id)}`;

const ShowPictures = createContext<(pictures: Pictures) => void>(() => undefined);
export const ShowPicturesProvider = ShowPictures.Provider;
export const useShowPictures = () => useContext(ShowPictures);

interface ViewerProps extends Pictures {
  show: (pictures: Pictures | undefined) => void;
}

export function Viewer({ images, image, show }: ViewerProps) {
  const { t } = useTranslation();
  useFocusBack();
  const at = images.indexOf(image);
  const go = (step: number) =>
    show({ images, image: images[(at + step + images.length) % images.length] ?? image });

  return (
    <Modal
      opened
      onClose={() => show(undefined)}
      size="auto"
      title={images.length > 1 ? `${image.filename} · ${at + 1}/${images.length}` : image.filename}
      closeButtonProps={{ "aria-label": t("actions.close") }}
      onKeyDown={(event) => {
        if (event.key === "ArrowRight") go(1);
        if (event.key === "ArrowLeft") go(-1);
      }}
    >
      <img
        className={classes.full}
        src={(DRAWN.includes(image.content_type) ? addressOf(image) : image.thumbnail_url) ?? undefined}
        alt={image.filename}
      />
      <a className={classes.download} href={addressOf(image)} download={image.filename}>
        <IconDownload size={16} /> {t("chat.download")}
      </a>
    </Modal>
  );
}
