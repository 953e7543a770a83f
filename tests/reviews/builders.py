from datetime import UTC, date, datetime, timedelta
from typing import Any

from shared.api.orders import HistoryEntry, Product, Status, SystemActor
from shared.events.orders import OrderStatusChanged
from shared.identity import Caller, Person, Role

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PIPELINE = list(Status)


def a_buyer(user_id: str = "ann", *, role: Role = "member", organisation_id: str = "buyer-1") -> Caller:
    return Caller(
        user_id=user_id,
        name=user_id.title(),
        role=role,
        organisation_id=organisation_id,
        organisation_name="Bright Goods",
        side="buyer",
    )


def a_factory(user_id: str = "fei", *, role: Role = "member", organisation_id: str = "factory-1") -> Caller:
    return Caller(
        user_id=user_id,
        name=user_id.title(),
        role=role,
        organisation_id=organisation_id,
        organisation_name="Fine Parts",
        side="factory",
    )


def order_facts(**changes: Any) -> dict[str, Any]:
    return {
        "order_id": "order-1",
        "number": "MR-2026-000001",
        "status": "completed",
        "buyer": {"id": "buyer-1", "name": "Bright Goods"},
        "factory": {"id": "factory-1", "name": "Fine Parts"},
    } | changes


def a_submission(*, rating: int = 5, text: str | None = "Good parts.", **order: Any) -> dict[str, Any]:
    return {"review": {"rating": rating, "text": text}, "order": order_facts(**order)}


def a_status_change(status: Status, *, order_id: str = "order-1") -> OrderStatusChanged:
    reached = PIPELINE[: PIPELINE.index(status) + 1]
    return OrderStatusChanged(
        order_id=order_id,
        number="MR-2026-000001",
        version=len(reached),
        buyer_id="buyer-1",
        buyer_name="Bright Goods",
        factory_id="factory-1",
        factory_name="Fine Parts",
        status=status,
        product=Product(name="Bracket"),
        deadline=date(2026, 12, 24),
        history=[
            HistoryEntry(
                status=step,
                at=NOW + timedelta(hours=hours),
                by=Person(user_id="fei", name="Fei", side="factory") if hours else SystemActor(),
            )
            for hours, step in enumerate(reached)
        ],
        previous=PIPELINE[PIPELINE.index(status) - 1],
        by_user_id="fei",
    )
