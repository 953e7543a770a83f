"""All open streams of this process, and who of them hears what."""

import asyncio
import signal
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from itertools import chain
from typing import Any, Final

import structlog
from prometheus_client import Counter, Gauge

from gateway.live.audience import Audience, Party, parties
from gateway.live.log import Log
from gateway.live.moments import Moments
from gateway.live.recent import Entry, Recent
from gateway.live.stream import Stream
from shared.errors import TooMany

log = structlog.get_logger(__name__)

_OPEN: Final = Gauge("live_streams", "Live streams that are open")
_HEARD: Final = Counter("live_events", "Events heard from the log, whether or not anybody listens")
_ENDED: Final = Counter("live_streams_ended", "Live streams that the gateway ended, by reason", ["reason"])

# A revoked session's stream ends within this and the time of one query.
_CHECK_SESSIONS_EVERY: Final = 2.0
_TICK: Final = 0.25

StillValid = Callable[[Collection[str]], Awaitable[Collection[str]]]


class TooManyStreams(TooMany):
    """A user has as many streams open as one user may."""

    title = "Too many streams"


class Live:
    """Live updates in this process, as long as `running` lasts.

    Args:
        still_valid: tells which of some session ids are still alive; asked every two seconds.
        ping_every: between two pings of a stream.
        keep: how far back a client that was away can catch up; the log itself keeps an hour.
        most_bytes: what may be kept for that in memory.
        most_streams_per_user: open at once on this instance; `None` for any number.
        patience: how long a client may read nothing before it is dropped.
    """

    def __init__(
        self,
        *,
        amqp_url: str,
        still_valid: StillValid,
        ping_every: timedelta = timedelta(seconds=15),
        keep: timedelta = timedelta(minutes=15),
        most_bytes: int = 128 * 1024**2,
        most_streams_per_user: int | None = 10,
        patience: timedelta = timedelta(seconds=15),
    ) -> None:
        self.patience = patience.total_seconds()
        self._amqp_url = amqp_url
        self._still_valid = still_valid
        self._ping_every = ping_every.total_seconds()
        self._keep = keep
        self._most_streams_per_user = most_streams_per_user
        self._recent = Recent(keep=keep.total_seconds(), most_bytes=most_bytes)
        self._of_user: dict[str, list[Stream]] = defaultdict(list)
        self._of_party: dict[Party, set[Stream]] = defaultdict(set)
        self._arriving: set[Stream] = set()
        self._is_closed = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the log, ping the clients, end the streams of dead sessions; all of them at SIGTERM."""
        work = (
            Log(url=self._amqp_url, keep=self._keep, listener=self).follow(),
            Moments(url=self._amqp_url, tell=self.tell).listen(),
            self._tick_forever(),
            self._check_sessions_forever(),
        )
        tasks = [asyncio.create_task(each) for each in work]
        try:
            with _at_stop_signal(self.close):
                yield
        finally:
            self.close()
            left = set(tasks)
            # Asked again: until Python 3.12 `wait_for` forgets a cancellation that comes as its work is done.
            while left:
                for task in left:
                    task.cancel()
                _, left = await asyncio.wait(left, timeout=1)
            await asyncio.gather(*tasks, return_exceptions=True)

    async def answers(self) -> None:
        """Ask whether all that is published is heard here.

        Raises:
            ConnectionError: not now.
        """
        if not self._recent.is_current:
            raise ConnectionError

    def open(self, *, session_id: str, user_id: str, organisation_id: str, cursor: str | None) -> Stream:
        """Open a stream that goes on behind the cursor; `leave` it in the end.

        A client that comes back takes the place of its user's oldest stream where no other is free: a
        connection that broke far away is often still taken for open on this side.

        Raises:
            TooManyStreams: a new client of a user who has as many as allowed.
        """
        now = asyncio.get_running_loop().time()
        streams = self._of_user.get(user_id, [])
        most = self._most_streams_per_user
        if most is not None and len(streams) >= most:
            if cursor is None:
                raise TooManyStreams(
                    f"at most {most} streams for each user; close one first",
                    retry_after=round(self._ping_every) or 1,
                )
            self._end(streams[0], reason="replaced")
        stream = Stream(
            self._recent,
            session_id=session_id,
            user_id=user_id,
            concerning=parties(organisation_id=organisation_id, user_id=user_id),
            cursor=cursor,
            now=now,
        )
        stream.ping_at += self._ping_every
        self._of_user[user_id].append(stream)
        for party in stream.concerning:
            self._of_party[party].add(stream)
        self._arriving.add(stream)
        _OPEN.inc()
        if self._is_closed:
            self._end(stream, reason="shutdown")
        return stream

    def leave(self, stream: Stream) -> None:
        """Forget a stream, whoever ended it."""
        if stream not in self._of_user.get(stream.user_id, ()):
            return
        _OPEN.dec()
        self._arriving.discard(stream)
        self._of_user[stream.user_id].remove(stream)
        if not self._of_user[stream.user_id]:
            del self._of_user[stream.user_id]
        for party in stream.concerning:
            self._of_party[party].discard(stream)
            if not self._of_party[party]:
                del self._of_party[party]

    def close(self) -> None:
        """End all streams, and each new one at once: the clients come back, to another instance."""
        self._is_closed = True
        for stream in list(self._streams()):
            self._end(stream, reason="shutdown")

    def hear(self, new: Entry) -> None:
        """Keep an entry of the log, and wake those whom it concerns."""
        now = asyncio.get_running_loop().time()
        if not self._recent.add(new, now=now):
            return
        _HEARD.inc()
        for stream in self._hearing(new.audience):
            stream.wake()
        self._wake_arriving()
        for gone in self._recent.forget(now=now):
            for stream in self._hearing(gone.audience):
                if stream.misses(gone):
                    self._end(stream, reason="too slow")

    def tell(self, audience: Audience, frame: bytes) -> None:
        """Tell those whom it concerns something that nobody keeps."""
        for stream in self._hearing(audience):
            stream.tell(frame)

    def caught_up(self, *, is_caught_up: bool) -> None:
        self._recent.is_current = is_caught_up
        if is_caught_up and not self._recent.is_complete:
            self._recent.is_complete = True
            self._wake_arriving()

    def start_over(self) -> None:
        """Forget the log, as it is another one, and have every client reload."""
        self._recent.clear()
        for stream in self._streams():
            stream.start_over()
            self._arriving.add(stream)

    def _hearing(self, audience: Audience) -> set[Stream]:
        """Name the streams whom something concerns: each once, also where it is both sides' user."""
        return set().union(*(self._of_party.get(party, ()) for party in audience))

    def _wake_arriving(self) -> None:
        for stream in self._arriving:
            stream.wake()
        self._arriving = {stream for stream in self._arriving if stream.is_arriving}

    def _streams(self) -> Iterator[Stream]:
        return chain.from_iterable(self._of_user.values())

    def _end(self, stream: Stream, *, reason: str) -> None:
        _ENDED.labels(reason).inc()
        self.leave(stream)
        stream.close()

    async def _tick_forever(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_TICK)
            now = loop.time()
            for stream in self._streams():
                if stream.ping_at <= now:
                    stream.ping_at += self._ping_every
                    stream.ping()
            self._wake_arriving()  # some wait only so long
            self._recent.forget(now=now)

    async def _check_sessions_forever(self) -> None:
        while True:
            await asyncio.sleep(_CHECK_SESSIONS_EVERY)
            session_ids = {stream.session_id for stream in self._streams()}
            if not session_ids:
                continue
            try:
                async with asyncio.timeout(_CHECK_SESSIONS_EVERY):
                    alive = await self._still_valid(session_ids)
            except Exception as error:  # noqa: BLE001 - nobody can be signed out while the database is away either
                log.warning("sessions could not be checked", cause=repr(error))
                continue
            for stream in list(self._streams()):
                if stream.session_id in session_ids and stream.session_id not in alive:
                    self._end(stream, reason="session over")


@contextmanager
def _at_stop_signal(act: Callable[[], None]) -> Iterator[None]:
    """Act on SIGTERM and SIGINT before the server does.

    The server waits for open responses before it ends the application, and a stream is one that would
    never end by itself.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    previous = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}

    def handle(number: int, interrupted: Any) -> None:
        loop.call_soon_threadsafe(act)
        before = previous[signal.Signals(number)]
        if callable(before):
            before(number, interrupted)

    ours = [each for each, handler in previous.items() if callable(handler)]
    for each in ours:
        signal.signal(each, handle)
    try:
        yield
    finally:
        for each in ours:
            if signal.getsignal(each) is handle:
                signal.signal(each, previous[each])
