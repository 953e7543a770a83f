# ruff: noqa: T201 - it prints what it measures
"""Measure the contact guard on one core: `python -m tests.bench.contact_guard`.

The time of a usual message (the shared examples), how it grows with the length, and how far the worst text
of 4,000 characters is from the median one. Fails if the median of a message is over 100 µs, the 99th percentile over 500 µs, or a text of 4,000
characters takes over 50 times the median one.
"""

import json
import random
import statistics
import sys
import time
from pathlib import Path

from shared.contact_guard import check

EXAMPLES = Path(__file__).parent.parent / "contact_guard" / "data" / "shared" / "messages.jsonl"
LENGTH = 4000
REPEATS = 7
MEDIAN_BAR = 100e-6
TAIL_BAR = 500e-6
WORST_BAR = 50
PIECES = [
    *("a", "1", "1-", "1 ", "@", ".", ",", " ", "-", "_", "(", ")", "+", "#", "\n", "\u200b", "é", "а", "ａ"),
    *(
        "www ",
        "www.",
        "https://",
        "example.com ",
        "a@b.com ",
        "a . com ",
        "dot com ",
        "at ",
        "a at b dot com ",
    ),
    *(
        "whatsapp ",
        "wechat:",
        "line ",
        "add me ",
        "search a_b ",
        "微",
        "微信",
        "一",
        "号",
        "①",
        "0️⃣",
        "٠",
        "공일",
    ),
    *(
        "one ",
        "double oh ",
        "twenty ",
        "then 1 ",
        "1,111",
        "1.1 ",
        "2024-01-01 ",
        "12345-1234 ",
        "202-555-0143 ",
    ),
    *("backwards ", "w w w ", "x x ", "lot 1 ", "call 1 ", "zerosevenzero", "de12 3456 ", "1z9 ", "l1 "),
]


def seconds(text: str, repeats: int = 1) -> float:
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        check(text)
        best = min(best, time.process_time() - start)
    return best


def messages() -> list[str]:
    return [json.loads(line)["text"] for line in EXAMPLES.read_text("utf-8").splitlines()]


def main() -> int:
    chance = random.Random(20241118)  # noqa: S311 - the same texts every time
    examples = messages()
    for message in examples:
        check(message)
    usual = sorted(seconds(message, REPEATS) for message in examples)
    median, tail = statistics.median(usual), usual[len(usual) * 99 // 100]
    print(f"a usual message: median {median * 1e6:.0f} µs, 99th percentile {tail * 1e6:.0f} µs")

    talk = [" ".join(chance.choices(examples, k=80)) for _ in range(15)]
    # The same talk again and again: a longer one says more kinds of things, each of which is looked into.
    for times in (1, 2, 4, 8):
        length = LENGTH // 8 * times
        took = statistics.median(seconds((text[: LENGTH // 8] + "\n") * times, REPEATS) for text in talk)
        print(f"{length} characters: {took * 1e3:.2f} ms, {took / length * 1e6:.2f} µs a character")
    ordinary = statistics.median(seconds(text[:LENGTH], REPEATS) for text in talk)
    worst, unit = 0.0, ""
    units = [*PIECES, *("".join(chance.choices(PIECES, k=chance.randint(2, 4))) for _ in range(500))]
    for candidate in units:
        took = seconds((candidate * LENGTH)[:LENGTH])
        if took > worst:
            worst, unit = took, candidate
    worst = min(worst, seconds((unit * LENGTH)[:LENGTH], REPEATS))
    print(
        f"{LENGTH} characters of any talk: median {ordinary * 1e3:.2f} ms, worst {worst * 1e3:.1f} ms ({worst / ordinary:.1f} times) for {unit!r}"
    )
    return int(median > MEDIAN_BAR or tail > TAIL_BAR or worst > WORST_BAR * ordinary)


if __name__ == "__main__":
    sys.exit(main())
