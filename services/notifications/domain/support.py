"""A user's question to the operator."""

from dataclasses import dataclass
from datetime import datetime

from shared.identity import Side

# Without letters and digits that look alike, as people read references out on the phone.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_LENGTH = 8


@dataclass(frozen=True, kw_only=True)
class SupportRequest:
    id: str
    key: str
    """Names the call that made it: its repeat makes no second one."""
    reference: str
    user_id: str
    user_name: str
    organisation_id: str
    organisation_name: str
    side: Side
    subject: str
    message: str
    order_id: str | None
    order_number: str | None
    created_at: datetime

    @property
    def mail_key(self) -> str:
        return f"support:{self.id}"


@dataclass(frozen=True, kw_only=True)
class PageVotes:
    page: str
    helpful: int
    not_helpful: int


@dataclass(frozen=True, kw_only=True)
class Comment:
    page: str
    helpful: bool
    comment: str
    side: Side
    at: datetime


def reference(random: bytes) -> str:
    """Make a reference such as `SR-7KQ4-M2XA`."""
    letters = "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in random[:_LENGTH])
    return f"SR-{letters[:4]}-{letters[4:]}"
