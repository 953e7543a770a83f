"""Orders as clients send and see them."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from shared.api.page import Page
from shared.api.text import CalendarDate, Id, Line, Note, Paragraphs
from shared.events.base import Instant
from shared.identity import Person, Side
from shared.money import Money

MAX_QUANTITY = 10**9
MAX_PRICE = 10**15
# Further than any order, and near enough that adding a time zone never passes the last date there is.
MAX_DEADLINE = date(2999, 12, 31)


class Status(StrEnum):
    """The pipeline; its order is the order of the steps, and there is no other."""

    CONFIRMED = "confirmed"
    IN_PRODUCTION = "in_production"
    QUALITY_CHECK = "quality_check"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    COMPLETED = "completed"


Carrier = Literal["dhl", "fedex", "ups", "sf-express", "ems", "usps", "maersk", "other"]
Action = Literal["advance", "request_receipt", "extend_receipt", "confirm_receipt", "review", "send_message"]
DueState = Literal["on_track", "due_soon", "overdue", "done"]
Sort = Literal["deadline", "-deadline", "updated", "-updated", "value", "-value"]


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Product(Frozen):
    name: Annotated[Line, Field(min_length=1, max_length=200)]
    sku: Annotated[Line, Field(min_length=1, max_length=100)] | None = None
    specification: Annotated[Paragraphs, Field(max_length=4000)] | None = None


class NewOrder(Frozen):
    """The accepted quote."""

    quote_id: Id
    factory_id: Id
    product: Product
    quantity: Annotated[int, Field(strict=True, ge=1, le=MAX_QUANTITY)]
    unit: Annotated[Line, Field(min_length=1, max_length=20)] = "pcs"
    unit_price: Money
    deadline: Annotated[
        CalendarDate,
        Field(le=MAX_DEADLINE, description="in the factory's time zone; not in the past"),
    ]
    shipping_terms: Annotated[Line, Field(max_length=200)] | None = None
    destination: Annotated[Paragraphs, Field(max_length=500)] | None = None

    @field_validator("unit_price")
    @classmethod
    def _is_positive(cls, price: Money) -> Money:
        if price.amount <= 0:
            raise ValueError("must be more than 0")
        if price.amount > MAX_PRICE:
            raise ValueError(f"must be at most {MAX_PRICE}")
        return price


class NewTracking(Frozen):
    carrier: Carrier
    number: Annotated[Line, Field(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z][0-9A-Za-z ./#_-]*$")]


class Advance(Frozen):
    """The factory's step."""

    to: Status
    note: Note | None = None
    tracking: NewTracking | None = None


class ReceiptNote(Frozen):
    note: Note | None = None


class Tracking(Frozen):
    carrier: Carrier
    number: str
    url: str | None = Field(description="the carrier's public page; `null` for `other`")
    warning: str | None = Field(
        default=None, description="why the number does not look like one of this carrier's"
    )


class SystemActor(Frozen):
    """A timer, or the marketplace's quoting system."""

    side: Literal["system"] = "system"


class HistoryEntry(Frozen):
    status: Status
    at: Instant
    by: Person | SystemActor
    note: str | None = None


class NextStep(Frozen):
    """The step that a timer takes if nobody else does."""

    to: Status
    at: Instant


class Due(Frozen):
    state: DueState
    days_left: int


class ReviewRecorded(Frozen):
    """What orders is told of a review: by the gateway at once, and by the event in any case."""

    by_side: Side
    user_id: str
    user_name: str


class Party(Frozen):
    id: str
    name: str


class Order(Frozen):
    id: str
    number: str
    quote_id: str
    version: int
    status: Status
    next_status: Status | None
    allowed_actions: list[Action]
    product: Product
    quantity: int
    unit: str
    unit_price: Money
    total: Money
    deadline: date
    shipping_terms: str | None
    destination: str | None
    next_automatic_step: NextStep | None
    due: Due
    buyer: Party
    factory: Party
    tracking: Tracking | None
    history: list[HistoryEntry]
    created_at: Instant
    updated_at: Instant
    completed_at: Instant | None


class OrderQuery(Frozen):
    """Which orders, in which order."""

    status: list[Status] = Field(default=[], description="any of these")
    state: Literal["active", "completed"] | None = None
    due: DueState | None = None
    counterparty: Annotated[Id, Field(description="id of the other organisation")] | None = None
    q: (
        Annotated[
            Line, Field(max_length=200, description="words in number, product, SKU or the other side's name")
        ]
        | None
    ) = None
    sort: Sort = "deadline"
    limit: int = Field(default=20, ge=1, le=100)
    cursor: str | None = Field(default=None, min_length=1, max_length=1000)


class OrderCard(Frozen):
    """An order as orders knows it for a list; the gateway adds what chat knows (`Card`)."""

    id: str
    number: str
    version: int
    product: Product
    counterparty: Party
    quantity: int
    unit: str
    unit_price: Money
    total: Money
    deadline: date
    due: Due
    status: Status
    next_status: Status | None
    allowed_actions: list[Action]
    next_automatic_step: NextStep | None
    tracking: Tracking | None
    created_at: Instant
    updated_at: Instant


class Card(OrderCard):
    unread_messages: int | None = Field(description="`null` when chat does not answer")
    last_message_at: Instant | None


class OrderStats(Frozen):
    active: int
    due_soon: int
    overdue: int
    awaiting_receipt: int = Field(description="shipped, not yet confirmed by the buyer")
    completed: int
    open_value: list[Money] = Field(description="total of the active orders, one amount a currency")


class CompletedOrder(Frozen):
    """A completed order as anybody signed in may see it on a profile: never the price."""

    id: str
    number: str
    product: Product
    quantity: int
    unit: str
    buyer: Party
    factory: Party
    created_at: Instant
    completed_at: Instant


class TrackRecord(Frozen):
    """What an organisation's orders say of it."""

    on_time_rate: float | None = Field(
        description="0 to 1, of its orders that reached the buyer; null without any"
    )
    completed_orders: Page[CompletedOrder]
