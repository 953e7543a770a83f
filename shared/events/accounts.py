"""Events of the gateway's accounts, for the services that show names or tell people something."""

from typing import ClassVar

from shared.api.text import Language
from shared.events.base import Fact, Instant
from shared.identity import Role, Side


class OrganisationChanged(Fact):
    """An organisation was registered or its public record changed; carries the whole record."""

    type: ClassVar[str] = "organisation.changed.v1"
    source: ClassVar[str] = "/gateway"

    organisation_id: str
    version: int
    name: str
    kind: Side
    country: str | None
    time_zone: str
    """IANA name; the organisation's deadlines are calendar dates in it."""
    closed: bool = False
    """It takes part in nothing any more: its chats can be read, and nobody writes into them."""
    language: Language = "en"
    """In which its members read, unless they choose another."""

    @property
    def subject(self) -> str:
        return self.organisation_id


class MemberChanged(Fact):
    """A user joined an organisation, left it, or changed role or name; carries the whole record."""

    type: ClassVar[str] = "member.changed.v1"
    source: ClassVar[str] = "/gateway"

    user_id: str
    organisation_id: str
    version: int
    display_name: str
    email: str
    """Empty where none is known."""
    role: Role
    joined_at: Instant
    removed: bool = False

    @property
    def subject(self) -> str:
        return self.user_id
