import createClient from "openapi-fetch";
import type { paths } from "@/api/schema";

export interface Finding {
  kind: "email" | "phone" | "messenger" | "url" | "social";
  /** Offsets in code points; `end` is exclusive. */
  start: number;
  end: number;
}

interface Members {
  type?: string;
  detail?: string;
  errors?: { pointer: string; detail: string }[];
  findings?: Finding[];
  /** Names a refusal that can be appealed against. */
  ref?: string;
  retry_after?: number;
}

/** A refusal of the gateway (RFC 9457), or no answer at all (`offline`, status 0). */
export class Problem extends Error {
  readonly slug: string;

  constructor(
    readonly status: number,
    readonly members: Members = {},
  ) {
    super(members.detail ?? "");
    this.slug = members.type?.replace("/problems/", "") ?? (status === 0 ? "offline" : "unknown");
  }

  /** What is wrong with one field, such as `/deadline`. */
  at(pointer: string): string | undefined {
    return this.members.errors?.find((error) => error.pointer === pointer)?.detail;
  }
}

export const CSRF = { "X-Requested-With": "millrace" };

export const api = createClient<paths>({ headers: CSRF, fetch: (request) => globalThis.fetch(request) });

/** Gives the body of a good answer and throws a `Problem` for any other. */
export async function answerOf<T>(
  call: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<T> {
  let result: { data?: T; error?: unknown; response: Response };
  try {
    result = await call;
  } catch {
    throw new Problem(0);
  }
  if (result.response.ok) return result.data as T;
  const members = typeof result.error === "object" && result.error !== null ? result.error : {};
  throw new Problem(result.response.status, members);
}

/** A name that nothing else has. Not `crypto.randomUUID`, which a page has only over HTTPS or on its own machine. */
export const newKey = () =>
  Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16).padStart(8, "0")).join(
    "",
  );

/** The header that lets a creating call be repeated without a second effect. */
export const onceBy = (key: string) => ({ "Idempotency-Key": key });
