"""The feed as clients see it."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from shared.api.orders import Frozen
from shared.api.text import Id
from shared.events.base import Instant

Kind = Literal[
    "order_created",
    "order_status_changed",
    "receipt_requested",
    "receipt_reminder",
    "deadline_near",
    "order_overdue",
    "message_received",
    "review_opened",
    "review_received",
]


class Notification(Frozen):
    id: str
    kind: Kind
    order_id: str | None
    title: str
    body: str
    created_at: Instant
    read_at: Instant | None


class MarkRead(Frozen):
    """Either the ids or all."""

    ids: Annotated[list[Id], Field(max_length=100)] | None = None
    all: bool = False

    @model_validator(mode="after")
    def _names_which(self) -> "MarkRead":
        if (self.ids is None) == (not self.all):
            raise ValueError('send either {"ids": [...]} or {"all": true}')
        return self


class UnreadNotifications(Frozen):
    unread: int
