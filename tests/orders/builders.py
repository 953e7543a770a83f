"""Orders and what goes into them, valid unless told otherwise."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from services.orders import domain
from services.orders.domain import Order, Organisation, Rules
from shared.api.orders import NewOrder, Status
from shared.clock import utc_now
from shared.events.accounts import OrganisationChanged
from shared.events.orders import QuoteAccepted
from shared.identity import Caller, Role, Side
from shared.ids import new_id

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
# Services have the real time.
DEADLINE = (utc_now() + timedelta(days=60)).date().isoformat()
RULES = Rules(
    receipt_after=timedelta(days=30),
    receipt_extension=timedelta(days=15),
    completion_after=timedelta(days=14),
    request_every=timedelta(hours=24),
    chat_open_after_completion=timedelta(days=90),
)


def a_quote(**changes: Any) -> dict[str, Any]:
    """Write the body of `POST /orders`."""
    return {
        "quote_id": new_id(),
        "factory_id": "factory-1",
        "product": {"name": "Hex bolt M8", "sku": "HB-M8-40"},
        "quantity": 5000,
        "unit": "pcs",
        "unit_price": {"amount": "0.12", "currency": "USD"},
        "deadline": DEADLINE,
    } | changes


def an_event(**changes: Any) -> QuoteAccepted:
    return QuoteAccepted.model_validate(a_quote(buyer_id="buyer-1") | changes)


def a_caller(side: Side = "buyer", role: Role = "member", *, organisation_id: str | None = None) -> Caller:
    return Caller(
        user_id=f"user-of-{organisation_id or side}",
        name=f"Robin of the {side}",
        role=role,
        organisation_id=organisation_id or f"{side}-1",
        organisation_name=f"The {side}",
        side=side,
    )


def an_organisation(side: Side = "factory", **changes: Any) -> Organisation:
    facts: dict[str, Any] = {
        "id": f"{side}-1",
        "version": 1,
        "name": f"The {side}",
        "kind": side,
        "time_zone": "Asia/Shanghai",
    }
    return Organisation(**facts | changes)


def a_record(side: Side = "factory", **changes: Any) -> OrganisationChanged:
    facts: dict[str, Any] = {
        "organisation_id": f"{side}-1",
        "version": 1,
        "name": f"The {side}",
        "kind": side,
        "country": None,
        "time_zone": "Asia/Shanghai",
    }
    return OrganisationChanged(**facts | changes)


def an_order(
    status: Status | str = Status.CONFIRMED,
    *,
    accepted_at: datetime = NOW,
    time_zone: str = "Asia/Shanghai",
    deadline: date = date(2027, 1, 31),
    rules: Rules = RULES,
    factory_id: str = "factory-1",
    buyer_id: str = "buyer-1",
    **quote: Any,
) -> Order:
    """Walk an order to a status, one step an hour."""
    order, _ = domain.accept(
        NewOrder.model_validate(a_quote(deadline=deadline.isoformat(), **quote)),
        order_id=new_id(),
        number=f"MR-2026-{new_id()[-12:]}",
        buyer=an_organisation("buyer", id=buyer_id, name=f"The {buyer_id}"),
        factory=an_organisation("factory", id=factory_id, name=f"The {factory_id}", time_zone=time_zone),
        by=a_caller("buyer").person,
        accepted_at=accepted_at,
        now=accepted_at,
    )
    for hours, to in enumerate(domain.PIPELINE[1 : domain.PIPELINE.index(Status(status)) + 1], start=1):
        by = a_caller("factory" if to in domain.FACTORY_STEPS else "buyer").person
        order, _ = domain.steps.step(
            order, to=to, by=by, note=None, now=accepted_at + timedelta(hours=hours), rules=rules
        )
    return order
