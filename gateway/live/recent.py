"""The recent events in memory: what replay and the live flow are both read from."""

import re
import zlib
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from gateway.live.audience import Audience, Party, audience

_CURSOR: Final = re.compile(r"([0-9]{1,19})-[0-9a-f]{8}")


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """An event at its place in the log, written as the stream sends it."""

    offset: int
    event_id: str
    audience: Audience
    frame: bytes

    @property
    def cursor(self) -> str:
        """Name this place to clients.

        The offset alone would also fit the log of another broker; the checksum tells them apart.
        """
        return f"{self.offset}-{zlib.crc32(self.event_id.encode()):08x}"


def entry(*, offset: int, event: dict[str, Any], body: bytes) -> Entry:
    """Make an entry of an event and of the bytes that it was published as.

    Raises:
        KeyError, TypeError: it is no CloudEvent.
    """
    made = Entry(offset, str(event["id"]), audience(event), b"")
    if not made.audience:
        return made
    return Entry(
        offset, made.event_id, made.audience, frame(str(event["type"]), data=body, cursor=made.cursor)
    )


def frame(event: str, *, data: bytes = b"{}", cursor: str | None = None) -> bytes:
    """Write a server-sent event."""
    lines = [b"event: " + event.encode()]
    if cursor is not None:
        lines.append(b"id: " + cursor.encode())
    lines += [b"data: " + line for line in data.splitlines()]
    return b"\n".join(lines) + b"\n\n"


def _offset(cursor: str) -> int:
    written = _CURSOR.fullmatch(cursor)
    return int(written[1]) if written else -1


class Recent:
    """The newest entries of the log, as old as `keep` seconds and as large as `most_bytes` together.

    The last one stays however old it is: its cursor says "nothing missed".
    """

    def __init__(self, *, keep: float, most_bytes: int) -> None:
        self._keep = keep
        self._most_bytes = most_bytes
        self.is_current = False
        """Whether the log is being heard, so that what others know is here in a moment."""
        self.clear()

    def clear(self) -> None:
        self._entries: deque[tuple[float, Entry]] = deque()
        self._by_offset: dict[int, Entry] = {}
        self._event_ids: set[str] = set()
        self._by_party: defaultdict[Party, deque[Entry]] = defaultdict(deque)
        self._bytes = 0
        self.is_complete = False
        """Whether the log has been heard up to its end once, so that what is not here is nowhere."""

    @property
    def last(self) -> Entry | None:
        return self._entries[-1][1] if self._entries else None

    def find(self, cursor: str) -> Entry | None:
        """Find the entry that a cursor names; `None` when it is too old, of another log, or no cursor."""
        found = self._by_offset.get(_offset(cursor))
        return found if found and found.cursor == cursor else None

    def is_behind(self, cursor: str) -> bool:
        """Tell whether a cursor may name an entry that is still to come, known to another instance already."""
        return self.last is not None and self.last.offset < _offset(cursor)

    def add(self, new: Entry, *, now: float) -> bool:
        """Add an entry behind the last one; `False` if its event is here already, published twice."""
        if new.event_id in self._event_ids:
            return False
        self._entries.append((now, new))
        self._by_offset[new.offset] = new
        self._event_ids.add(new.event_id)
        for party in new.audience:
            self._by_party[party].append(new)
        self._bytes += len(new.frame)
        return True

    def forget(self, *, now: float) -> list[Entry]:
        """Let go of what is too old or too much, and give it."""
        gone = []
        while len(self._entries) > 1 and (
            self._entries[0][0] < now - self._keep or self._bytes > self._most_bytes
        ):
            _, oldest = self._entries.popleft()
            del self._by_offset[oldest.offset]
            self._event_ids.discard(oldest.event_id)
            self._bytes -= len(oldest.frame)
            for party in oldest.audience:
                of_party = self._by_party[party]
                of_party.popleft()
                if not of_party:
                    del self._by_party[party]
            gone.append(oldest)
        return gone

    def after(self, offset: int, *, concerning: Iterable[Party]) -> list[Entry]:
        """List what came after an offset and concerns one of the parties, in order."""
        found: dict[int, Entry] = {}
        for party in concerning:
            for candidate in reversed(self._by_party.get(party, ())):
                if candidate.offset <= offset:
                    break
                found[candidate.offset] = candidate
        return [found[offset] for offset in sorted(found)]
