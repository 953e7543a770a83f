"""Which facts people are told of, and whom each concerns: pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from shared.api.notifications import Kind
from shared.api.orders import SystemActor
from shared.events.chat import MessageSent
from shared.events.orders import OrderCreated, OrderOverdue, OrderStatusChanged, OrderUpdated
from shared.events.reviews import ReviewOpened, ReviewSubmitted
from shared.identity import Side

OrderFact = OrderCreated | OrderStatusChanged | OrderUpdated | OrderOverdue

_OTHER: Final[dict[Side, Side]] = {"buyer": "factory", "factory": "buyer"}
_BOTH: Final[tuple[Side, ...]] = ("buyer", "factory")


@dataclass(frozen=True, kw_only=True)
class KnownOrder:
    """What notifications keeps of an order, for events that name only its id."""

    id: str
    number: str
    product: str
    buyer_id: str
    buyer_name: str
    factory_id: str
    factory_name: str

    def organisation(self, side: Side) -> str:
        return self.buyer_id if side == "buyer" else self.factory_id

    @property
    def facts(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "product": self.product,
            "buyer": self.buyer_name,
            "factory": self.factory_name,
        }


@dataclass(frozen=True, kw_only=True)
class Draft:
    """One fact before it is known who will read it, and in which language."""

    key: str
    """Names the fact: two events that tell the same one give the same key."""
    kind: Kind
    order: KnownOrder
    facts: dict[str, Any]
    sides: tuple[Side, ...]
    doer: str | None
    at: datetime


def known_order(event: OrderFact) -> KnownOrder:
    return KnownOrder(
        id=event.order_id,
        number=event.number,
        product=event.product.name,
        buyer_id=event.buyer_id,
        buyer_name=event.buyer_name,
        factory_id=event.factory_id,
        factory_name=event.factory_name,
    )


def draft_of_order_event(event: OrderFact, *, at: datetime) -> Draft | None:  # noqa: PLR0911 - one a kind
    """Tell what an order's event has to say to people; `None`: nothing."""
    match event:
        case OrderCreated():
            return _of_step(event, kind="order_created", doer=_first_doer(event), at=at)
        case OrderStatusChanged():
            return _of_step(event, kind="order_status_changed", doer=event.by_user_id, at=at)
        case OrderOverdue():
            return _draft(
                event, kind="order_overdue", sides=_BOTH, facts={"days_late": -event.days_left}, at=at
            )
        case OrderUpdated(change="receipt_requested"):
            return _draft(event, kind="receipt_requested", sides=("buyer",), doer=event.by_user_id, at=at)
        case OrderUpdated(change="receipt_reminder"):
            step = event.next_automatic_step
            automatic = step.at.date().isoformat() if step else None
            return _draft(
                event, kind="receipt_reminder", sides=("buyer",), facts={"automatic_on": automatic}, at=at
            )
        case OrderUpdated(change="deadline_near"):
            facts = {
                "deadline": event.deadline.isoformat(),
                "days_left": event.due.days_left if event.due else None,
            }
            return _draft(event, kind="deadline_near", sides=("factory",), facts=facts, at=at)
        case _:
            return None


def draft_of_review_event(event: ReviewOpened | ReviewSubmitted, *, order: KnownOrder, at: datetime) -> Draft:
    """Tell a side that it may review, or that it was reviewed."""
    if isinstance(event, ReviewOpened):
        return Draft(
            key=f"{event.order_id}:review_opened:{event.by_side}",
            kind="review_opened",
            order=order,
            facts=order.facts,
            sides=(event.by_side,),
            doer=None,
            at=at,
        )
    return Draft(
        key=f"{event.review_id}:review_received",
        kind="review_received",
        order=order,
        facts=order.facts | {"rating": event.rating},
        sides=(_OTHER[event.by_side],),
        doer=event.user_id,
        at=at,
    )


def draft_of_message(event: MessageSent, *, order: KnownOrder, side: Side) -> Draft:
    """Tell the other side of a message that somebody of this side wrote."""
    sender = event.message.sender
    return Draft(
        key=f"{event.order_id}:messages",
        kind="message_received",
        order=order,
        facts=order.facts | {"from": sender.name or ""},
        sides=(_OTHER[side],),
        doer=sender.user_id,
        at=event.message.sent_at,
    )


def _first_doer(event: OrderCreated) -> str | None:
    by = event.history[0].by
    return None if isinstance(by, SystemActor) else by.user_id


def _of_step(
    event: OrderCreated | OrderStatusChanged, *, kind: Kind, doer: str | None, at: datetime
) -> Draft:
    """Tell the side that did not take the step, or both when nobody did."""
    by = event.history[-1].by
    sides = _BOTH if isinstance(by, SystemActor) else (_OTHER[by.side],)
    return _draft(event, kind=kind, sides=sides, doer=doer, facts={"status": event.status.value}, at=at)


def _draft(
    event: OrderFact,
    *,
    kind: Kind,
    sides: tuple[Side, ...],
    at: datetime,
    doer: str | None = None,
    facts: dict[str, Any] | None = None,
) -> Draft:
    order = known_order(event)
    return Draft(
        key=f"{event.order_id}:{kind}:{event.version}",
        kind=kind,
        order=order,
        facts=order.facts | (facts or {}),
        sides=sides,
        doer=doer,
        at=at,
    )
