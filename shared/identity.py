"""Who is asking: the gateway signs it into every request, and the services believe nobody else."""

import time
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, Literal

import jwt
from pydantic import BaseModel, ConfigDict

from shared.errors import RoleNotSufficient, Unauthenticated, WrongSide

HEADER: Final = "X-Millrace-Caller"
# Long enough for a slow upload to arrive whole, short enough that a leaked header is soon worthless.
LIFETIME: Final = timedelta(minutes=2)
# A caller's calls within so many seconds carry the same header, so that it is made and checked once.
_SAME_FOR: Final = 30
_MOST_KEPT: Final = 2000

Side = Literal["buyer", "factory"]
Role = Literal["owner", "member", "viewer"]


class Person(BaseModel):
    """Somebody as histories and threads name them."""

    model_config = ConfigDict(frozen=True)

    user_id: str
    name: str
    side: Side


class Caller(BaseModel):
    """A signed-in user, of one organisation, on one side of the market."""

    model_config = ConfigDict(frozen=True)

    user_id: str
    name: str
    role: Role
    organisation_id: str
    organisation_name: str
    side: Side

    @property
    def person(self) -> Person:
        return Person(user_id=self.user_id, name=self.name, side=self.side)

    def must_write(self) -> None:
        """Refuse a viewer.

        Raises:
            RoleNotSufficient: a viewer only reads.
        """
        if self.role == "viewer":
            raise RoleNotSufficient("viewers only read; ask an owner of your organisation for another role")

    def must_be(self, side: Side) -> None:
        """Refuse a caller of the other side.

        Raises:
            WrongSide: the call belongs to the other side.
        """
        if self.side != side:
            raise WrongSide(f"only the {side} may do this")


def sign(caller: Caller | None, *, secret: str, now: datetime) -> str:
    """Write the caller, or that there is none, into a header value that only a holder of the secret can make."""
    return _sign(caller, secret, int(now.timestamp()) // _SAME_FOR * _SAME_FOR)


@lru_cache(_MOST_KEPT)
def _sign(caller: Caller | None, secret: str, at: int) -> str:
    said = caller.model_dump() if caller else None
    claims: dict[str, Any] = {"caller": said, "exp": at + int(LIFETIME.total_seconds())}
    return jwt.encode(claims, secret, algorithm="HS256")


def read(token: str, *, secret: str) -> Caller | None:
    """Read the caller back; `None` where the gateway vouches for the call, which nobody signed in makes.

    Raises:
        Unauthenticated: the signature is missing, wrong or too old.
    """
    caller, until = _read(token, secret)
    if until <= time.time():
        raise Unauthenticated("this port answers only to the gateway")
    return caller


@lru_cache(_MOST_KEPT)
def _read(token: str, secret: str) -> tuple[Caller | None, int]:
    try:
        claims = jwt.decode(token, secret, algorithms=["HS256"], options={"require": ["exp"]})
    except jwt.InvalidTokenError as error:
        raise Unauthenticated("this port answers only to the gateway") from error
    return Caller.model_validate(claims["caller"]) if claims["caller"] else None, claims["exp"]
