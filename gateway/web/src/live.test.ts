import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type LiveEvent, LiveStream } from "./live";

/** Stands in for the browser's own, which nothing here can connect. */
class Source extends EventTarget {
  static readonly CLOSED = 2;
  static opened: Source[] = [];
  readyState = 1;
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;

  constructor(readonly url: string) {
    super();
    Source.opened.push(this);
  }

  tell(type: string, data: object = {}, lastEventId = "") {
    this.dispatchEvent(new MessageEvent(type, { data: JSON.stringify(data), lastEventId }));
  }

  fail({ forGood }: { forGood: boolean }) {
    this.readyState = forGood ? 2 : 0;
    this.onerror?.();
  }

  close() {
    this.readyState = 2;
  }
}

const newest = () => Source.opened.at(-1) as Source;
const onGap = vi.fn();
const onError = vi.fn();
let heard: LiveEvent[];
let stream: LiveStream;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("EventSource", Source);
  Source.opened = [];
  heard = [];
  onGap.mockReset();
  onError.mockReset();
  stream = new LiveStream((event) => heard.push(event), onGap, onError);
  stream.start();
});

afterEach(() => {
  stream.stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("is live once the gateway says so, and hands on what comes", () => {
  expect(stream.state).toBe("connecting");

  newest().tell("ready");
  newest().tell("order.created.v1", { id: "e1", type: "order.created.v1", data: {} }, "7");

  expect(stream.state).toBe("live");
  expect(heard.map(({ id }) => id)).toEqual(["e1"]);
  expect(onGap).not.toHaveBeenCalled();
});

test("a short break that the browser mends by itself, with a place to go on from, is no gap", () => {
  newest().tell("ready");
  newest().tell("order.created.v1", { id: "e1" }, "7");

  newest().fail({ forGood: false });
  expect(stream.state).toBe("lost");
  newest().tell("ready");

  expect(stream.state).toBe("live");
  expect(onGap).not.toHaveBeenCalled();
});

test("without a place to go on from, a break is a gap", () => {
  newest().tell("ready");

  newest().fail({ forGood: false });
  newest().tell("ready");

  expect(onGap).toHaveBeenCalledOnce();
});

test("where the browser gives up, a new stream is opened, later each time", () => {
  for (const pause of [1250, 2500, 5000]) {
    const before = Source.opened.length;
    newest().fail({ forGood: true });
    expect(Source.opened).toHaveLength(before);
    vi.advanceTimersByTime(pause);
    expect(Source.opened).toHaveLength(before + 1);
  }

  newest().tell("ready");

  expect(stream.state).toBe("live");
  expect(onGap).toHaveBeenCalledOnce();
});

test("each failure is told, also while the line is lost already", () => {
  newest().tell("ready");
  newest().fail({ forGood: false });
  expect(onError).toHaveBeenCalledTimes(1);

  newest().fail({ forGood: true });

  expect(onError).toHaveBeenCalledTimes(2);
});

test("a line that has fallen silent is opened anew, one with pings is not", () => {
  newest().tell("ready");
  vi.advanceTimersByTime(30_000);
  newest().tell("ping");
  vi.advanceTimersByTime(30_000);
  expect(Source.opened).toHaveLength(1);

  vi.advanceTimersByTime(6000);

  expect(Source.opened).toHaveLength(2);
  expect(stream.state).toBe("lost");
});

test("the network coming back is not waited for", () => {
  newest().tell("ready");
  window.dispatchEvent(new Event("offline"));
  expect(stream.state).toBe("lost");

  window.dispatchEvent(new Event("online"));
  newest().tell("ready");

  expect(Source.opened).toHaveLength(2);
  expect(onGap).toHaveBeenCalledOnce();
});

test("what the gateway could not replay is a gap", () => {
  newest().tell("ready");

  newest().tell("resync");

  expect(onGap).toHaveBeenCalledOnce();
});

test("a stopped stream opens no other", () => {
  newest().fail({ forGood: true });
  stream.stop();

  vi.advanceTimersByTime(60_000);

  expect(Source.opened).toHaveLength(1);
});
