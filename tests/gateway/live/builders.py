"""Events as the services publish them."""

from datetime import UTC, datetime
from typing import Any

import aio_pika
from aio_pika.abc import AbstractExchange

from shared import messaging
from shared.ids import new_id


def an_event(
    type_: str = "order.updated.v1", *, buyer_id: str = "buyer", factory_id: str = "factory", **data: Any
) -> dict[str, Any]:
    order_id = data.get("order_id", "order")
    return {
        "specversion": "1.0",
        "id": new_id(),
        "source": "/services/orders",
        "type": type_,
        "subject": order_id,
        "time": datetime.now(UTC).isoformat(),
        "data": {"order_id": order_id, "buyer_id": buyer_id, "factory_id": factory_id, **data},
    }


async def events_exchange(channel: aio_pika.abc.AbstractChannel) -> AbstractExchange:
    return await channel.declare_exchange(
        messaging.EVENTS.name, type=aio_pika.ExchangeType.TOPIC, durable=True
    )


def message(body: bytes) -> aio_pika.Message:
    return aio_pika.Message(
        body,
        content_type=messaging.CONTENT_TYPE,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
    )
