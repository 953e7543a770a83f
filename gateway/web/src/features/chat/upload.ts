import type { Attachment } from "@/api/schema";
import { CSRF, Problem } from "@/http";

export const MAX_BYTES = 20 * 1024 * 1024;
export const ACCEPT = ".jpg,.jpeg,.png,.webp,.gif,.heic,.heif,.pdf,.doc,.docx,.xls,.xlsx";

export interface Upload {
  done: Promise<Attachment>;
  cancel: () => void;
}

/** Sends a file, telling how far it is: from 0 to 1. By XMLHttpRequest, as `fetch` tells nothing of an upload. */
export function upload(orderId: string, file: File, onProgress: (share: number) => void): Upload {
  const request = new XMLHttpRequest();
  const done = new Promise<Attachment>((resolve, reject) => {
    request.upload.onprogress = ({ loaded, total }) => onProgress(total ? loaded / total : 0);
    request.onload = () => {
      if (request.status < 300) resolve(request.response as Attachment);
      else reject(new Problem(request.status, request.response ?? {}));
    };
    request.onerror = () => reject(new Problem(0));
    request.open("POST", `/api/v1/orders/${encodeURIComponent(orderId)}/attachments`);
    request.responseType = "json";
    for (const [name, value] of Object.entries(CSRF)) request.setRequestHeader(name, value);
    const form = new FormData();
    form.append("file", file);
    request.send(form);
  });
  return { done, cancel: () => request.abort() };
}
