"""RabbitMQ: the names of things, how a message is published, and what becomes of one that fails.

One topic exchange carries every event. Each consumer has one quorum queue for each event type. A
handler's failure decides where the message goes next:

* a refusal (`shared.errors`) is final: the message rests in `<queue>.dead`, with the cause in its headers;
* NotFound may mean that an earlier event is still on its way, and any other exception may pass: the
  message waits in a delay queue and comes back, each time later, until the delays are used up.

Delay queues are few and shared by all consumers: a message keeps its queue's name as its routing key,
and the delay queue hands it to the default exchange when its time is over.
"""

import asyncio
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Final

import aio_pika
import orjson
import structlog
from aio_pika.abc import AbstractConnection, AbstractRobustQueue
from aiormq.exceptions import ChannelNotFoundEntity
from fast_depends.library import CustomField
from faststream import AckPolicy, BaseMiddleware
from faststream.rabbit import (
    Channel,
    ExchangeType,
    QueueType,
    RabbitBroker,
    RabbitExchange,
    RabbitQueue,
    RabbitRouter,
)
from faststream.rabbit.message import RabbitMessage
from faststream.rabbit.schemas.queue import QuorumQueueArgs
from pamqp.commands import Basic
from pydantic import ValidationError
from yarl import URL

from shared import batches, telemetry, wording
from shared.acknowledging import Acknowledgements
from shared.clock import utc_now
from shared.errors import Invalid, NotFound, Refusal
from shared.events.base import Fact
from shared.ids import new_id

if TYPE_CHECKING:
    from faststream.message import StreamMessage

log = structlog.get_logger(__name__)

CONTENT_TYPE: Final = "application/cloudevents+json"
EVENTS: Final = RabbitExchange("millrace.events", type=ExchangeType.TOPIC, durable=True)
DEAD: Final = RabbitExchange("millrace.dead", type=ExchangeType.DIRECT, durable=True)

# The recent events, from which the gateways feed live streams (`gateway.live.log`). Publishers declare it
# too: while RabbitMQ starts it confirms events without putting them into a stream that is not back yet,
# so nobody may publish before a declaration on the same connection has gone through. The arguments are
# fixed, as RabbitMQ refuses others later. It deletes by whole segments, so these must be small beside
# what is kept for age and size to mean anything.
LIVE_LOG: Final = RabbitQueue(
    "gateway.live",
    queue_type=QueueType.STREAM,
    durable=True,
    routing_key="#",
    arguments={
        "x-max-age": "1h",
        "x-max-length-bytes": 1024**3,
        "x-stream-max-segment-size-bytes": 32 * 1024**2,
    },
)

# RabbitMQ writes down only a second later that it keeps streams at all (measured: 1.00 s, two rounds in which
# it saves its tables). Killed before that, it never finds the first one again: each declaration of it fails
# for good. So where the log is still to be made, another stream goes first.
FIRST_STREAM_SETTLES: Final = 1.5

# Seconds. The first answers races between two queues, the sum rides out a restart of a database.
RETRY_DELAYS: Final = (1, 3, 10, 30, 60, 120)
# A message that kills its consumer comes back at once, so this ends it where no header can.
DELIVERY_LIMIT: Final = 20
# Operators look at a dead letter by taking it and putting it back; RabbitMQ 4 drops one after twenty times by itself.
DEAD_DELIVERY_LIMIT: Final = 1_000_000
PREFETCH: Final = 100
# Seconds. A connection that died without a word is noticed after three of these; by default after minutes.
HEARTBEAT: Final = 10
_REOPEN_PAUSE: Final = 1.0
_LONGEST_REOPEN_PAUSE: Final = 60.0
_REOPEN_TAKES: Final = 30.0

ATTEMPT_HEADER: Final = "x-millrace-attempt"
CAUSE_HEADER: Final = "x-millrace-cause"
FAILED_AT_HEADER: Final = "x-millrace-failed-at"


class Context(CustomField):
    """Hands a consumer what its service keeps under a name.

    FastStream's own hands every lookup to a thread, which costs more than most handlers do.
    """

    def __init__(self, name: str) -> None:
        super().__init__(cast=False)
        self.name = name

    async def use(self, /, **kwargs: Any) -> dict[str, Any]:  # type: ignore[override]
        return kwargs | {str(self.param_name): kwargs["context__"].get(self.name)}


class MalformedEvent(Invalid):
    """The message is no CloudEvent of the type that its queue is for."""

    title = "Malformed event"


def queue_for(service: str, fact: type[Fact]) -> RabbitQueue:
    """Name a consumer's queue for one event: `<service>.<event type>`, its dead letters beside it."""
    name = f"{service}.{fact.type}"
    return RabbitQueue(
        name,
        queue_type=QueueType.QUORUM,
        durable=True,
        routing_key=fact.type,
        arguments={
            "x-dead-letter-exchange": DEAD.name,
            "x-dead-letter-routing-key": dead(name),
            "x-delivery-limit": DELIVERY_LIMIT,
        },
    )


def dead(queue: str) -> str:
    """Name the queue where a queue's dead letters rest."""
    return f"{queue}.dead"


def retry_queue(delay: int) -> str:
    return f"millrace.retry.{delay}s"


class _Settle(BaseMiddleware[Any, Any]):
    """Acknowledge, decide what becomes of a message whose handler failed, and give the handler its request id."""

    async def consume_scope(
        self, call_next: Callable[[Any], Awaitable[Any]], msg: "StreamMessage[Any]"
    ) -> None:
        assert isinstance(msg, RabbitMessage)  # noqa: S101 - for the type checker
        telemetry.take_request_id(msg.correlation_id)
        queue: str = self.context.get("handler_").queue.name
        acknowledgements: Acknowledgements = self.context.get("acknowledgements")
        parent = msg.headers.get("traceparent")
        try:
            _must_claim_json(msg)
            event = await msg.decode()
            if isinstance(event, dict):
                if isinstance(event.get("correlationid"), str):
                    telemetry.take_request_id(event["correlationid"])
                parent = parent or event.get("traceparent")
            with telemetry.span(f"consume {queue}", parent=str(parent or "")):
                await call_next(msg)
        except ValidationError as error:
            cause: Exception = MalformedEvent(_explain(error))
        except orjson.JSONDecodeError as error:
            cause = MalformedEvent(f"not JSON: {error}")
        except Exception as error:  # noqa: BLE001 - every failure has its place
            cause = error
        else:
            acknowledgements.add(msg.raw_message)
            return
        try:
            await self._put_aside(msg, queue=queue, cause=cause)
        except Exception as error:  # noqa: BLE001 - whatever it is, the message must not be lost
            log.error(  # noqa: TRY400 - the cause says it, and a traceback for each message hides it
                "event cannot be put aside", queue=queue, event_id=msg.message_id, cause=_cause(error)
            )
            await acknowledgements.give_back(msg.raw_message)
        else:
            acknowledgements.add(msg.raw_message)

    async def _put_aside(self, msg: RabbitMessage, *, queue: str, cause: Exception) -> None:
        attempt = _attempt(msg)
        final = isinstance(cause, Refusal) and not isinstance(cause, NotFound)
        headers: dict[str, Any] = dict(msg.headers) | {
            CAUSE_HEADER: _cause(cause),
            "x-millrace-queue": queue,
            FAILED_AT_HEADER: utc_now().isoformat(),
        }
        if final or attempt >= len(RETRY_DELAYS):
            target, exchange = dead(queue), DEAD.name
            log.error(
                "event is dead", queue=queue, event_id=msg.message_id, cause=_cause(cause), attempt=attempt
            )
        else:
            target, exchange = queue, retry_queue(RETRY_DELAYS[attempt])
            headers[ATTEMPT_HEADER] = attempt + 1
            log.warning(
                "event is retried", queue=queue, event_id=msg.message_id, cause=_cause(cause), attempt=attempt
            )
        broker: RabbitBroker = self.context.get("broker")
        await broker.publish(
            aio_pika.Message(
                msg.body,
                headers=headers,
                content_type=msg.content_type,
                message_id=msg.message_id,
                correlation_id=msg.correlation_id,
                delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            ),
            exchange=exchange,
            routing_key=target,
            timeout=10,
        )


def _must_claim_json(msg: RabbitMessage) -> None:
    """Refuse what says that it is something else; saying nothing is no claim.

    Raises:
        MalformedEvent: it does.
    """
    claimed = (msg.raw_message.content_type or "").partition(";")[0].strip().lower()
    if claimed and claimed != "application/json" and not claimed.endswith("+json"):
        raise MalformedEvent(f"content type is {claimed[:100]!r}, not {CONTENT_TYPE!r}")


def _attempt(msg: RabbitMessage) -> int:
    try:
        return max(0, int(str(msg.headers.get(ATTEMPT_HEADER, 0))))
    except ValueError:  # not written by us
        return 0


def _cause(error: Exception) -> str:
    if isinstance(error, Refusal):
        return f"{type(error).slug()}: {error}"[:2000]
    return "".join(traceback.format_exception_only(error)).strip()[:2000]


def _explain(error: ValidationError) -> str:
    parts = (
        f"/{'/'.join(str(step) for step in problem['loc'][1:])}: {wording.of(problem)}"
        for problem in error.errors(include_url=False, include_input=False)
    )
    return "; ".join(parts)


async def _decode(msg: "StreamMessage[Any]") -> Any:
    return orjson.loads(msg.body)


def create_router() -> RabbitRouter:
    """Make the router on which a service's consumers stand: what fails is settled as this module says.

    The policy is set here because one that is set on the broker does not reach an included router.
    """
    return RabbitRouter(middlewares=(_Settle,), ack_policy=AckPolicy.MANUAL, decoder=_decode)


def create_broker(*, url: str, routers: Sequence[RabbitRouter] = ()) -> RabbitBroker:
    """Make a broker that is not yet connected."""
    # FastStream's log line for each message costs a quarter of the throughput.
    return RabbitBroker(
        URL(url).with_query({"heartbeat": HEARTBEAT, **URL(url).query}),
        routers=routers,
        # What is put aside must not vanish where its queue is gone.
        default_channel=Channel(prefetch_count=PREFETCH, on_return_raises=True),
        logger=None,
        reconnect_interval=1.0,
        fail_fast=False,  # a service that starts before its broker waits for it
        graceful_timeout=10.0,
        app_id="millrace",
    )


@asynccontextmanager
async def connected(broker: RabbitBroker) -> AsyncIterator[None]:
    """Connect, and declare everything that publishing and the broker's consumers stand on."""
    connection = await broker.connect()
    try:
        await _be_ready_for_streams(connection)
        await _declare(broker)
        keeping = asyncio.create_task(_keep_open(connection, await _channel(broker)))
        try:
            yield
        finally:
            keeping.cancel()
    finally:
        await broker.stop()


@asynccontextmanager
async def consuming(broker: RabbitBroker) -> AsyncIterator[None]:
    """Consume until the context ends, and then finish what is in hand; the connection stays open.

    What handlers stored last can so still be published before the connection closes.
    """
    acknowledgements = Acknowledgements()
    broker.context.set_global("broker", broker)
    broker.context.set_global("acknowledgements", acknowledgements)
    await broker.start()
    try:
        yield
    finally:
        await asyncio.gather(*(subscriber.stop() for subscriber in broker.subscribers))
        await acknowledgements.written()


async def _be_ready_for_streams(connection: AbstractConnection) -> None:
    """Bring RabbitMQ into a state in which a stream that is made outlives a crash from its first moment on."""
    try:
        async with connection.channel() as channel:
            await channel.declare_queue(LIVE_LOG.name, passive=True)
    except ChannelNotFoundEntity:
        async with connection.channel() as channel:
            name = f"millrace.first.{new_id()}"
            await channel.declare_queue(name, durable=True, arguments={"x-queue-type": "stream"})
            await asyncio.sleep(FIRST_STREAM_SETTLES)
            await channel.queue_delete(name)


class _Channel(aio_pika.RobustChannel):
    """Gives up a reopening that takes too long, for another one is waiting for it.

    On a connection that RabbitMQ ended while it was blocked, as for want of memory, aio-pika waits for ever.
    """

    async def reopen(self) -> None:
        async with asyncio.timeout(_REOPEN_TAKES):
            await super().reopen()


aio_pika.RobustConnection.CHANNEL_CLASS = _Channel


async def _keep_open(connection: AbstractConnection, channel: aio_pika.RobustChannel) -> None:
    """Open the channel again whenever aio-pika has given up: it tries once after RabbitMQ has closed it."""
    pause = _REOPEN_PAUSE
    while True:
        await asyncio.sleep(pause)
        try:
            with lost_is_a_failure():
                await connection.ready()
                await channel.restore()
        except Exception as error:  # noqa: BLE001 - whatever it is, it may pass
            # Each try leaves some bytes on the connection.
            pause = min(2 * pause, _LONGEST_REOPEN_PAUSE)
            log.warning("the channel cannot be opened again", cause=_cause(error), again_in=pause)
        else:
            pause = _REOPEN_PAUSE


async def _declare(broker: RabbitBroker) -> None:
    events = await broker.declare_exchange(EVENTS)
    # Declared on the channel that publishes, so that a reconnect is complete only when this is back too.
    live_log = await _declare_when_back(broker, LIVE_LOG)
    await live_log.bind(events, routing_key=LIVE_LOG.routing())
    dead_exchange = await broker.declare_exchange(DEAD)
    for delay in RETRY_DELAYS:
        name = retry_queue(delay)
        exchange = await broker.declare_exchange(RabbitExchange(name, type=ExchangeType.FANOUT, durable=True))
        arguments: QuorumQueueArgs = {
            "x-message-ttl": delay * 1000,
            "x-dead-letter-exchange": "",
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        }
        queue = await broker.declare_queue(
            RabbitQueue(name, queue_type=QueueType.QUORUM, durable=True, arguments=arguments)
        )
        await queue.bind(exchange)
    for subscriber in broker.subscribers:
        # Well before anybody consumes: RabbitMQ takes a queue for there as soon as another instance has begun to
        # make it, and breaks the connection of whoever consumes before it is made.
        await broker.declare_queue(subscriber.queue)  # type: ignore[attr-defined]
    for subscriber in broker.subscribers:
        name = dead(subscriber.queue.name)  # type: ignore[attr-defined]
        queue = await broker.declare_queue(
            RabbitQueue(
                name,
                queue_type=QueueType.QUORUM,
                durable=True,
                arguments={"x-delivery-limit": DEAD_DELIVERY_LIMIT},
            )
        )
        await queue.bind(dead_exchange, routing_key=name)


async def answers(broker: RabbitBroker) -> None:
    """Return once the broker is there, and the channel open on which everything runs."""
    await (await _channel(broker)).ready()


async def _channel(broker: RabbitBroker) -> aio_pika.RobustChannel:
    exchange = await broker.declare_exchange(EVENTS)  # known since the start: nothing is sent
    assert isinstance(exchange.channel, aio_pika.RobustChannel)  # noqa: S101 - for the type checker
    return exchange.channel


async def _declare_when_back(broker: RabbitBroker, queue: RabbitQueue) -> AbstractRobustQueue:
    while True:
        try:
            return await broker.declare_queue(queue)
        except ChannelNotFoundEntity as error:
            log.info("waiting for a queue that is not back yet", queue=queue.name, cause=str(error))
            await asyncio.sleep(0.2)


@contextmanager
def lost_is_a_failure() -> Iterator[None]:
    """Have a lost connection raise what everybody expects.

    aio-pika cancels all that waits on a connection which it gives up, and whoever waits would take that for
    its own end: a loop would be over, without a word.

    Raises:
        ConnectionError: instead of the cancellation that nobody asked for.
    """
    try:
        yield
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise ConnectionError("the connection to RabbitMQ was given up") from error


async def publish(broker: RabbitBroker, rows: Iterable[dict[str, Any]]) -> None:
    """Publish outbox rows together, and return when RabbitMQ has all of them.

    Raises:
        Exception: any row may or may not have been published.
    """
    with lost_is_a_failure():
        async with asyncio.timeout(10):
            await batches.publish(await broker.declare_exchange(EVENTS), [_message(row) for row in rows])


def _message(row: dict[str, Any]) -> batches.Message:
    return batches.Message(
        routing_key=row["type"],
        body=row["body"].encode(),
        properties=Basic.Properties(
            content_type=CONTENT_TYPE,
            message_id=row["id"],
            correlation_id=row["correlation_id"],
            headers={"traceparent": row["traceparent"]} if row["traceparent"] else None,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        ),
    )
