import { InfiniteQueryObserver, QueryClient } from "@tanstack/react-query";
import { waitFor } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import type { Message } from "@/api/schema";
import { keys } from "@/features/keys";
import { markReadByOtherSide, messagesOf, receiveMessage, type Thread } from "./cache";

const ORDER = "o1";
const message = (seq: number, side: "buyer" | "factory" = "buyer") =>
  ({ id: `m${seq}`, seq, sender: { side, user_id: side }, read_by_other_side: false }) as Message;

function threadOf(...pages: Message[][]) {
  const client = new QueryClient();
  const thread = { pages: pages.map((items) => ({ items })), pageParams: pages.map(() => null) };
  client.setQueryData(keys.messages(ORDER), thread);
  return client;
}

const shown = (client: QueryClient) =>
  messagesOf(client.getQueryData<Thread>(keys.messages(ORDER))).map(({ seq }) => seq);

test("a message comes after the newest, whatever older pages are loaded", () => {
  const client = threadOf([message(3), message(4)], [message(1), message(2)]);

  receiveMessage(client, ORDER, message(5));

  expect(shown(client)).toEqual([1, 2, 3, 4, 5]);
});

test("a message that comes twice, by the answer and by the stream, is shown once", () => {
  const client = threadOf([message(1)]);

  receiveMessage(client, ORDER, message(2));
  receiveMessage(client, ORDER, message(2));

  expect(shown(client)).toEqual([1, 2]);
});

/** A thread that lies open, and how often it was read; the answers come one after the other. */
function openThread(client: QueryClient, answers: Message[][]) {
  const read = vi.fn(async () => ({ items: answers.shift() ?? [] }));
  const options = { queryKey: keys.messages(ORDER), queryFn: read, initialPageParam: null };
  const thread = new InfiniteQueryObserver(client, { ...options, getNextPageParam: () => null });
  thread.subscribe(() => undefined);
  return read;
}

test("after a gap the thread is read again", async () => {
  const client = new QueryClient();
  openThread(client, [[message(1)], [message(1), message(2), message(3)]]);
  await waitFor(() => expect(shown(client)).toEqual([1]));

  receiveMessage(client, ORDER, message(3));

  await waitFor(() => expect(shown(client)).toEqual([1, 2, 3]));
});

test("a message that comes while the thread is being read is not lost to the older answer", async () => {
  const client = new QueryClient();
  const read = openThread(client, [[message(1)], [message(1), message(2)]]);

  receiveMessage(client, ORDER, message(2));

  await waitFor(() => expect(shown(client)).toEqual([1, 2]));
  expect(read).toHaveBeenCalledTimes(2);
});

test("what the other side has read is marked, on our messages alone", () => {
  const client = threadOf([message(1, "factory"), message(2, "buyer"), message(3, "buyer")]);

  markReadByOtherSide(client, ORDER, "buyer", 2);

  const read = messagesOf(client.getQueryData<Thread>(keys.messages(ORDER)));
  expect(read.map(({ read_by_other_side }) => read_by_other_side)).toEqual([false, true, false]);
});
