import { useCallback, useEffect, useRef, useState } from "react";
import type { Attachment } from "@/api/schema";
import { newKey, Problem } from "@/http";
import { MAX_BYTES, type Upload, upload } from "./upload";

/** A file beside the message that is being written. */
export interface Attaching {
  key: string;
  name: string;
  size: number;
  progress: number;
  attachment?: Attachment;
  error?: unknown;
}

const MOST = 10;

/** The files of a message that is being written; each is uploaded as soon as it is chosen. */
export function useUploads(orderId: string) {
  const [files, setFiles] = useState<Attaching[]>([]);
  const running = useRef(new Map<string, Upload>());

  useEffect(() => {
    const uploads = running.current;
    return () => {
      for (const { cancel } of uploads.values()) cancel();
    };
  }, []);

  const change = useCallback(
    (key: string, changes: Partial<Attaching>) =>
      setFiles((old) => old.map((file) => (file.key === key ? { ...file, ...changes } : file))),
    [],
  );

  function start(file: File) {
    const key = newKey();
    const entry: Attaching = { key, name: file.name, size: file.size, progress: 0 };
    if (file.size > MAX_BYTES) {
      setFiles((old) => [
        ...old,
        { ...entry, error: new Problem(413, { type: "/problems/attachment-too-large" }) },
      ]);
      return;
    }
    setFiles((old) => [...old, entry]);
    const sending = upload(orderId, file, (progress) => change(key, { progress }));
    running.current.set(key, sending);
    sending.done
      .then((attachment) => change(key, { attachment, progress: 1 }))
      .catch((error: unknown) => change(key, { error }))
      .finally(() => running.current.delete(key));
  }

  return {
    files,
    ready: files.flatMap(({ attachment }) => attachment ?? []),
    busy: files.some(({ attachment, error }) => !attachment && !error),
    add: (chosen: Iterable<File>) => {
      for (const file of [...chosen].slice(0, MOST - files.length)) start(file);
    },
    remove: (key: string) => {
      running.current.get(key)?.cancel();
      setFiles((old) => old.filter((file) => file.key !== key));
    },
    clear: () => setFiles([]),
    /** Puts back what belonged to a message that was refused. */
    restore: (attachments: Attachment[]) =>
      setFiles((old) => [
        ...attachments.map((attachment) => ({
          key: attachment.id,
          name: attachment.filename,
          size: attachment.size,
          progress: 1,
          attachment,
        })),
        ...old,
      ]),
  };
}
