"""The suite and its reference in turn, A B A B, under the same load."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp

from tests.bench.load import Call, NextCall, Timed, closed_loop
from tests.bench.report import Row
from tests.bench.stage import Stage

WARM_UP = 0.5


def calling(
    http: aiohttp.ClientSession,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: Any = None,
    status: int = 200,
) -> Call:
    async def call() -> None:
        async with http.request(method, url, json=body, headers=headers) as response:
            answer = await response.read()
            assert response.status == status, (url, response.status, answer[:300])

    return call


async def in_turn(
    stage: Stage,
    *,
    ours: NextCall,
    theirs: NextCall | None,
    costs: str | None = None,
    between: Callable[[], Awaitable[object]] | None = None,
) -> tuple[list[Timed], list[Timed]]:
    """Load both, each for its time, in every round; note under `costs` what a call of ours costs."""
    found: tuple[list[Timed], list[Timed]] = ([], [])
    for _ in range(stage.size.rounds):
        for next_call, into in zip((ours, theirs), found, strict=True):
            if next_call is None:
                continue
            await closed_loop(next_call, seconds=WARM_UP)
            if next_call is ours and costs:
                async with stage.costing(costs) as calls:
                    timed = await closed_loop(next_call, seconds=stage.size.seconds)
                    calls.append(len(timed.seconds))
            else:
                timed = await closed_loop(next_call, seconds=stage.size.seconds)
            into.append(timed)
            if between:
                await between()
    return found


def rates(
    name: str, ours: list[Timed], theirs: list[Timed], *, goal: float | None = None, against: str = ""
) -> Row:
    return Row(
        name=name,
        unit="a second",
        suite=[timed.rate for timed in ours],
        reference=[timed.rate for timed in theirs],
        goal=goal,
        against=against,
    )


def slowest(name: str, ours: list[Timed], theirs: list[Timed], *, goal: float | None = None) -> Row:
    """Compare the 99th percentiles."""
    return Row(
        name=f"{name}, p99",
        unit="ms",
        suite=[timed.p99 for timed in ours],
        reference=[timed.p99 for timed in theirs],
        goal=goal,
        better="less",
    )
