# ruff: noqa: T201 - it prints what it measures
"""Measure the web pages as a phone sees them: `python -m tests.bench.page`.

The suite is started on a folder of its own and filled with the example marketplace. Chromium plays a phone of
the middle class on slow 4G, with the figures that Lighthouse uses, and opens each page with an empty cache, then
once more with what it has kept.
"""

import argparse
import asyncio
import os
import shutil
import statistics
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from playwright.async_api import Browser, BrowserContext, CDPSession, async_playwright

from deploy import demo
from deploy.local import Suite

FACTORY: Final = "ningbo-precision@factory.example"
# Bytes a second and milliseconds. Lighthouse's slow 4G: 1.6 Mbit/s down and 150 ms there and back, which are 3.75 times
# as much where each request waits for it once, instead of each of the packets that open a connection.
SLOW_4G: Final = {
    "offline": False,
    "latency": 562.5,
    "downloadThroughput": 1474.56 * 1024 / 8,
    "uploadThroughput": 675 * 1024 / 8,
}
SLOWER_PROCESSOR: Final = 4
QUIET: Final = 3_000
"""Milliseconds after the last cards are seen, in which a page may still shift or work."""

_OBSERVE: Final = """
window.found = {paint: 0, largest: 0, shifts: [], tasks: []};
const watch = (type, see) =>
    new PerformanceObserver((list) => list.getEntries().forEach(see)).observe({type, buffered: true});
watch("paint", (entry) => { if (entry.name === "first-contentful-paint") found.paint = entry.startTime; });
watch("largest-contentful-paint", (entry) => { found.largest = entry.startTime; });
watch("layout-shift", (entry) => {
    if (!entry.hadRecentInput) found.shifts.push([entry.startTime, entry.value]);
});
watch("longtask", (entry) => found.tasks.push([entry.startTime, entry.duration]));
"""

PAGES: Final = {
    "sign-in": ("/sign-in", "form button[type=submit]"),
    "dashboard": ("/", "article"),
    "order": ("/orders/{order}", "#main h1, #main h2"),
    "chat": ("/orders/{order}?chat={order}", "[role=dialog] textarea"),
}


@dataclass(kw_only=True)
class Load:
    """What one opening of a page took; milliseconds, but for the shift."""

    seen: float
    first_paint: float
    largest_paint: float
    shift: float
    blocked: float
    requests: int
    bytes_of: Counter[str] = field(default_factory=Counter)


async def load(context: BrowserContext, address: str, awaited: str) -> Load:
    """Open a page, throttled, in a tab of its own."""
    page = await context.new_page()
    await page.add_init_script(_OBSERVE)
    devtools = await context.new_cdp_session(page)
    sizes = await _counting(devtools)
    await devtools.send("Network.emulateNetworkConditions", SLOW_4G)
    await devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER_PROCESSOR})
    await page.goto(address, wait_until="commit")
    await page.locator(awaited).filter(visible=True).first.wait_for(timeout=60_000)
    seen = await page.evaluate("performance.now()")
    await page.wait_for_timeout(QUIET)
    found = await page.evaluate("found")
    await page.close()
    return Load(
        seen=seen,
        first_paint=found["paint"],
        largest_paint=found["largest"],
        shift=layout_shift(found["shifts"]),
        blocked=sum(max(0, took - 50) for at, took in found["tasks"] if at + took > found["paint"]),
        requests=sizes.pop("requests"),
        bytes_of=sizes,
    )


async def _counting(devtools: CDPSession) -> Counter[str]:
    """Count requests, and the bytes on the wire of each kind."""
    sizes: Counter[str] = Counter(requests=0)
    kinds: dict[str, str] = {}

    def begun(event: dict[str, Any]) -> None:
        kinds[event["requestId"]] = event["type"].lower()
        sizes["requests"] += not event["response"].get("fromDiskCache", False)

    def ended(event: dict[str, Any]) -> None:
        sizes[kinds.get(event["requestId"], "other")] += int(event["encodedDataLength"])

    devtools.on("Network.responseReceived", begun)
    devtools.on("Network.loadingFinished", ended)
    await devtools.send("Network.enable")
    return sizes


def layout_shift(shifts: list[tuple[float, float]]) -> float:
    """Sum the shifts of the worst five seconds at most, without a pause of more than one."""
    worst = window = 0.0
    began = last = float("-inf")
    for at, value in shifts:
        if at - last > 1_000 or at - began > 5_000:
            window, began = 0.0, at
        window, last = window + value, at
        worst = max(worst, window)
    return worst


@asynccontextmanager
async def phone(browser: Browser, address: str, *, signed_in: bool) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context(
        base_url=address,
        viewport={"width": 412, "height": 823},
        device_scale_factor=1.75,
        is_mobile=True,
        has_touch=True,
    )
    if signed_in:
        await _call(context, "POST", "/auth/login", {"email": FACTORY, "password": demo.PASSWORD})
    yield context
    await context.close()


async def _call(context: BrowserContext, method: str, path: str, body: Any = None) -> Any:
    answer = await context.request.fetch(
        f"/api/v1{path}", method=method, data=body, headers={"X-Requested-With": "millrace"}
    )
    if not answer.ok:
        raise SystemExit(f"{method} {path}: {answer.status} {await answer.text()}")
    return await answer.json()


async def measure(address: str, *, names: Sequence[str], rounds: int) -> dict[str, list[Load]]:
    found: dict[str, list[Load]] = {}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_chromium(), args=["--no-sandbox"])
        async with phone(browser, address, signed_in=True) as context:
            order = (await _call(context, "GET", "/orders?limit=1&status=shipped"))["items"][0]["id"]
        for _ in range(rounds):
            for name in names:
                path, awaited = PAGES[name]
                async with phone(browser, address, signed_in=name != "sign-in") as context:
                    for again in ("", ", again"):
                        found.setdefault(name + again, []).append(
                            await load(context, path.format(order=order), awaited)
                        )
        await browser.close()
    return found


def _chromium() -> str:
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        sys.exit("no Chromium here: `make setup` brings one")
    return path


def table(found: dict[str, list[Load]]) -> str:
    lines = [
        "| page | first paint, s | largest paint, s | shift | blocked, ms | seen, s | requests | kB: all | script | style | font | answers |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, loads in found.items():

        def middle(what: str, loads: list[Load] = loads) -> float:
            return float(statistics.median(getattr(each, what) for each in loads))

        sizes = loads[-1].bytes_of
        answers = sizes["fetch"] + sizes["xhr"]
        kilobytes = (sizes.total(), sizes["script"], sizes["stylesheet"], sizes["font"], answers)
        cells = (
            name,
            *(f"{middle(what) / 1000:.2f}" for what in ("first_paint", "largest_paint")),
            f"{middle('shift'):.3f}",
            f"{middle('blocked'):.0f}",
            f"{middle('seen') / 1000:.2f}",
            f"{middle('requests'):.0f}",
            *(f"{size / 1000:.1f}" for size in kilobytes),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=PAGES, default=list(PAGES), metavar="PAGE")
    parser.add_argument("--at", help="a running suite that holds the example, instead of one that is started")
    arguments = parser.parse_args()

    def report(address: str) -> None:
        print(table(asyncio.run(measure(address, names=arguments.only, rounds=arguments.rounds))))

    if arguments.at:
        report(arguments.at)
        return
    env = {name: value for name, value in os.environ.items() if not name.startswith("MILLRACE_")}
    with (
        TemporaryDirectory(prefix="millrace-bench-") as home,
        Suite(home=Path(home), port=0, env=env) as suite,
    ):
        asyncio.run(demo.fill(Path(home), say=lambda _: None))
        report(suite.endpoints.gateway)


if __name__ == "__main__":
    main()
