"""`millrace dead-letters`: look at the messages that no consumer could handle, send them again, or let them go.

It speaks AMQP and nothing else, so that it works on every RabbitMQ. Nothing here creates a queue.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from typing import Annotated, Any

import aio_pika
import orjson
import typer
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage
from aio_pika.exceptions import AMQPConnectionError, ChannelNotFoundEntity, DeliveryError

from deploy.here import endpoints_here
from deploy.local import SERVICES
from shared import messaging
from shared.events.catalog import EVENTS

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="List, send again or drop the messages that no consumer could handle.",
)


def _of_the_suite_here() -> str:
    return endpoints_here(otherwise="name the broker with --amqp").amqp


Amqp = Annotated[
    str,
    typer.Option(
        "--amqp",
        envvar="MILLRACE_AMQP_URL",
        default_factory=_of_the_suite_here,
        help="RabbitMQ, amqp://user:password@host:5672/; without it, that of the suite which `make up` runs here",
    ),
]
Queue = Annotated[
    str | None, typer.Argument(help="a consumer's queue, such as orders.quote.accepted.v1; all without it")
]
EventId = Annotated[str | None, typer.Option("--id", help="only the event with this id")]


@app.command("list")
def list_(amqp: Amqp, queue: Queue = None) -> None:
    """Show the dead letters: queue, event, age and why; they stay where they are."""

    async def show(connection: AbstractConnection) -> None:
        count = 0
        channel = await connection.channel()
        for name in await _chosen(connection, queue):
            async for message in _each(channel, messaging.dead(name)):
                count += 1
                _show(name, message)
        typer.echo(f"{count} dead letter{'' if count == 1 else 's'}")

    _run(amqp, show)


@app.command()
def replay(amqp: Amqp, queue: Queue = None, event_id: EventId = None) -> None:
    """Put dead letters back into the queues that they come from, to be tried anew from the first attempt.

    A letter leaves its dead queue once the broker has confirmed that it has it again.
    """

    async def put_back(channel: AbstractChannel, name: str, message: AbstractIncomingMessage) -> None:
        # All that tells of its failures, ours and the broker's: it begins anew.
        headers = {key: value for key, value in message.headers.items() if not key.startswith("x-")}
        letter = aio_pika.Message(
            message.body,
            headers=headers,
            content_type=message.content_type,
            message_id=message.message_id,
            correlation_id=message.correlation_id,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        try:
            await channel.default_exchange.publish(letter, name, timeout=10)
        except DeliveryError:
            typer.echo(f"{name} does not take event {message.message_id}; it stays a dead letter", err=True)
            raise typer.Exit(1) from None

    _settle(amqp, queue=queue, event_id=event_id, act=put_back, done="put back")


@app.command()
def drop(
    amqp: Amqp,
    queue: Queue = None,
    event_id: EventId = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """Delete dead letters for good."""
    if not yes:
        what = f"event {event_id}" if event_id else "all dead letters"
        typer.confirm(f"Delete {what} of {queue or 'every queue'} for good?", abort=True)

    async def let_go(_: AbstractChannel, __: str, ___: AbstractIncomingMessage) -> None:
        return

    _settle(amqp, queue=queue, event_id=event_id, act=let_go, done="dropped")


def _settle(
    amqp: str,
    *,
    queue: str | None,
    event_id: str | None,
    act: Callable[[AbstractChannel, str, AbstractIncomingMessage], Awaitable[None]],
    done: str,
) -> None:
    async def settle(connection: AbstractConnection) -> None:
        count = 0
        # A queue that is gone must not swallow what is put back into it.
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        for name in await _chosen(connection, queue):
            async for message in _each(channel, messaging.dead(name)):
                if event_id is None or event_id == message.message_id:
                    await act(channel, name, message)
                    await message.ack()
                    count += 1
        typer.echo(f"{count} {done}")
        if event_id is not None and count == 0:
            raise typer.Exit(1)

    _run(amqp, settle)


async def _each(channel: AbstractChannel, queue: str) -> AsyncIterator[AbstractIncomingMessage]:
    """Give what is in a queue now; what the caller does not acknowledge is back when the connection ends."""
    declared = await channel.declare_queue(queue, passive=True)
    # Only as many as there are: one that is replayed and dies again must not be met again.
    for _ in range(declared.declaration_result.message_count or 0):
        message = await declared.get(fail=False)
        if message is None:
            return
        yield message


async def _chosen(amqp: AbstractConnection, queue: str | None) -> list[str]:
    """Name the queue that was asked for, or all that have dead letters beside them."""
    if queue is not None:
        name = queue.removesuffix(messaging.dead(""))
        if not await _exists(amqp, messaging.dead(name)):
            typer.echo(f"There is no queue {messaging.dead(name)}", err=True)
            raise typer.Exit(1)
        return [name]
    # AMQP cannot list queues, but their names follow from the services and the events there are.
    possible = [f"{service}.{fact.type}" for service in SERVICES for fact in EVENTS]
    return [name for name in possible if await _exists(amqp, messaging.dead(name))]


async def _exists(amqp: AbstractConnection, queue: str) -> bool:
    channel = await amqp.channel()  # the broker closes it when the answer is no
    try:
        await channel.declare_queue(queue, passive=True)
    except ChannelNotFoundEntity:
        return False
    await channel.close()
    return True


def _show(queue: str, message: AbstractIncomingMessage) -> None:
    cause = str(message.headers.get(messaging.CAUSE_HEADER) or "")
    typer.echo(
        f"{queue}  {message.message_id or 'without id'}  {_age(message)}\n"
        f"  {_type(message.body)}\n"
        f"  {cause or 'no cause is known: its consumer died each time that it was delivered'}"
    )


def _type(body: bytes) -> str:
    try:
        event: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return f"{len(body)} bytes that are no JSON"
    if not isinstance(event, dict):
        return "JSON, but no event"
    return f"{event.get('type', 'no type')}, subject {event.get('subject', 'none')}"


def _age(message: AbstractIncomingMessage) -> str:
    try:
        failed_at = datetime.fromisoformat(str(message.headers.get(messaging.FAILED_AT_HEADER)))
    except ValueError:
        return "age unknown"
    seconds = (datetime.now(UTC) - failed_at).total_seconds()
    for size, unit in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit} ago"
    return f"{max(0, seconds):.0f} seconds ago"


def _run(amqp: str, work: Callable[[AbstractConnection], Coroutine[Any, Any, None]]) -> None:
    async def connected() -> None:
        async with await aio_pika.connect(amqp, timeout=10) as connection:
            await work(connection)

    try:
        asyncio.run(connected())
    except (AMQPConnectionError, OSError) as error:
        typer.echo(f"No RabbitMQ answers at the address given: {error}", err=True)
        raise typer.Exit(1) from None
