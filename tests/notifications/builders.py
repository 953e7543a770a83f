from datetime import UTC, date, datetime, timedelta
from typing import Any

from shared.api.chat import Message, Sender
from shared.api.orders import Due, HistoryEntry, NextStep, Product, Status, SystemActor
from shared.events.accounts import MemberChanged, OrganisationChanged
from shared.events.chat import MessageRead, MessageSent
from shared.events.orders import OrderCreated, OrderOverdue, OrderStatusChanged, OrderUpdated
from shared.events.reviews import ReviewOpened, ReviewSubmitted
from shared.identity import Caller, Person, Role, Side
from shared.money import Money

JOINED = datetime(2026, 1, 1, tzinfo=UTC)
PIPELINE = list(Status)
ANN = Person(user_id="ann", name="Ann", side="buyer")
FEI = Person(user_id="fei", name="Fei", side="factory")


def a_caller(user_id: str, *, side: Side | None = None, role: Role = "owner", **changes: Any) -> Caller:
    """Users of the buyer have names from A to E, those of the factory from F on."""
    side = side or ("buyer" if user_id < "f" else "factory")
    return Caller(
        **{
            "user_id": user_id,
            "name": user_id.title(),
            "role": role,
            "organisation_id": f"{side}-1",
            "organisation_name": "Bright Goods" if side == "buyer" else "Fine Parts",
            "side": side,
        }
        | changes
    )


def a_member(user_id: str, *, version: int = 1, **changes: Any) -> MemberChanged:
    facts = {
        "user_id": user_id,
        "organisation_id": "buyer-1" if user_id < "f" else "factory-1",
        "version": version,
        "display_name": user_id.title(),
        "email": f"{user_id}@example.com",
        "role": "owner",
        "joined_at": JOINED,
    }
    return MemberChanged.model_validate(facts | changes)


def an_organisation(side: Side, *, version: int = 1, **changes: Any) -> OrganisationChanged:
    facts = {
        "organisation_id": f"{side}-1",
        "version": version,
        "name": "Bright Goods" if side == "buyer" else "Fine Parts",
        "kind": side,
        "country": None,
        "time_zone": "UTC",
    }
    return OrganisationChanged.model_validate(facts | changes)


def _order(
    status: Status, *, version: int | None, by: Person | SystemActor, **changes: Any
) -> dict[str, Any]:
    reached = PIPELINE[: PIPELINE.index(status) + 1]
    return {
        "order_id": "order-1",
        "number": "MR-2026-000001",
        "version": version or len(reached),
        "buyer_id": "buyer-1",
        "buyer_name": "Bright Goods",
        "factory_id": "factory-1",
        "factory_name": "Fine Parts",
        "status": status,
        "product": Product(name="Bracket"),
        "deadline": date(2026, 12, 24),
        "history": [
            HistoryEntry(status=step, at=JOINED + timedelta(days=days), by=by)
            for days, step in enumerate(reached)
        ],
    } | changes


def created(*, by: Person | SystemActor = ANN, **changes: Any) -> OrderCreated:
    price = Money.model_validate({"amount": "320.00", "currency": "USD"})
    return OrderCreated(
        **_order(Status.CONFIRMED, version=1, by=by, **changes),
        quote_id=f"quote-{changes.get('order_id', 'order-1')}",
        quantity=100,
        unit="pcs",
        total=price,
    )


def moved(status: Status, *, by: Person | SystemActor = FEI, **changes: Any) -> OrderStatusChanged:
    return OrderStatusChanged(
        **_order(status, version=None, by=by, **changes),
        previous=PIPELINE[PIPELINE.index(status) - 1],
        by_user_id=by.user_id if isinstance(by, Person) else None,
    )


def updated(change: str, *, version: int = 5, **changes: Any) -> OrderUpdated:
    by = FEI if change == "receipt_requested" else SystemActor()
    return OrderUpdated.model_validate(
        _order(Status.SHIPPED, version=version, by=FEI, **changes)
        | {
            "change": change,
            "by_user_id": "fei" if change == "receipt_requested" else None,
            "by_side": by.side,
            "next_automatic_step": NextStep(to=Status.DELIVERED, at=datetime(2027, 1, 3, tzinfo=UTC)),
            "due": Due(state="due_soon", days_left=3),
        }
    )


def overdue(**changes: Any) -> OrderOverdue:
    return OrderOverdue(**_order(Status.IN_PRODUCTION, version=9, by=FEI, **changes), days_left=-1)


def sent(seq: int, *, by: Person | None = FEI, order_id: str = "order-1", text: str = "Hello") -> MessageSent:
    sender = (
        Sender(user_id=by.user_id, name=by.name, side=by.side)
        if by
        else Sender(user_id=None, name=None, side="system")
    )
    return MessageSent(
        order_id=order_id,
        buyer_id="buyer-1",
        factory_id="factory-1",
        message=Message(
            id=f"{order_id}-{seq}",
            seq=seq,
            sender=sender,
            text=text,
            attachments=[],
            sent_at=datetime(2026, 11, 23, 9, 0, seq % 60, tzinfo=UTC),
            read_by_other_side=False,
        ),
    )


def read(up_to: int, *, by: Person = ANN, order_id: str = "order-1") -> MessageRead:
    return MessageRead(
        order_id=order_id,
        buyer_id="buyer-1",
        factory_id="factory-1",
        user_id=by.user_id,
        side=by.side,
        up_to=up_to,
    )


def review_opened(side: Side, *, order_id: str = "order-1") -> ReviewOpened:
    return ReviewOpened(order_id=order_id, buyer_id="buyer-1", factory_id="factory-1", by_side=side)


def review_submitted(*, by: Person = ANN, rating: int = 4, order_id: str = "order-1") -> ReviewSubmitted:
    return ReviewSubmitted(
        order_id=order_id,
        buyer_id="buyer-1",
        factory_id="factory-1",
        by_side=by.side,
        review_id=f"review-{order_id}-{by.side}",
        rating=rating,
        user_id=by.user_id,
        user_name=by.name,
    )
