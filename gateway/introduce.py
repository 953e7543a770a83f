"""Tell a service of what it has not yet heard by event, so that calls follow one another without waiting."""

from typing import Any, Final

from gateway.accounts import domain, store
from gateway.clients import ServiceName, Services, ServiceUnavailable
from shared.api.chat import ThreadFacts
from shared.identity import Caller
from shared.mongo import Database

THREAD_NOT_KNOWN: Final = "thread-not-known"
ORGANISATION_NOT_KNOWN: Final = "organisation-not-known"


async def organisation(services: Services, db: Database, organisation_id: str, *, caller: Caller) -> None:
    """Tell orders of an organisation.

    Raises:
        OrganisationNotFound: there is none.
        ServiceUnavailable: orders has not taken it.
    """
    found = await store.get_organisation(db, organisation_id)
    record = domain.told(found).model_dump_json().encode()
    await _put(services, "orders", f"/organisations/{found.id}", record, caller=caller)


async def thread(services: Services, order: dict[str, Any], *, caller: Caller) -> None:
    """Tell chat of an order as orders shows it to the caller.

    Raises:
        ServiceUnavailable: chat has not taken it.
    """
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
    await _put(services, "chat", f"/threads/{order['id']}", facts.model_dump_json().encode(), caller=caller)


async def _put(services: Services, service: ServiceName, path: str, record: bytes, *, caller: Caller) -> None:
    answer = await services.call(service, "PUT", path, caller=caller, body=record)
    if not answer.ok:
        # Going on would tell the caller that what is theirs does not exist.
        raise ServiceUnavailable(service)
