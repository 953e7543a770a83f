"""Events that the orders service publishes, and the one from outside that it obeys."""

from datetime import UTC, date, datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from shared.api.orders import Due, HistoryEntry, NewOrder, NextStep, Product, Status, Tracking
from shared.api.text import Id
from shared.events.base import Fact, Instant
from shared.identity import Side
from shared.money import Money

Change = Literal[
    "receipt_requested",
    "receipt_extended",
    "receipt_reminder",
    "deadline_near",
    "overdue",
    "time_zone_changed",
    "reviewed",
]
# Long before any marketplace, and far enough from year 1 for every time zone.
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


class QuoteAccepted(NewOrder, Fact):
    """A buyer accepted a factory's quote in the marketplace's quoting system: an order begins."""

    type: ClassVar[str] = "quote.accepted.v1"
    source: ClassVar[str] = "/marketplace/quotes"

    buyer_id: Id
    accepted_at: (
        Annotated[Instant, Field(description="when the buyer accepted; the event's arrival without it")]
        | None
    ) = None
    accepted_by: Annotated[Id, Field(description="id of the buyer's user who accepted")] | None = None

    @field_validator("accepted_at")
    @classmethod
    def _is_no_clock_gone_wrong(cls, accepted_at: datetime | None) -> datetime | None:
        if accepted_at is not None and accepted_at < _EARLIEST:
            raise ValueError("must not be before the year 2000")
        return accepted_at

    @property
    def subject(self) -> str:
        return self.quote_id


class _OrderFact(Fact):
    source: ClassVar[str] = "/services/orders"

    order_id: str
    number: str
    version: int
    buyer_id: str
    buyer_name: str
    factory_id: str
    factory_name: str
    status: Status
    product: Product
    deadline: date
    history: list[HistoryEntry]
    """Every step so far, oldest first: a consumer that missed one learns it here."""

    @property
    def subject(self) -> str:
        return self.order_id

    @property
    def sequence(self) -> int:
        return self.version


class OrderCreated(_OrderFact):
    """An accepted quote became an order."""

    type: ClassVar[str] = "order.created.v1"

    quote_id: str
    quantity: int
    unit: str
    total: Money


class OrderStatusChanged(_OrderFact):
    """An order reached its next status."""

    type: ClassVar[str] = "order.status_changed.v1"

    previous: Status
    by_user_id: str | None
    """`None` where a timer took the step."""
    tracking: Tracking | None = None
    next_automatic_step: NextStep | None = None


class OrderUpdated(_OrderFact):
    """Something other than the status changed, such as the date of the automatic receipt."""

    type: ClassVar[str] = "order.updated.v1"

    change: Change
    by_user_id: str | None
    by_side: Side | Literal["system"]
    next_automatic_step: NextStep | None = None
    due: Due | None = None


class OrderOverdue(_OrderFact):
    """An order's deadline passed in the factory's time zone before it was delivered.

    An `order.updated` of the same version goes with it.
    """

    type: ClassVar[str] = "order.overdue.v1"

    days_left: int
    """Negative: how many days the deadline is past."""
