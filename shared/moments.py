"""News that is worth nothing in a minute: told to whoever listens now, and kept by nobody.

They have an exchange of their own, as queues and the live log keep all that goes through the one for events.
Whoever wants them binds a queue of its own that goes with its connection. A moment may get lost.
"""

from datetime import datetime, timedelta
from typing import Final

import aio_pika
import structlog
from faststream.rabbit import ExchangeType, RabbitBroker, RabbitExchange

from shared import telemetry
from shared.events.base import Fact, seal
from shared.ids import new_id
from shared.messaging import CONTENT_TYPE, lost_is_a_failure

log = structlog.get_logger(__name__)

MOMENTS: Final = RabbitExchange("millrace.moments", type=ExchangeType.TOPIC, durable=True)
_LIFETIME: Final = timedelta(seconds=10)


async def tell(broker: RabbitBroker, fact: Fact, *, now: datetime) -> None:
    """Tell everybody who listens at this moment; where nobody can be told, nobody is."""
    cause, parent = telemetry.cause()
    event = seal(fact, event_id=new_id(), now=now, correlation_id=cause, traceparent=parent)
    message = aio_pika.Message(
        event.model_dump_json().encode(),
        content_type=CONTENT_TYPE,
        message_id=event.id,
        correlation_id=event.correlationid,
        delivery_mode=aio_pika.DeliveryMode.NOT_PERSISTENT,
        expiration=_LIFETIME,
    )
    try:
        with lost_is_a_failure():
            await broker.declare_exchange(MOMENTS)
            await broker.publish(message, exchange=MOMENTS, routing_key=fact.type, mandatory=False, timeout=2)
    except Exception as error:  # noqa: BLE001 - it would be old news when the broker is back
        log.info("a moment is lost", type=fact.type, cause=repr(error))
