"""Events that the chat service publishes."""

from typing import ClassVar, Literal

from shared.api.chat import Attachment, Message
from shared.events.base import Fact
from shared.identity import Side


class _ChatFact(Fact):
    source: ClassVar[str] = "/services/chat"

    order_id: str
    buyer_id: str
    factory_id: str

    @property
    def subject(self) -> str:
        return self.order_id


class MessageSent(_ChatFact):
    """A message, or a system line about a status change, stands in an order's thread."""

    type: ClassVar[str] = "message.sent.v1"

    message: Message

    @property
    def sequence(self) -> int:
        return self.message.seq


class MessageRead(_ChatFact):
    """A user has read a thread up to a message; never goes backwards."""

    type: ClassVar[str] = "message.read.v1"

    user_id: str
    side: Side
    up_to: int
    """The `seq` of the last message read."""

    @property
    def sequence(self) -> int:
        return self.up_to


class MessageBlocked(Fact):
    """A text was refused because it holds contact information; carries no copy of the text."""

    type: ClassVar[str] = "message.blocked.v1"
    source: ClassVar[str] = "/services/chat"

    order_id: str | None
    """`null`, as the two organisations: of a name, which is part of no order."""
    buyer_id: str | None
    factory_id: str | None
    user_id: str | None
    """`null`: somebody who was about to register."""
    where: Literal["message", "filename", "note", "review", "reply", "display_name", "organisation_name"]
    kinds: list[str]
    """Of the findings: `email`, `phone`, `messenger`, `url`, `social`."""
    rules: list[str]

    @property
    def subject(self) -> str | None:
        return self.order_id


class AttachmentStored(_ChatFact):
    """An uploaded file is stored whole; it is not yet part of a message."""

    type: ClassVar[str] = "attachment.stored.v1"

    user_id: str
    attachment: Attachment


class AttachmentFlagged(_ChatFact):
    """Contact information was found inside a stored file; carries no copy of it. For moderators alone."""

    type: ClassVar[str] = "attachment.flagged.v1"

    user_id: str
    """Who uploaded it."""
    attachment_id: str
    kinds: list[str]
    """Of the findings: `email`, `phone`, `messenger`, `url`, `social`."""
    rules: list[str]
    withheld: bool
    """Nobody but the uploader can fetch it."""


class AppealSubmitted(_ChatFact):
    """A user says that a text of theirs was refused by mistake; carries no copy of the text. For moderators alone."""

    type: ClassVar[str] = "appeal.submitted.v1"

    user_id: str
    ref: str
    """Of the refusal."""
    where: Literal["message", "filename"]
    kinds: list[str]
    rules: list[str]


class MessageTyping(_ChatFact):
    """A user is writing in a thread, looks at it, or has left it; true for some seconds, and kept by nobody."""

    type: ClassVar[str] = "message.typing.v1"

    user_id: str
    name: str
    side: Side
    state: Literal["typing", "here", "away"]
