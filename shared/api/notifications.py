"""The feed, and how a user wants to hear of things, as clients see them."""

from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator, model_validator

from shared.api.accounts import TimeZone
from shared.api.orders import Frozen
from shared.api.text import Id, Language
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
    "webhook_disabled",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
EmailChoice = Literal["immediate", "daily", "off"]

# What waits for the reader comes at once; what only informs comes once a day.
_DAILY_BY_DEFAULT: frozenset[Kind] = frozenset({"order_status_changed", "deadline_near"})


class Notification(Frozen):
    """One fact, or the unread messages of one order together."""

    id: str
    kind: Kind
    order_id: str | None
    title: str
    body: str
    count: int = Field(default=1, description="how many unread messages a `message_received` stands for")
    created_at: Instant = Field(description="of the newest of them, where it stands for several")
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


class Channels(Frozen):
    """Where a kind of notification goes."""

    in_app: bool = True
    email: EmailChoice = "immediate"


class Preferences(Frozen):
    """How a user hears of things."""

    language: Language
    time_zone: TimeZone = Field(description="of the daily e-mail, which comes at 8 in the morning")
    kinds: dict[Kind, Channels]


class ChosenPreferences(Frozen):
    """What a user chooses; what is left out is as the organisation has it, and then as the default is."""

    language: Language | None = Field(default=None, description="null: the organisation's")
    time_zone: TimeZone | None = Field(default=None, description="null: the organisation's")
    kinds: dict[Kind, Channels] = Field(default={}, validate_default=True)

    @field_validator("kinds")
    @classmethod
    def _names_every_kind(cls, kinds: dict[Kind, Channels]) -> dict[Kind, Channels]:
        return {kind: kinds.get(kind, default_channels(kind)) for kind in KINDS}

    def where(self, *, language: Language, time_zone: TimeZone) -> Preferences:
        """Fill in what the organisation says."""
        return Preferences(
            language=self.language or language, time_zone=self.time_zone or time_zone, kinds=self.kinds
        )


def default_channels(kind: Kind) -> Channels:
    return Channels(email="daily" if kind in _DAILY_BY_DEFAULT else "immediate")
