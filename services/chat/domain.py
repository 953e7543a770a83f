"""A thread, its messages, and what their running counts say: pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from shared.api.chat import ThreadFacts
from shared.api.orders import HistoryEntry, Status
from shared.errors import Conflict, Forbidden, Invalid, NotFound, ValidationFailed
from shared.identity import Caller, Person, Side

_NAMES: Final = {
    Status.CONFIRMED: "Confirmed",
    Status.IN_PRODUCTION: "In Production",
    Status.QUALITY_CHECK: "Quality Check",
    Status.SHIPPED: "Shipped",
    Status.DELIVERED: "Delivered",
    Status.COMPLETED: "Completed",
}


Where = Literal["message", "filename"]
Scan = Literal["unscanned", "pending", "clean", "infected"]
Inside = Literal["unsearched", "waiting", "clear", "flagged", "unreadable"]
"""What is known of contact information inside a file."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What an operator may set."""

    open_after_completion: timedelta
    split_window: timedelta
    """How far back a sender's messages are read together with a new one, in search of contact information."""
    largest_file: int
    """In bytes."""
    most_pixels: int
    unsent_for: timedelta
    """How long an uploaded file waits to be sent."""
    withholds: bool
    """Whether a file with contact information inside is kept from the other side."""


@dataclass(frozen=True, kw_only=True)
class Thread:
    """An order's chat, and what chat knows of the order."""

    order_id: str
    number: str
    version: int
    """Of the order: its history up to here stands in the thread."""
    buyer_id: str
    factory_id: str
    sku: str | None
    tracking_number: str | None
    completed_at: datetime | None
    closed: tuple[str, ...]
    """Which of the two organisations the operator has closed."""

    @property
    def known(self) -> tuple[str, ...]:
        """List what looks like a number to call and is one of the order itself."""
        return tuple(text for text in (self.number, self.sku, self.tracking_number) if text)


@dataclass(frozen=True, kw_only=True)
class Tail:
    """Where a thread ends: its last `seq`, and how many of its messages each side wrote up to there."""

    seq: int = 0
    buyer: int = 0
    factory: int = 0
    said_at: datetime | None = None
    """When the last message of a person was sent."""

    def after(self, *, side: Side, at: datetime) -> "Tail":
        """Count one more message of a side."""
        if side == "buyer":
            return replace(self, seq=self.seq + 1, buyer=self.buyer + 1, said_at=at)
        return replace(self, seq=self.seq + 1, factory=self.factory + 1, said_at=at)

    def after_line(self) -> "Tail":
        """Count one more line of the system, which nobody has to read."""
        return replace(self, seq=self.seq + 1)

    def for_reader(self, side: Side) -> int:
        """Tell how many messages there are for a side to read."""
        return self.factory if side == "buyer" else self.buyer


@dataclass(frozen=True, kw_only=True)
class File:
    """An attachment as its message shows it."""

    id: str
    filename: str
    content_type: str
    size: int
    sha256: str
    has_thumbnail: bool
    scan: Scan


@dataclass(frozen=True, kw_only=True)
class Found:
    """Contact information inside a file, told without a copy of it."""

    kind: str
    rule: str
    place: str


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where in the storage an upload's bytes are.

    Without slashes: a storage that makes folders of them, as rclone does, removes one that a file has just left
    while the next is being written to it.
    """

    id: str
    order_id: str

    @property
    def key(self) -> str:
        """Name the object that holds the bytes."""
        return f"{self.order_id}.{self.id}.file"

    @property
    def thumbnail_key(self) -> str:
        return f"{self.order_id}.{self.id}.thumbnail"


@dataclass(frozen=True, kw_only=True)
class Upload(Place):
    """A file as chat keeps it: until it is sent, and as part of its message."""

    buyer_id: str
    factory_id: str
    uploaded_by: str
    file: File
    message_id: str | None
    fingerprint: str | None
    """What the request with its idempotency key was about."""
    inside: Inside
    is_withheld: bool


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message of a person, or the system's line about a step of the order (`line`)."""

    id: str
    order_id: str
    buyer_id: str
    factory_id: str
    tail: Tail
    sender: Person | None
    text: str | None
    files: tuple[File, ...]
    line: HistoryEntry | None
    sent_at: datetime

    @property
    def seq(self) -> int:
        return self.tail.seq


@dataclass(frozen=True, kw_only=True)
class Appeal:
    """How an author's objection to a refusal stands; `note` is what the moderator tells them."""

    state: Literal["waiting", "granted", "rejected"]
    note: str | None


@dataclass(frozen=True, kw_only=True)
class Block:
    """A refusal for contact information, without the text: the same one is known again by its `mark`."""

    ref: str
    order_id: str
    buyer_id: str
    factory_id: str
    user_id: str
    where: Where
    kinds: tuple[str, ...]
    rules: tuple[str, ...]
    mark: str
    appeal: Appeal | None


class BlockNotFound(NotFound):
    """Nothing of the caller's was refused under this name, or it was too long ago."""

    title = "No such refusal"

    def __init__(self) -> None:
        super().__init__("no text of yours was blocked under this name within the last 30 days")


class ThreadNotKnown(NotFound):
    """Chat knows of no such thread of the caller's; whoever knows the order may introduce it."""

    title = "No such thread"

    def __init__(self, order_id: str) -> None:
        super().__init__(f"there is no thread of an order {order_id[:100]!r} of yours")


class AttachmentNotFound(NotFound):
    """No such file, or none that the caller may fetch: which of the two is not told."""

    title = "No such attachment"

    def __init__(self) -> None:
        super().__init__("there is no such attachment of yours")


class AttachmentInfected(Invalid):
    """The scanner found something in the file."""

    title = "The file is infected"

    def __init__(self) -> None:
        super().__init__("the virus scanner found something in this file, so it is not passed on")


class AttachmentNotScanned(Conflict):
    """Nobody may fetch the file before the scanner has seen it."""

    title = "The file is not scanned yet"

    def __init__(self) -> None:
        super().__init__("the file waits for the virus scanner; try again soon", retry_after=5)


class AttachmentWithheld(Forbidden):
    """Only its uploader may fetch a file in which contact information was found."""

    title = "The file is withheld"

    def __init__(self) -> None:
        super().__init__("contact information was found in this file, so it is not passed on")


class AttachmentNotSearched(Conflict):
    """Where files with contact information are withheld, one is not passed on before it is searched."""

    title = "The file is not searched yet"

    def __init__(self) -> None:
        super().__init__(
            "the file waits to be searched for contact information; try again soon", retry_after=5
        )


class ThreadClosed(Conflict):
    """The order was completed too long ago for its thread to take anything more."""

    title = "The thread is closed"


class OrganisationClosed(Conflict):
    """One of the two organisations takes part in nothing any more."""

    title = "The organisation is closed"


def must_be_open(thread: Thread, *, now: datetime, rules: Rules) -> None:
    """Refuse to add to a thread whose time is over.

    Raises:
        ThreadClosed: the order was completed too long ago.
        OrganisationClosed: one of its organisations is.
    """
    if thread.closed:
        raise OrganisationClosed(
            "one of the two organisations is closed; the thread can still be read, but takes no more messages"
        )
    if thread.completed_at and now >= thread.completed_at + rules.open_after_completion:
        raise ThreadClosed("the order is completed; its thread can still be read, but takes no more messages")


def write(
    thread: Thread,
    *,
    message_id: str,
    tail: Tail,
    by: Caller,
    text: str | None,
    files: tuple[File, ...],
    now: datetime,
) -> Message:
    """Put a person's message at the end of a thread."""
    return Message(
        id=message_id,
        order_id=thread.order_id,
        buyer_id=thread.buyer_id,
        factory_id=thread.factory_id,
        tail=tail.after(side=by.side, at=now),
        sender=by.person,
        text=text or None,
        files=files,
        line=None,
        sent_at=now,
    )


def tell(facts: ThreadFacts, entry: HistoryEntry, *, message_id: str, tail: Tail) -> Message:
    """Put a line about a step of the order at the end of its thread."""
    return Message(
        id=message_id,
        order_id=facts.order_id,
        buyer_id=facts.buyer_id,
        factory_id=facts.factory_id,
        tail=tail.after_line(),
        sender=None,
        text=sentence(entry),
        files=(),
        line=entry,
        sent_at=entry.at,
    )


def sentence(entry: HistoryEntry) -> str:
    """Say who took a step, in English; the sentences are part of stored threads and stay as they are."""
    step = _NAMES[entry.status]
    if not isinstance(entry.by, Person):
        return f"The order moved to {step} automatically."
    if entry.status is Status.CONFIRMED:
        return f"{entry.by.name} confirmed the order."
    if entry.status is Status.DELIVERED:
        return f"{entry.by.name} confirmed receipt. The order moved to {step}."
    return f"{entry.by.name} moved the order to {step}."


def other_side(side: Side) -> Side:
    return "factory" if side == "buyer" else "buyer"


def no_such_attachment(index: int) -> ValidationFailed:
    """Refuse an attachment that is not there for this message, without telling why."""
    return ValidationFailed.at(f"/attachment_ids/{index}", "is no unsent attachment of yours in this thread")
