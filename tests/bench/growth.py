"""Whether what people wait for grows with what is stored: the same calls on 10^4, 10^5 and 10^6 orders."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from statistics import median

from tests.bench import report
from tests.bench.comparing import calling
from tests.bench.load import closed_loop
from tests.bench.report import Row
from tests.bench.stage import Size, Stage, set_up

SIZES = (10_000, 100_000, 1_000_000)
GOAL = 1.2
CALLS = {
    "dashboard, 20 cards": "/dashboard?limit=20",
    "order list": "/orders?limit=20",
    "order list, by update": "/orders?sort=-updated",
    "order list with search": "/orders?q=lot%201&state=active",
    "messages, the newest page": "/orders/{order}/messages?limit=20",
    "messages, a page before": "/orders/{order}/messages?before=15&limit=10",
}


@dataclass(frozen=True, kw_only=True)
class Took:
    milliseconds: float
    looked_at: float
    """Index keys and documents, in all databases; it does not depend on what else the machine does."""


async def measure(out: Path, *, say: Callable[[str], None], sizes: Sequence[int]) -> None:
    found: dict[int, dict[str, Took]] = {}
    for orders in sizes:
        # The share of each factory stays what it is, as there are as many more of them.
        size = Size(
            orders=orders, messages=orders * 4, organisations=max(100, orders // 20), rounds=3, seconds=3
        )
        async with set_up(size, say=say) as stage:
            found[orders] = {name: await _one_by_one(stage, path) for name, path in CALLS.items()}
        for name, took in found[orders].items():
            say(f"  {name}: {took.milliseconds:.1f} ms, {took.looked_at:.0f} keys and documents")
    rows = [
        Row(
            name=f"{name}: {orders:,} orders against {sizes[0]:,}{', keys and documents' * (unit == 'looked at')}",
            unit=unit,
            suite=[_value(found[orders][name], unit)],
            reference=[_value(found[sizes[0]][name], unit)],
            goal=GOAL,
            better="less",
        )
        for orders in sizes[1:]
        for name in CALLS
        for unit in ("ms", "looked at")
    ]
    print(report.table(rows))  # noqa: T201
    report.write(
        out, name="growth", title="Growth", rows=rows, costs={}, facts={"data": "four messages an order"}
    )


def _value(took: Took, unit: str) -> float:
    return took.milliseconds if unit == "ms" else took.looked_at


async def _one_by_one(stage: Stage, path: str) -> Took:
    """Make a call again and again, with nothing beside it; give the median."""
    factories = {person.organisation_id for person in stage.data.big}
    orders = [order for order in stage.data.orders if order.factory.organisation_id in factories][:500]
    calls = cycle(
        calling(stage.http, "GET", stage.api + path.format(order=order.id), headers=order.factory.headers)
        for order in orders
    )
    await closed_loop(lambda: next(calls), seconds=1, workers=1)
    looked_at = _looked_at(stage)
    rounds = [
        await closed_loop(lambda: next(calls), seconds=stage.size.seconds, workers=1)
        for _ in range(stage.size.rounds)
    ]
    made = sum(len(timed.seconds) for timed in rounds)
    return Took(
        milliseconds=median(timed.p50 for timed in rounds), looked_at=(_looked_at(stage) - looked_at) / made
    )


def _looked_at(stage: Stage) -> int:
    counters = stage.mongo.admin.command("serverStatus")["metrics"]["queryExecutor"]
    return int(counters["scanned"]) + int(counters["scannedObjects"])
