"""Events handed to the service's consumers without the broker in between."""

import inspect
from datetime import datetime
from typing import Any

from services.notifications import consumers
from shared.clock import utc_now
from shared.events.base import CloudEvent, Fact, seal
from shared.ids import new_id
from tests.notifications.builders import a_caller
from tests.service_client import Service


async def tell(
    notifications: Service, *facts: Fact, event_id: str | None = None, at: datetime | None = None
) -> None:
    """Hand the facts to their consumers, one after the other, without the broker in between."""
    for fact in facts:
        name = fact.type.removesuffix(".v1").replace(".", "_")
        event: CloudEvent[Fact] = seal(
            fact, event_id=event_id or new_id(), now=at or utc_now(), correlation_id=None, traceparent=None
        )
        handler, db = getattr(consumers, f"on_{name}"), notifications.app.state.db
        if "mailing" in inspect.signature(handler._original_call).parameters:
            await handler(event, db, notifications.app.state.mailing)
        else:
            await handler(event, db)


async def feed_of(notifications: Service, user: str, **caller: Any) -> list[dict[str, Any]]:
    """Read a feed to its end."""
    items: list[dict[str, Any]] = []
    cursor = ""
    while True:
        path = f"/notifications?limit=100{cursor}"
        answer = await notifications.call("GET", path, caller=a_caller(user, **caller))
        assert answer.status == 200
        items += answer.json["items"]
        if answer.json["next_cursor"] is None:
            return items
        cursor = f"&cursor={answer.json['next_cursor']}"
