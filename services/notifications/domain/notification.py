"""A notification: which fact, for whom, and whether it was read."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.api.notifications import Kind
from shared.identity import Role, Side


@dataclass(frozen=True, kw_only=True)
class Notification:
    """Kept without words: `wording` finds those in the reader's language."""

    id: str
    key: str
    user_id: str
    organisation_id: str
    side: Side | None
    """On which its reader is; `None` where it is about no order."""
    kind: Kind
    order_id: str | None
    facts: dict[str, Any]
    count: int
    opened_by: int | None = None
    """The message that made it unread, where it stands for messages."""
    created_at: datetime
    read_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Member:
    name: str
    email: str
    organisation_id: str


@dataclass(frozen=True, kw_only=True)
class Recipient:
    user_id: str
    organisation_id: str
    role: Role
