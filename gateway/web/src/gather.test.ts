import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Gather } from "./gather";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("what comes in together is one call, equal items once", async () => {
  const work = vi.fn(async () => undefined);
  const gather = new Gather<string[]>(work, 400);
  for (const item of [["a"], ["b"], ["a"]]) gather.add(item);

  await vi.advanceTimersByTimeAsync(400);

  expect(work.mock.calls).toEqual([[[["a"], ["b"]]]]);
});

test("in a steady flow each call ends before the next begins, and nothing is left out", async () => {
  let running = 0;
  const seen: number[] = [];
  const gather = new Gather<number>(async (items) => {
    running += 1;
    expect(running).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    seen.push(...items);
    running -= 1;
  }, 400);

  for (let count = 0; count < 50; count += 1) {
    gather.add(count);
    await vi.advanceTimersByTimeAsync(100);
  }
  await vi.advanceTimersByTimeAsync(4000);

  expect(seen).toEqual([...Array(50).keys()]);
});

test("a call without end holds up the others only so long", async () => {
  const work = vi.fn(() => new Promise(() => undefined));
  const gather = new Gather<string>(work, 400, 10_000);
  gather.add("a");
  await vi.advanceTimersByTimeAsync(400);
  gather.add("b");

  await vi.advanceTimersByTimeAsync(10_400);

  expect(work.mock.calls).toEqual([[["a"]], [["b"]]]);
});

test("after its stop nothing more is done", async () => {
  const work = vi.fn(async () => undefined);
  const gather = new Gather<string>(work, 400);
  gather.add("a");
  gather.stop();
  gather.add("b");

  await vi.advanceTimersByTimeAsync(1000);

  expect(work).not.toHaveBeenCalled();
});
