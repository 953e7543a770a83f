"""People and organisations as clients send and see them."""

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import email_validator
from pydantic import AfterValidator, Field, SecretStr, model_validator

from shared.api.orders import Frozen
from shared.api.text import Language, Line, Paragraphs
from shared.events.base import Instant
from shared.identity import Role, Side

# An operator may well run a company network on `.local` or `.internal`; only the form matters here.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()


def _email(value: str) -> str:
    try:
        return email_validator.validate_email(value, check_deliverability=False).normalized.lower()
    except email_validator.EmailNotValidError as error:
        raise ValueError(str(error)) from error


def _country(value: str) -> str:
    if len(value) != 2 or not (value.isascii() and value.isalpha() and value.isupper()):  # noqa: PLR2004
        raise ValueError('must be an ISO 3166 code of two capital letters such as "CN"')
    return value


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError('must be an IANA name such as "Asia/Shanghai"') from error
    return value


Email = Annotated[str, Field(max_length=254), AfterValidator(_email)]
Password = Annotated[SecretStr, Field(min_length=10, max_length=256)]
Name = Annotated[Line, Field(min_length=1, max_length=100)]
Country = Annotated[str, AfterValidator(_country)]
TimeZone = Annotated[str, Field(max_length=64), AfterValidator(_time_zone)]


class NewOrganisation(Frozen):
    name: Name
    kind: Side
    country: Country | None = None
    time_zone: TimeZone | None = Field(
        default=None, description="without one, the country's if it has just one, else UTC"
    )
    language: Language = "en"


class Registration(Frozen):
    """Either a new organisation, of which the user becomes the owner, or an invitation to one."""

    email: Email
    password: Password
    display_name: Name
    organisation: NewOrganisation | None = None
    invitation: Annotated[str, Field(max_length=200)] | None = Field(default=None, description="the token")

    @model_validator(mode="after")
    def _names_one_organisation(self) -> "Registration":
        if (self.organisation is None) == (self.invitation is None):
            raise ValueError("send either an organisation or an invitation")
        return self


class Credentials(Frozen):
    email: Annotated[str, Field(max_length=254)]
    password: Annotated[SecretStr, Field(max_length=256)]


class User(Frozen):
    id: str
    email: str
    display_name: str
    role: Role


class Organisation(Frozen):
    id: str
    name: str
    kind: Side
    country: str | None
    time_zone: str
    language: Language = Field(
        default="en", description="of its members' pages, notifications and mails, unless they choose another"
    )
    address: str | None = None
    logo_url: str | None = Field(default=None, description="a square WebP; another logo has another URL")


class Account(Frozen):
    user: User
    organisation: Organisation


class SignedIn(Account):
    access_token: str
    token_type: str = "bearer"  # noqa: S105
    expires_in: int = Field(description="seconds")


class OrganisationChanges(Frozen):
    """What is left out stays as it is."""

    name: Name | None = None
    country: Country | None = None
    time_zone: TimeZone | None = None
    language: Language | None = None
    address: Annotated[Paragraphs, Field(max_length=500)] | None = None


class ProfileChanges(Frozen):
    """What is left out stays as it is; a new password needs the current one."""

    display_name: Name | None = None
    password: Password | None = None
    current_password: Annotated[SecretStr, Field(max_length=256)] | None = None


class NewInvitation(Frozen):
    email: Email | None = Field(default=None, description="when given, only this address can use it")
    role: Role = "member"


class Invitation(Frozen):
    id: str
    role: Role
    email: str | None
    expires_at: Instant


class IssuedInvitation(Invitation):
    token: str = Field(description="told once, and never again")


class RoleChange(Frozen):
    role: Role


class Member(User):
    joined_at: Instant
