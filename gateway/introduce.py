"""Tell a service of what it has not yet heard by event, so that calls follow one another without waiting."""

from typing import Any, Final

from gateway.accounts import domain, store
from gateway.clients import Answer, Services
from shared.api.chat import ThreadFacts
from shared.identity import Caller
from shared.mongo import Database

THREAD_NOT_KNOWN: Final = "thread-not-known"
ORGANISATION_NOT_KNOWN: Final = "organisation-not-known"


async def organisation(services: Services, db: Database, organisation_id: str, *, caller: Caller) -> None:
    """Tell orders of an organisation.

    Raises:
        OrganisationNotFound: there is none.
    """
    found = await store.get_organisation(db, organisation_id)
    record = domain.told(found).model_dump_json().encode()
    await services.call("orders", "PUT", f"/organisations/{found.id}", caller=caller, body=record)


async def thread(services: Services, order: dict[str, Any], *, caller: Caller) -> Answer:
    """Tell chat of an order as orders shows it to the caller."""
    facts = ThreadFacts(
        order_id=order["id"],
        number=order["number"],
        version=order["version"],
        buyer_id=order["buyer"]["id"],
        factory_id=order["factory"]["id"],
        status=order["status"],
        sku=order["product"].get("sku"),
        tracking_number=(order["tracking"] or {}).get("number"),
        history=order["history"],
    )
    return await services.call(
        "chat", "PUT", f"/threads/{order['id']}", caller=caller, body=facts.model_dump_json().encode()
    )
