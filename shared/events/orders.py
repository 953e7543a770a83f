"""Events that the orders service publishes, and the one from outside that it obeys."""

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from shared.api.orders import Due, HistoryEntry, NewOrder, NextStep, Product, Status, Tracking
from shared.events.base import Fact, Instant
from shared.identity import Side
from shared.money import Money


class QuoteAccepted(NewOrder, Fact):
    """A buyer accepted a factory's quote in the marketplace's quoting system: an order begins."""

    type: ClassVar[str] = "quote.accepted.v1"
    source: ClassVar[str] = "/marketplace/quotes"

    buyer_id: Annotated[str, Field(min_length=1, max_length=100)]
    accepted_at: Instant | None = None
    accepted_by: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    """The user who accepted."""

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

    change: Literal["receipt_requested", "receipt_extended", "receipt_reminder", "deadline_near", "reviewed"]
    by_user_id: str | None
    by_side: Side | Literal["system"]
    next_automatic_step: NextStep | None = None
    due: Due | None = None


class OrderOverdue(_OrderFact):
    """An order's deadline passed in the factory's time zone before it was delivered."""

    type: ClassVar[str] = "order.overdue.v1"

    days_left: int
    """Negative: how many days the deadline is past."""
