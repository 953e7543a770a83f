import { useSyncExternalStore } from "react";

/** An event of the gateway's live stream (CloudEvents 1.0). */
export interface LiveEvent<Data = Record<string, unknown>> {
  id: string;
  type: string;
  subject?: string;
  data: Data;
}

export type LiveState = "connecting" | "live" | "lost";
export type OnEvent = (event: LiveEvent) => void;

const TYPES = [
  "order.created.v1",
  "order.status_changed.v1",
  "order.updated.v1",
  "order.overdue.v1",
  "message.sent.v1",
  "message.read.v1",
  "message.typing.v1",
  "review.submitted.v1",
  "notification.created.v1",
];
// The gateway pings every 15 s: two missed ones mean that the line is dead, whatever the socket thinks.
const SILENCE = 35_000;
const MAX_PAUSE = 15_000;

/**
 * Keeps the live stream open as long as the tab lives.
 *
 * The browser itself reconnects after a short break and is replayed what it missed. Where it gives up (an
 * error status, a silent line) a new stream is opened, and `onGap` says that events may have been missed.
 * `onError` is called for each connection that ends or fails: why, the browser does not tell.
 */
export class LiveStream {
  state: LiveState = "connecting";
  private source: EventSource | undefined;
  private watchdog: ReturnType<typeof setTimeout> | undefined;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  /** Without the id of an event the browser cannot ask for what it missed. */
  private hasCursor = false;
  private readonly listeners = new Set<() => void>();

  constructor(
    private readonly onEvent: OnEvent,
    private readonly onGap: () => void,
    private readonly onError: () => void,
    private readonly url = "/api/v1/stream",
  ) {}

  start(): void {
    window.addEventListener("online", this.reopen);
    window.addEventListener("offline", this.lose);
    this.open();
  }

  stop(): void {
    window.removeEventListener("online", this.reopen);
    window.removeEventListener("offline", this.lose);
    this.close();
  }

  subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  private open(): void {
    const source = new EventSource(this.url);
    this.source = source;
    source.addEventListener("ready", () => {
      if (this.failures > 0 || (this.state === "lost" && !this.hasCursor)) this.onGap();
      this.failures = 0;
      this.become("live");
    });
    source.addEventListener("resync", this.onGap);
    source.addEventListener("ping", this.hear);
    for (const type of TYPES) {
      source.addEventListener(type, (message) => {
        this.hear();
        this.hasCursor ||= message.lastEventId !== "";
        this.onEvent(JSON.parse(message.data));
      });
    }
    source.onopen = this.hear;
    source.onerror = () => {
      this.become("lost");
      this.onError();
      if (source.readyState === EventSource.CLOSED) this.reopenLater();
    };
    this.hear();
  }

  private close(): void {
    this.source?.close();
    clearTimeout(this.watchdog);
    clearTimeout(this.retry);
  }

  private hear = () => {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(this.reopen, SILENCE);
  };

  private lose = () => this.become("lost");

  private reopen = () => {
    this.become("lost");
    this.close();
    this.failures += 1;
    this.hasCursor = false;
    this.open();
  };

  private reopenLater(): void {
    const pause = Math.min(MAX_PAUSE, 1000 * 2 ** this.failures) * (0.75 + Math.random() / 2);
    this.close();
    this.retry = setTimeout(this.reopen, pause);
  }

  private become(state: LiveState): void {
    if (this.state === state) return;
    this.state = state;
    for (const listener of this.listeners) listener();
  }
}

export function useLiveState(stream: LiveStream): LiveState {
  return useSyncExternalStore(stream.subscribe, () => stream.state);
}
