"""Waiting for something to come true: the only sleep in the tests."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(
    predicate: Callable[[], T | Awaitable[T]], *, within: float = 30, every: float = 0.02
) -> T:
    """Call it until it answers something true, and answer that.

    While time is left an `AssertionError` counts as "not yet", so that a predicate may assert its
    expectations; the last one is raised in the end.
    """
    give_up_at = time.monotonic() + within
    while True:
        failure = None
        try:
            result = predicate()
            if inspect.isawaitable(result):
                result = await result
            if result:
                return result
        except AssertionError as error:
            failure = error
        if time.monotonic() > give_up_at:
            raise failure or AssertionError(
                f"still {result!r} after {within} s: {inspect.getsource(predicate)}"
            )
        await asyncio.sleep(every)
