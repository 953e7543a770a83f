"""Whether what people wait for grows with what is stored: the same calls on 10^4, 10^5 and 10^6 orders."""

from collections.abc import Callable
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


async def measure(out: Path, *, say: Callable[[str], None], sizes: tuple[int, ...] = SIZES) -> None:
    found: dict[int, dict[str, float]] = {}
    for orders in sizes:
        # The share of each factory stays what it is, as there are as many more of them.
        size = Size(
            orders=orders, messages=orders * 4, organisations=max(100, orders // 20), rounds=3, seconds=3
        )
        async with set_up(size, say=say) as stage:
            found[orders] = {name: await _milliseconds(stage, path) for name, path in CALLS.items()}
        say(f"{orders} orders: " + ", ".join(f"{name} {took:.1f} ms" for name, took in found[orders].items()))
    rows = [
        Row(
            name=f"{name}: {orders:,} orders against {sizes[0]:,}",
            unit="ms",
            suite=[found[orders][name]],
            reference=[found[sizes[0]][name]],
            goal=GOAL,
            better="less",
        )
        for orders in sizes[1:]
        for name in CALLS
    ]
    print(report.table(rows))  # noqa: T201
    report.write(
        out, name="growth", title="Growth", rows=rows, costs={}, facts={"data": "four messages an order"}
    )


async def _milliseconds(stage: Stage, path: str) -> float:
    """Give the median of a call that nothing else disturbs."""
    factories = {person.organisation_id: person for person in stage.data.big}
    orders = [order for order in stage.data.orders if order.factory.organisation_id in factories][:500]
    calls = cycle(
        calling(stage.http, "GET", stage.api + path.format(order=order.id), headers=order.factory.headers)
        for order in orders
    )
    await closed_loop(lambda: next(calls), seconds=1, workers=1)
    return median(
        [
            (await closed_loop(lambda: next(calls), seconds=stage.size.seconds, workers=1)).p50
            for _ in range(stage.size.rounds)
        ]
    )
