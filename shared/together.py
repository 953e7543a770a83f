"""Let what is asked for at the same time be done together.

A command to the database costs several times what one document more in it does. So who asks while a command
runs waits for the next one, which is for all who wait; where nothing runs, nobody waits.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Sequence
from contextvars import Context, copy_context
from typing import Final, Generic, TypeVar
from weakref import WeakValueDictionary

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

# So many items that none waits long for the others; their documents stay far below what one command may hold.
MOST: Final = 100


class Together(Generic[ItemT, ResultT]):
    """Call it with an item, and get the result of that item alone.

    Args:
        work: gives one result for each item, in their order; an exception among them is raised for its item.
            What it raises itself is raised for all of them.
    """

    def __init__(self, work: Callable[[list[ItemT]], Awaitable[Sequence[ResultT | BaseException]]]) -> None:
        self._work = work
        self._waiting: list[tuple[ItemT, asyncio.Future[ResultT]]] = []
        self._running: asyncio.Task[None] | None = None

    async def __call__(self, item: ItemT) -> ResultT:
        result: asyncio.Future[ResultT] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, result))
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return await result

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                await self._take(batch)
        finally:
            self._running = None

    async def _take(self, batch: "list[tuple[ItemT, asyncio.Future[ResultT]]]") -> None:
        results: Sequence[ResultT | BaseException]
        try:
            results = await self._work([item for item, _ in batch])
        except asyncio.CancelledError:  # of something within; nobody cancels those who asked
            results = [TimeoutError("given up")] * len(batch)
        except Exception as error:  # noqa: BLE001 - it is raised where the work was asked for
            results = [error] * len(batch)
        for (_, waiting), result in zip(batch, results, strict=True):
            if waiting.done():  # whoever asked has gone
                continue
            if isinstance(result, BaseException):
                waiting.set_exception(result)
            else:
                waiting.set_result(result)


# In the name of the request that wants it.
_Search = tuple[Callable[[], Coroutine[None, None, ResultT]], Context]


async def _find_once(wanted: list[_Search[ResultT]]) -> list[ResultT]:
    find, context = wanted[0]
    return [await asyncio.create_task(find(), context=context)] * len(wanted)


class OneAnswer(Generic[ResultT]):
    """Give those who ask the same at the same time one answer, which is begun after all of them have asked.

    So nobody gets what was true only before he asked, as he would from a cache or by joining what is under way.
    """

    def __init__(self) -> None:
        # One that nobody waits for any more is gone by itself.
        self._asked = WeakValueDictionary[Hashable, Together[_Search[ResultT], ResultT]]()

    async def __call__(
        self, question: Hashable, find: Callable[[], Coroutine[None, None, ResultT]]
    ) -> ResultT:
        """Find the answer, or wait for it.

        Args:
            question: the same only where everybody may have the same answer.
        """
        together = self._asked.setdefault(question, Together(_find_once))
        return await together((find, copy_context()))
