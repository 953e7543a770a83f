"""Events as they should not be: a seeded stream of them, from one that is right."""

import json
from collections.abc import Iterator
from copy import deepcopy
from random import Random
from typing import Any

HOSTILE: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**31,
    2**63,
    -(2**70),
    1e308,
    1e-320,
    "",
    " ",
    "x" * 5000,
    "\u0000",
    "line\nbreak\r\n{}",
    "\u202e\u200b",
    "𝟘",
    "$where",
    {"$gt": ""},
    "../../etc/passwd",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999-23:59",
    "2026-13-45",
    "NaN",
    [],
    {},
    [[[[[]]]]],
    ["x"] * 300,
)


def mutated(right: dict[str, Any], *, seed: int, count: int) -> Iterator[bytes]:
    """Give bodies that differ from a right event in its bytes, its members or its envelope."""
    random = Random(seed)  # noqa: S311 - to be repeated, not to be secret
    for _ in range(count):
        kind = random.randrange(10)
        if kind == 0:
            yield _bytes(right, random)
        elif kind == 1:
            yield _nonsense(random)
        else:
            event = json.loads(json.dumps(right))
            for _ in range(random.choice((1, 1, 1, 2, 5))):
                _change(event, random)
            yield json.dumps(event).encode()


def _bytes(right: dict[str, Any], random: Random) -> bytes:
    body = bytearray(json.dumps(right).encode())
    if random.random() < 0.5:
        return bytes(body[: random.randrange(len(body))])
    for _ in range(random.randrange(1, 8)):
        body[random.randrange(len(body))] = random.randrange(256)
    return bytes(body)


def _nonsense(random: Random) -> bytes:
    return random.choice(
        (
            b"",
            b"null",
            b"[]",
            b'"text"',
            b"1" * 5000,
            b"[" * 100_000,
            b'{"a":' * 50_000,
            b"\xff\xfe\x00",
            b'{"data": NaN}',
            b'{"id": "\\ud800"}',
            random.randbytes(200),
        )
    )


def _change(event: dict[str, Any], random: Random) -> None:
    holder, key = random.choice(list(_places(event)))
    if random.random() < 0.2:
        del holder[key]
    elif random.random() < 0.1 and isinstance(holder, dict):
        holder[random.choice(("$set", "_id", "outbox", "extra.field", ""))] = _hostile(random)
    else:
        holder[key] = _hostile(random)


def _hostile(random: Random) -> Any:
    # A copy, as the next change may go into it: else the value grows from event to event, and into itself.
    return deepcopy(random.choice(HOSTILE))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    keys = list(value) if isinstance(value, dict) else range(len(value))
    for key in keys:
        yield value, key
        if isinstance(value[key], dict | list):
            yield from _places(value[key])
