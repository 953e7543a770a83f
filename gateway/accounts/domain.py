"""People, organisations, sessions and invitations: their rules, pure."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from typing import Final

from shared.api.accounts import OrganisationChanges
from shared.api.text import Language
from shared.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from shared.events.accounts import MemberChanged, OrganisationChanged
from shared.identity import Caller, Role, Side

SESSION_LIFETIME: Final = timedelta(days=14)
INVITATION_LIFETIME: Final = timedelta(days=7)
# Stands where an address would: for people whom an identity provider names without one, and those removed.
NO_EMAIL: Final = "none:"


class EmailTaken(Conflict):
    """Somebody is registered with this address."""

    title = "E-mail address taken"


class WrongCredentials(Unauthenticated):
    """Wrong e-mail and wrong password are not told apart."""

    title = "Wrong e-mail or password"

    def __init__(self) -> None:
        super().__init__("the e-mail address or the password is wrong")


class InvitationNotUsable(Invalid):
    """The token is unknown, used, too old, or meant for another address: which of them is not told."""

    title = "Invitation not usable"

    def __init__(self) -> None:
        super().__init__(
            "this invitation does not exist, was used, is too old or is for another e-mail address",
            errors=[{"pointer": "/invitation", "detail": "is not usable"}],
        )


class InvitationNotFound(NotFound):
    title = "No such invitation"


class LogoNotFound(NotFound):
    title = "The organisation has no logo"


class MemberNotFound(NotFound):
    title = "No such member"


class OrganisationNotFound(NotFound):
    title = "No such organisation"


class OwnerNeeded(Forbidden):
    """Owners manage their organisation; and an organisation keeps at least one."""

    title = "Only an owner may do this"

    @classmethod
    def slug(cls) -> str:
        return "role-not-sufficient"


class LastOwner(Conflict):
    """An organisation keeps at least one owner."""

    title = "The last owner stays"


@dataclass(frozen=True, kw_only=True)
class Organisation:
    id: str
    version: int
    name: str
    kind: Side
    country: str | None
    time_zone: str
    language: Language
    address: str | None
    logo: str | None
    """Names the picture: another one has another name."""
    created_at: datetime
    closed: bool = False
    """By the operator; its people still read what is theirs."""

    @property
    def logo_url(self) -> str | None:
        return f"/api/v1/organisations/{self.id}/logo?version={self.logo}" if self.logo else None


@dataclass(frozen=True, kw_only=True)
class User:
    id: str
    version: int
    email: str
    password_hash: str
    display_name: str
    organisation_id: str
    role: Role
    created_at: datetime

    @property
    def address(self) -> str:
        """Give the e-mail address, or nothing where none is known."""
        return "" if self.email.startswith(NO_EMAIL) else self.email


@dataclass(frozen=True, kw_only=True)
class Invitation:
    id: str
    organisation_id: str
    role: Role
    email: str | None
    expires_at: datetime
    used_by: str | None

    def must_serve(self, *, email: str, now: datetime) -> None:
        """Refuse a second use, a late one, and another address.

        Raises:
            InvitationNotUsable: it does not serve.
        """
        if self.used_by or now >= self.expires_at or (self.email and self.email != email):
            raise InvitationNotUsable


@dataclass(frozen=True, kw_only=True)
class Session:
    """What a token stands for; `id` is the token's digest."""

    id: str
    caller: Caller


def caller_of(user: User, organisation: Organisation) -> Caller:
    return Caller(
        user_id=user.id,
        name=user.display_name,
        role=user.role,
        organisation_id=organisation.id,
        organisation_name=organisation.name,
        side=organisation.kind,
    )


def must_own(caller: Caller, organisation_id: str) -> None:
    """Let only owners manage an organisation, and hide every other organisation's affairs.

    Raises:
        OrganisationNotFound: it is another one's.
        OwnerNeeded: the caller is no owner.
    """
    must_belong(caller, organisation_id)
    if caller.role != "owner":
        raise OwnerNeeded("ask an owner of your organisation")


def must_belong(caller: Caller, organisation_id: str) -> None:
    """Hide another organisation's affairs.

    Raises:
        OrganisationNotFound: it is another one's.
    """
    if caller.organisation_id != organisation_id:
        raise OrganisationNotFound(f"there is no organisation {organisation_id[:100]!r} of yours")


def changed(organisation: Organisation, changes: OrganisationChanges) -> Organisation:
    given = {
        name: value for name in changes.model_fields_set if (value := getattr(changes, name)) is not None
    }
    return replace(organisation, version=organisation.version + 1, **given)


def told(organisation: Organisation) -> OrganisationChanged:
    """Write the event that tells of an organisation as it is now."""
    return OrganisationChanged(
        organisation_id=organisation.id,
        version=organisation.version,
        name=organisation.name,
        kind=organisation.kind,
        country=organisation.country,
        time_zone=organisation.time_zone,
        language=organisation.language,
        closed=organisation.closed,
    )


def told_member(user: User, *, removed: bool = False) -> MemberChanged:
    """Write the event that tells of a member as it is now."""
    return MemberChanged(
        user_id=user.id,
        organisation_id=user.organisation_id,
        version=user.version,
        display_name=user.display_name,
        email=user.address,
        role=user.role,
        joined_at=user.created_at,
        removed=removed,
    )


def time_zone_of(country: str | None) -> str:
    """Give a country's time zone if it has just one, else UTC; by the list in the IANA data."""
    return _single_zones().get(country or "", "UTC")


@cache
def _single_zones() -> dict[str, str]:
    table = (resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text("utf-8")
    rows = [line.split("\t") for line in table.splitlines() if line and not line.startswith("#")]
    zones = Counter(row[0] for row in rows)
    # China keeps one time from Shanghai to Urumqi; the second entry is a custom, not the law.
    return {row[0]: row[2] for row in rows if zones[row[0]] == 1} | {"CN": "Asia/Shanghai"}
