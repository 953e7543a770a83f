import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, renderHook, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { useDraft } from "./draft";
import { useOutbox } from "./outbox";

const ORDER = "o1";
const sent: { key: string | null; text: string }[] = [];
let answers: (() => Response)[];

const json = (status: number, body: object) =>
  new Response(JSON.stringify(body), {
    status,
    headers: { "Content-Type": status < 400 ? "application/json" : "application/problem+json" },
  });
const taken = () => json(201, { id: "m1", seq: 1, sender: { side: "buyer" }, text: "Hello" });
const blocked = () =>
  json(422, {
    type: "/problems/contact-info-blocked",
    findings: [{ kind: "email", start: 0, end: 5 }],
  });
const lost = () => {
  throw new TypeError("Failed to fetch");
};

beforeEach(() => {
  sent.length = 0;
  vi.stubGlobal("fetch", async (request: Request) => {
    const { text } = await request.clone().json();
    sent.push({ key: request.headers.get("Idempotency-Key"), text });
    return (answers.shift() ?? taken)();
  });
});

afterEach(() => {
  vi.unstubAllGlobals();
  sessionStorage.clear();
});

function anOutbox() {
  const client = new QueryClient();
  const wrapper = ({ children }: { children: ReactNode }) => (
    <QueryClientProvider client={client}>{children}</QueryClientProvider>
  );
  return () => renderHook(() => useOutbox(ORDER), { wrapper });
}

const never = { onBlocked: () => undefined };

test("a message waits in sight until the gateway has taken it", async () => {
  answers = [taken];
  const { result } = anOutbox()();

  act(() => result.current.send("Hello", [], never));

  await waitFor(() => expect(sent).toHaveLength(1));
  await waitFor(() => expect(result.current.waiting).toEqual([]));
});

test("a try after a lost answer has the same key, so that it is one message", async () => {
  answers = [lost, taken];
  const { result } = anOutbox()();
  act(() => result.current.send("Hello", [], never));
  await waitFor(() => expect(result.current.waiting[0]?.error).toBeTruthy());

  act(() => result.current.waiting[0] && result.current.retry(result.current.waiting[0]));

  await waitFor(() => expect(result.current.waiting).toEqual([]));
  expect(sent.map(({ text }) => text)).toEqual(["Hello", "Hello"]);
  expect(sent[0]?.key).toBeTruthy();
  expect(sent[1]?.key).toBe(sent[0]?.key);
});

test("a try after a refusal has a new key, as the old one is refused for good", async () => {
  answers = [() => json(429, { type: "/problems/too-many-requests" }), taken];
  const { result } = anOutbox()();
  act(() => result.current.send("Hello", [], never));
  await waitFor(() => expect(result.current.waiting[0]?.error).toBeTruthy());

  act(() => result.current.waiting[0] && result.current.retry(result.current.waiting[0]));

  await waitFor(() => expect(result.current.waiting).toEqual([]));
  expect(sent[1]?.key).not.toBe(sent[0]?.key);
});

test("what failed while the chat was closed is there when it opens again", async () => {
  answers = [lost];
  const open = anOutbox();
  const first = open();
  act(() => first.result.current.send("Hello", [], never));
  first.unmount();

  const second = open();

  await waitFor(() => expect(second.result.current.waiting).toMatchObject([{ text: "Hello" }]));
  act(
    () => second.result.current.waiting[0] && second.result.current.discard(second.result.current.waiting[0]),
  );
  await waitFor(() => expect(second.result.current.waiting).toEqual([]));
});

test("a blocked text goes back to its writer, and is not among those that wait", async () => {
  answers = [blocked];
  const onBlocked = vi.fn();
  const { result } = anOutbox()();

  act(() => result.current.send("a@b.c", [], { onBlocked }));

  await waitFor(() => expect(onBlocked).toHaveBeenCalledOnce());
  expect(result.current.waiting).toEqual([]);
  expect(result.current.blocked?.text).toBe("a@b.c");
});

test("a draft outlives the closed chat, and a text refused meanwhile does not replace it", () => {
  const first = renderHook(() => useDraft(ORDER));
  act(() => first.result.current[1](() => "Half a sen"));
  first.unmount();

  const second = renderHook(() => useDraft(ORDER, "refused"));
  expect(second.result.current[0]).toBe("Half a sen");
  act(() => second.result.current[1](() => ""));
  second.unmount();

  expect(renderHook(() => useDraft(ORDER, "refused")).result.current[0]).toBe("refused");
});
