"""The sums that dashboards show, kept up as messages are sent."""

import asyncio

from services.chat.store import reads
from shared.mongo import Database


class Sums:
    """Keeps the sums of organisations up; what is asked for while one step runs is done together in the next."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._asked: set[str] = set()

    async def add_up(self, db: Database, order_id: str) -> None:
        """Return when the sums hold what the thread holds now."""
        self._asked.add(order_id)
        async with self._turn:
            if order_id not in self._asked:  # the step that has just ended took it along
                return
            together, self._asked = self._asked, set()
            try:
                await reads.add_up(db, together)
            except BaseException:
                self._asked |= together
                raise
