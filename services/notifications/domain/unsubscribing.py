"""Hearing less by one click in a mail, without signing in (RFC 8058); pure."""

from typing import Final, Literal, get_args

import jwt

from shared.api.notifications import KINDS, ChosenPreferences, Kind
from shared.errors import Invalid

_AUDIENCE: Final = "unsubscribe"

What = Kind | Literal["daily"]


class UnsubscribeLinkBroken(Invalid):
    """The link was not made by this service, or has been cut short."""

    title = "This link is not complete"


def sign(*, user_id: str, what: What, secret: str) -> str:
    """Write who no longer wants which mails; it lasts as long as the mail does."""
    return jwt.encode({"aud": _AUDIENCE, "sub": user_id, "what": what}, secret, algorithm="HS256")


def read(token: str, *, secret: str) -> tuple[str, What]:
    """Read it back.

    Raises:
        UnsubscribeLinkBroken: it is none of ours.
    """
    try:
        claims = jwt.decode(
            token, secret, algorithms=["HS256"], audience=_AUDIENCE, options={"require": ["sub", "aud"]}
        )
    except jwt.InvalidTokenError as error:
        raise UnsubscribeLinkBroken("open the link from the mail itself, whole") from error
    what: What = claims["what"]
    if what not in (*KINDS, *get_args(Literal["daily"])):
        raise UnsubscribeLinkBroken("this kind of mail is not sent any more")
    return str(claims["sub"]), what


def without(wanted: ChosenPreferences, what: What) -> ChosenPreferences:
    """Switch mails off: of one kind, or all that come daily."""
    kinds = {
        kind: channels.model_copy(update={"email": "off"})
        if kind == what or (what == "daily" and channels.email == "daily")
        else channels
        for kind, channels in wanted.kinds.items()
    }
    return wanted.model_copy(update={"kinds": kinds})
