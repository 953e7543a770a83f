# ruff: noqa: T201 - it prints what it measures
"""Measure the whole suite beside its references: `make bench`, or `python -m tests.bench --quick`."""

import argparse
import asyncio
import os
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench import delivery, growth, reads, report, rest, writes
from tests.bench.report import Row
from tests.bench.stage import Cost, Size, Stage, set_up
from tests.suites import keep_to_own_ports

RESULTS = Path(__file__).parents[2] / "docs" / "benchmarks"

SCENARIOS: dict[str, Callable[[Stage], Awaitable[list[Row]]]] = {
    # First, so that what a stream takes of memory is not what others have left.
    "streams": rest.idle_streams,
    "dashboard": reads.dashboard,
    "unchanged": reads.unchanged_dashboard,
    "list": reads.order_list,
    "profile": reads.profile,
    "step": writes.status_step,
    "delivery": delivery.delivery,
    "sending": writes.sending,
    "reading": writes.reading,
    "events": rest.events,
    "files": rest.files,
    "guard": rest.guard,
    "rest": rest.at_rest,
}


def say(line: str) -> None:
    print(line, flush=True)


@dataclass(kw_only=True)
class Found:
    rows: list[Row] = field(default_factory=list)
    costs: dict[str, Cost] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


async def run(size: Size, names: Sequence[str]) -> Found:
    found = Found()
    async with set_up(size, say=say) as stage:
        for name in names:
            began = time.perf_counter()
            try:
                rows = await SCENARIOS[name](stage)
            except Exception:  # noqa: BLE001 - the others are worth having all the same
                say(f"{name} failed: {traceback.format_exc()}")
                found.failed.append(name)
                continue
            say(f"{name} took {time.perf_counter() - began:.0f} s")
            for row in rows:
                ratio = f", ratio {row.measured:.2f}" if row.ratios else ""
                say(f"  {row.name}: {row.suite} {row.unit}{ratio}")
            found.rows += rows
        found.costs = stage.costs
    return found


def facts_of(size: Size, *, load: float) -> dict[str, Any]:
    return {
        "data": f"{size.orders:,} orders, {size.messages:,} messages, {size.organisations} organisations",
        "rounds": f"{size.rounds}, each phase {size.seconds:g} s",
        "load of the machine before": f"{load:.1f}; with more than a little, ratios suffer as well",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=int, default=10_000, help="orders to load; twenty messages for each")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4, help="of each phase of a closed loop")
    parser.add_argument("--quick", action="store_true", help="a short smoke run, written nowhere")
    parser.add_argument(
        "--growth",
        nargs="*",
        type=int,
        metavar="ORDERS",
        help="the same calls on so many orders each, 10^4, 10^5 and 10^6 unless told otherwise; takes an hour",
    )
    parser.add_argument("--only", nargs="+", choices=SCENARIOS, default=list(SCENARIOS), metavar="SCENARIO")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    if arguments.growth is not None:
        asyncio.run(growth.measure(arguments.out, say=say, sizes=arguments.growth or growth.SIZES))
        return
    size = Size(
        orders=arguments.scale,
        messages=arguments.scale * 20,
        organisations=500,
        rounds=arguments.rounds,
        seconds=arguments.seconds,
    )
    if arguments.quick:
        size = Size(orders=400, messages=4000, organisations=60, rounds=1, seconds=1)
    keep_to_own_ports()
    load, _, _ = os.getloadavg()
    found = asyncio.run(run(size, arguments.only))
    print(report.table(found.rows))
    if found.costs:
        print(report.costs_table(found.costs))
    if not arguments.quick:
        report.write(
            arguments.out,
            name="results",
            title="Results",
            rows=found.rows,
            costs=found.costs,
            facts=facts_of(size, load=load),
        )
    if found.failed:
        sys.exit(f"failed: {', '.join(found.failed)}")


if __name__ == "__main__":
    main()
