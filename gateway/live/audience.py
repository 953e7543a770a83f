"""Who may hear of an event: by default nobody."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, NamedTuple

from shared.events.chat import MessageRead, MessageSent, MessageTyping
from shared.events.notifications import NotificationCreated
from shared.events.orders import OrderCreated, OrderStatusChanged, OrderUpdated
from shared.events.reviews import ReviewSubmitted


class Party(NamedTuple):
    """Whom an event concerns: all users of an organisation, or one user."""

    kind: Literal["organisation", "user"]
    id: str


Audience = frozenset[Party]
NOBODY: Final[Audience] = frozenset()


def _both_sides(data: Mapping[str, Any]) -> Audience:
    return frozenset(Party("organisation", _id(data, side)) for side in ("buyer_id", "factory_id"))


def _other_side(data: Mapping[str, Any]) -> Audience:
    side = {"buyer": "factory_id", "factory": "buyer_id"}[data["side"]]
    return frozenset({Party("organisation", _id(data, side))})


def _its_user(data: Mapping[str, Any]) -> Audience:
    return frozenset({Party("user", _id(data, "user_id"))})


def _id(data: Mapping[str, Any], field: str) -> str:
    value = data[field]
    if not isinstance(value, str) or not value:
        raise ValueError(f"{field} is no id")
    return value


_CARRIED: Final[Mapping[str, Callable[[Mapping[str, Any]], Audience]]] = {
    OrderCreated.type: _both_sides,
    OrderStatusChanged.type: _both_sides,
    OrderUpdated.type: _both_sides,
    MessageSent.type: _both_sides,
    MessageRead.type: _both_sides,
    ReviewSubmitted.type: _both_sides,
    NotificationCreated.type: _its_user,
}
CARRIED: Final = tuple(_CARRIED)
"""The types that the live stream carries."""

_PASSING: Final[Mapping[str, Callable[[Mapping[str, Any]], Audience]]] = {MessageTyping.type: _other_side}
PASSING: Final = tuple(_PASSING)
"""The types of what the live stream tells and does not keep."""


def audience(event: Mapping[str, Any]) -> Audience:
    """Tell who may hear of a CloudEvent; one that the stream does not carry, or that names nobody, is for nobody."""
    return _audience(event, _CARRIED)


def passing_audience(event: Mapping[str, Any]) -> Audience:
    """Tell who may hear of a moment."""
    return _audience(event, _PASSING)


def _audience(
    event: Mapping[str, Any], known: Mapping[str, Callable[[Mapping[str, Any]], Audience]]
) -> Audience:
    whom = known.get(event["type"])
    if whom is None:
        return NOBODY
    try:
        return whom(event["data"])
    except (KeyError, TypeError, ValueError):
        return NOBODY


def parties(*, organisation_id: str, user_id: str) -> Audience:
    """Name what a user is, in the words of audiences."""
    return frozenset({Party("organisation", organisation_id), Party("user", user_id)})
