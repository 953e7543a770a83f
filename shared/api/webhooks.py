"""Webhooks and the event feed, for an organisation's own systems."""

from typing import Annotated, Any, Literal, get_args

from pydantic import Field, field_validator

from shared.api.orders import Frozen
from shared.api.text import Line
from shared.events.base import Instant

EventType = Literal[
    "order.created.v1",
    "order.status_changed.v1",
    "order.updated.v1",
    "order.overdue.v1",
    "message.sent.v1",
    "message.read.v1",
    "review.opened.v1",
    "review.submitted.v1",
]
EVENT_TYPES: tuple[EventType, ...] = get_args(EventType)

Url = Annotated[Line, Field(min_length=1, max_length=2000)]


def _each_once(types: list[EventType]) -> list[EventType]:
    if not types:
        raise ValueError("name at least one event type, or leave it out for all")
    return list(dict.fromkeys(types))


class NewWebhook(Frozen):
    url: Annotated[Url, Field(description="public HTTPS, unless the operator allows more")]
    event_types: Annotated[list[EventType] | None, Field(max_length=100, description="all when left out")] = (
        None
    )

    @field_validator("event_types")
    @classmethod
    def _names_each_once(cls, types: list[EventType] | None) -> list[EventType] | None:
        return None if types is None else _each_once(types)


class WebhookChanges(Frozen):
    """What is left out stays as it is."""

    url: Url | None = None
    event_types: Annotated[list[EventType], Field(max_length=100)] | None = None
    enabled: bool | None = None

    @field_validator("event_types")
    @classmethod
    def _names_each_once(cls, types: list[EventType] | None) -> list[EventType] | None:
        return None if types is None else _each_once(types)


class Webhook(Frozen):
    id: str
    url: str
    event_types: list[EventType]
    enabled: bool
    disabled_reason: str | None = Field(description="why it was switched off, when not by hand")
    failing_since: Instant | None = Field(description="first failure after the last success")
    created_at: Instant


class WebhookWithSecret(Webhook):
    """As it is made, or its secret renewed: the only answers that tell the secret."""

    secret: str = Field(description="`whsec_…`, for a Standard Webhooks library")


class Attempt(Frozen):
    at: Instant
    status: int | None = Field(description="of the receiver's answer; `null`: none came")
    error: str | None
    duration_ms: int


class Delivery(Frozen):
    id: str
    event_id: str = Field(description="also the header `webhook-id`, the same on every try")
    event_type: EventType
    state: Literal["pending", "delivered", "failed"]
    attempts: list[Attempt] = Field(description="the latest 20, oldest first")
    next_attempt_at: Instant | None
    created_at: Instant


class EventPage(Frozen):
    """Events as they were published (CloudEvents 1.0), oldest first."""

    items: list[dict[str, Any]]
    next_cursor: str | None = Field(description="`null`: there are no more at this moment")
    cursor: str | None = Field(
        description="where this page ends: ask `after` it later to hear what is new; `null` before the first event"
    )
