"""Chat as clients send and see it."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from shared.api.orders import Frozen, HistoryEntry, Status, SystemActor
from shared.api.text import Id, Paragraphs, Verbatim
from shared.events.base import Instant
from shared.identity import Person, Side

MAX_TEXT = 4000
MAX_ATTACHMENTS = 10
MAX_SEQ = 10**9

# How chat tells the gateway where the bytes of an answer lie; clients never see it.
OBJECT_LINK = "X-Millrace-Object"
OBJECT_RANGE = "X-Millrace-Object-Range"
OBJECT_LENGTH = "X-Millrace-Object-Length"


class Attachment(Frozen):
    id: str
    filename: str
    content_type: str
    size: int = Field(description="bytes, of what is stored and given out")
    sha256: str = Field(description="hex, of what is stored and given out")
    thumbnail_url: str | None = None
    scan: Literal["unscanned", "pending", "clean", "infected"] = "unscanned"


class Sender(Frozen):
    user_id: str | None = Field(description="`null` for the system's lines")
    name: str | None
    side: Side | Literal["system"]


class StatusLine(Frozen):
    """What a system line tells, for clients that put it into their own words."""

    status: Status
    by: Person | SystemActor
    note: str | None = None


class Message(Frozen):
    id: str
    seq: int = Field(description="1, 2, 3 … within the thread, without gaps")
    sender: Sender
    text: str | None
    attachments: list[Attachment]
    sent_at: Instant
    read_by_other_side: bool
    system: StatusLine | None = Field(default=None, description="on the system's lines only")


class Messages(Frozen):
    """A page of a thread, oldest first."""

    items: list[Message]
    next_cursor: str | None = Field(
        description="continues in the direction asked for: a value for `after` where `after` was given, else for "
        "`before`; `cursor` takes it in both cases"
    )


class MessageQuery(Frozen):
    """Which part of a thread; without `before`, `after` and `cursor` its newest page."""

    before: int | None = Field(default=None, ge=1, le=MAX_SEQ, description="only messages with a lower `seq`")
    after: int | None = Field(default=None, ge=0, le=MAX_SEQ, description="only messages with a higher `seq`")
    q: str | None = Field(default=None, max_length=200, description="only messages with these words")
    limit: int = Field(default=20, ge=1, le=100)
    cursor: str | None = Field(default=None, max_length=20)


class NewMessage(Frozen):
    text: Annotated[Verbatim, Field(max_length=MAX_TEXT)] | None = None
    attachment_ids: Annotated[tuple[Id, ...], Field(max_length=MAX_ATTACHMENTS)] = ()

    @model_validator(mode="after")
    def _says_something(self) -> "NewMessage":
        if not (self.text and self.text.strip()) and not self.attachment_ids:
            raise ValueError("a message needs a text or an attachment")
        return self


class NewAppeal(Frozen):
    """What the author hands in for the moderator to read; without an appeal, nothing of a blocked text is kept."""

    text: Annotated[Verbatim, Field(max_length=MAX_TEXT)] | None = Field(
        default=None, description="the text or file name that was blocked"
    )
    explanation: Annotated[Paragraphs, Field(max_length=1000)] | None = None


class Appeal(Frozen):
    ref: str
    state: Literal["waiting", "granted", "rejected"] = Field(
        description="`granted`: the same text can be sent in this thread by its author for 30 days"
    )
    note: str | None = Field(description="what the moderator says to it")


class Signal(Frozen):
    """What the other side may see of a user who has the thread before them; nobody keeps it."""

    state: Literal["typing", "here", "away"] = "typing"


class ReadUpTo(Frozen):
    up_to: Annotated[int, Field(strict=True, ge=0)]


class Unread(Frozen):
    unread: int


class ThreadFacts(Frozen):
    """What chat needs to know of an order: from its events, or from the gateway where those are still on their way."""

    order_id: str
    number: str
    version: int
    buyer_id: str
    factory_id: str
    status: Status
    sku: str | None
    tracking_number: str | None
    history: list[HistoryEntry]


class SummariesOf(Frozen):
    order_ids: Annotated[list[Id], Field(max_length=100)]
    with_total: bool = Field(default=True, description="whether `unread_total` is wanted")


class ThreadSummary(Frozen):
    """What a card shows of a thread, for one user."""

    order_id: str
    unread: int
    last_message_at: Instant | None


class Summaries(Frozen):
    items: list[ThreadSummary]
    unread_total: int | None = Field(description="over all threads of the user's organisation, if wanted")
