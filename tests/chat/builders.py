"""Callers, orders and events, valid unless a test says otherwise."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from shared.api.chat import ThreadFacts
from shared.api.orders import HistoryEntry, Product, Status
from shared.events.accounts import OrganisationChanged
from shared.events.base import seal
from shared.events.orders import OrderStatusChanged
from shared.identity import Caller, Person
from shared.ids import new_id
from tests.chat.running import Chat

BEGAN = datetime(2026, 3, 2, 8, tzinfo=UTC)
BUYER, FACTORY = "org-buyer", "org-factory"


def a_buyer(**changes: Any) -> Caller:
    return Caller(
        **{
            "user_id": "u-buyer",
            "name": "Ada",
            "role": "member",
            "organisation_id": BUYER,
            "organisation_name": "Northfield",
            "side": "buyer",
        }
        | changes
    )


def a_factory_user(**changes: Any) -> Caller:
    return Caller(
        **{
            "user_id": "u-factory",
            "name": "林伟",
            "role": "member",
            "organisation_id": FACTORY,
            "organisation_name": "Ningbo Castings",
            "side": "factory",
        }
        | changes
    )


def a_history(last: Status = Status.CONFIRMED) -> list[HistoryEntry]:
    pipeline = list(Status)
    factory_user = Person(user_id="u-factory", name="林伟", side="factory")
    buyer = Person(user_id="u-buyer", name="Ada", side="buyer")
    return [
        HistoryEntry(
            status=status,
            at=BEGAN + timedelta(days=index),
            by=buyer if status in {Status.CONFIRMED, Status.DELIVERED, Status.COMPLETED} else factory_user,
        )
        for index, status in enumerate(pipeline[: pipeline.index(last) + 1])
    ]


def thread_facts(**changes: Any) -> ThreadFacts:
    status = changes.get("status", Status.CONFIRMED)
    return ThreadFacts(
        **{
            "order_id": new_id(),
            "number": "MR-2026-000042",
            "version": 1 + list(Status).index(status),
            "buyer_id": BUYER,
            "factory_id": FACTORY,
            "status": status,
            "sku": "QQ-88213",
            "tracking_number": None,
            "history": a_history(status),
        }
        | changes
    )


def status_changed(facts: ThreadFacts) -> bytes:
    """Write the event that tells of an order's last step."""
    event = OrderStatusChanged(
        order_id=facts.order_id,
        number=facts.number,
        version=facts.version,
        buyer_id=facts.buyer_id,
        buyer_name="Northfield",
        factory_id=facts.factory_id,
        factory_name="Ningbo Castings",
        status=facts.status,
        product=Product(name="Valve body", sku=facts.sku),
        deadline=date(2026, 6, 1),
        history=facts.history,
        previous=Status.CONFIRMED,
        by_user_id=None,
    )
    return (
        seal(event, event_id=new_id(), now=BEGAN, correlation_id=None, traceparent=None)
        .model_dump_json()
        .encode()
    )


def organisation_changed(organisation_id: str, *, version: int, closed: bool) -> bytes:
    """Write the event that tells whether an organisation is closed."""
    event = OrganisationChanged(
        organisation_id=organisation_id,
        version=version,
        name="Ningbo Castings",
        kind="factory",
        country="CN",
        time_zone="Asia/Shanghai",
        closed=closed,
    )
    return (
        seal(event, event_id=new_id(), now=BEGAN, correlation_id=None, traceparent=None)
        .model_dump_json()
        .encode()
    )


async def a_thread(chat: Chat, **changes: Any) -> str:
    """Introduce an order, and give its id."""
    facts = thread_facts(**changes)
    answer = await chat.call(
        "PUT", f"/threads/{facts.order_id}", by=a_buyer(), json=facts.model_dump(mode="json")
    )
    assert answer.status == 204, answer.body
    return facts.order_id
