"""Who is typing, or looks at a thread: passed on at once, and stored nowhere."""

from datetime import datetime, timedelta
from typing import Final

from faststream.rabbit import RabbitBroker

from services.chat.store import threads
from shared import moments
from shared.api.chat import Signal
from shared.events.chat import MessageTyping
from shared.identity import Caller
from shared.mongo import Database

# A hand that types faster than this tells nothing new.
_AT_MOST_EVERY: Final = timedelta(seconds=1)
_MOST_REMEMBERED: Final = 10_000


class Signals:
    """Passes signals on, the same one of a user at most once a second."""

    def __init__(self, broker: RabbitBroker) -> None:
        self._broker = broker
        self._last: dict[tuple[str, str, str], datetime] = {}

    async def show(
        self, db: Database, *, order_id: str, signal: Signal, caller: Caller, now: datetime
    ) -> None:
        """Show the other side what the caller does in a thread.

        Raises:
            ThreadNotKnown: there is no such thread of the caller's.
        """
        thread = await threads.get_thread(db, order_id, caller=caller)
        key = (order_id, caller.user_id, signal.state)
        if now - self._last.get(key, datetime.min.replace(tzinfo=now.tzinfo)) < _AT_MOST_EVERY:
            return
        if len(self._last) >= _MOST_REMEMBERED:
            self._last.clear()
        self._last[key] = now
        shown = MessageTyping(
            order_id=order_id,
            buyer_id=thread.buyer_id,
            factory_id=thread.factory_id,
            user_id=caller.user_id,
            name=caller.name,
            side=caller.side,
            state=signal.state,
        )
        await moments.tell(self._broker, shown, now=now)
