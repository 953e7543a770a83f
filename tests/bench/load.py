"""Load in a closed loop or at a steady rate, and what it measures."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

Call = Callable[[], Awaitable[None]]
NextCall = Callable[[], Call | None]


@dataclass(frozen=True, kw_only=True)
class Timed:
    """How long calls took, and how long all of them together."""

    seconds: list[float]
    within: float

    @property
    def rate(self) -> float:
        return len(self.seconds) / self.within

    @property
    def p50(self) -> float:
        """In milliseconds, as `p99`."""
        return statistics.median(self.seconds) * 1000

    @property
    def p99(self) -> float:
        return percentile(self.seconds, 99) * 1000


def percentile(values: list[float], percent: int) -> float:
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


async def closed_loop(next_call: NextCall, *, seconds: float, workers: int = 16) -> Timed:
    """Have so many callers each wait for an answer and call again, until the time or the calls are over."""
    taken: list[float] = []
    began = time.perf_counter()

    async def work() -> None:
        while time.perf_counter() < began + seconds and (call := next_call()):
            asked = time.perf_counter()
            await call()
            taken.append(time.perf_counter() - asked)

    await asyncio.gather(*(work() for _ in range(workers)))
    return Timed(seconds=taken, within=time.perf_counter() - began)


async def at_a_rate(next_call: NextCall, *, rate: float, seconds: float) -> Timed:
    """Make calls at fixed instants, whether or not those before are answered."""
    taken: list[float] = []
    running: list[asyncio.Task[None]] = []
    began = time.perf_counter()

    async def one(call: Call) -> None:
        asked = time.perf_counter()
        await call()
        taken.append(time.perf_counter() - asked)

    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0, began + number / rate - time.perf_counter()))
        if call := next_call():
            running.append(asyncio.create_task(one(call)))
    await asyncio.gather(*running)
    return Timed(seconds=taken, within=time.perf_counter() - began)
