"""One client's live stream: what it has been told, and what to tell it next."""

import asyncio
from typing import Final, Literal

from gateway.live.audience import Audience
from gateway.live.recent import Entry, Recent, frame

# How far another instance may be ahead of this one, which hears the log as well, when a client comes over from it.
_LAG: Final = 2.0
_COMMENT: Final = b":\n\n"
# More of them than this is nothing that a client who reads slowly has to know.
_MOST_MOMENTS: Final = 20


class Stream:
    """Read it by `next` until that gives `None`.

    It holds no queue of its own: what is missed is read from the recent entries, all of it when the
    client arrives and the newest when `wake` says so. Replay and live flow are therefore one and the same.
    """

    __slots__ = (
        "_cursor",
        "_greeting",
        "_is_pinged",
        "_lag_ends",
        "_moments",
        "_position",
        "_recent",
        "_waiter",
        "concerning",
        "is_closed",
        "ping_at",
        "session_id",
        "user_id",
    )

    def __init__(
        self,
        recent: Recent,
        *,
        session_id: str,
        user_id: str,
        concerning: Audience,
        cursor: str | None,
        now: float,
    ) -> None:
        self.session_id = session_id
        self.user_id = user_id
        self.concerning = concerning
        self.ping_at = now
        self._recent = recent
        self._cursor = cursor
        self._lag_ends = now + _LAG
        self._greeting: Literal["ready", "resync"] | None = "ready"
        self._position = -1
        self._is_pinged = False
        self._moments: tuple[bytes, ...] = ()
        self.is_closed = False
        self._waiter: asyncio.Future[None] | None = None

    @property
    def is_arriving(self) -> bool:
        """Tell whether the client waits to hear where it stands."""
        return self._greeting is not None

    async def next(self) -> list[bytes] | None:
        """Wait for something to send; `None` when the stream is over."""
        loop = asyncio.get_running_loop()
        while not self.is_closed:
            if frames := self._take(now=loop.time()):
                return frames
            self._waiter = loop.create_future()
            await self._waiter
        return None

    def wake(self) -> None:
        """Look again whether there is something to send."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def tell(self, moment: bytes) -> None:
        """Send something that is no part of the log, or never: it has no cursor, and is not told again."""
        if not self.is_arriving and len(self._moments) < _MOST_MOMENTS:
            self._moments = (*self._moments, moment)
            self.wake()

    def ping(self) -> None:
        self._is_pinged = True
        self.wake()

    def close(self) -> None:
        self.is_closed = True
        self.wake()

    def start_over(self) -> None:
        """Have the client reload: what it missed can no longer be told."""
        if self._greeting is None:
            self._greeting = "resync"

    def misses(self, entry: Entry) -> bool:
        """Tell whether an entry that concerns this stream has not been taken from the recent ones yet."""
        return self._greeting is None and self._position < entry.offset

    def _take(self, *, now: float) -> list[bytes]:
        frames = self._greet(now=now) if self.is_arriving else []
        last = self._recent.last
        if last is None or self.is_arriving:
            if self._is_pinged:
                frames.append(_COMMENT)
        else:
            frames += [
                entry.frame for entry in self._recent.after(self._position, concerning=self.concerning)
            ]
            self._position = last.offset
            frames += self._moments
            self._moments = ()
            if self._is_pinged:
                frames.append(frame("ping", cursor=last.cursor))
        self._is_pinged = False
        return frames

    def _greet(self, *, now: float) -> list[bytes]:
        """Say from where on the client hears everything, as soon as that is known."""
        last = self._recent.last
        if last is None or not self._recent.is_complete:
            self._lag_ends = now + _LAG
            return []
        if self._greeting == "resync":
            self._greeting = None
            self._position = last.offset
            return [frame("resync", cursor=last.cursor)]
        known = self._recent.find(self._cursor) if self._cursor else last
        if known is None and self._recent.is_behind(self._cursor or ""):
            if not self._recent.is_current:
                self._lag_ends = now + _LAG
            if now < self._lag_ends:
                return []
        self._greeting = None
        if known is None:
            self._position = last.offset
            # Without an id: a client that hears no more than this comes back with its old cursor.
            return [frame("ready"), frame("resync", cursor=last.cursor)]
        self._position = known.offset
        return [frame("ready", cursor=known.cursor)]
