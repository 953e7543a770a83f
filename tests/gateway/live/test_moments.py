"""What is told to whoever listens now, and kept by nobody."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aio_pika
import pytest

from shared.moments import MOMENTS
from tests.gateway.live.builders import an_event, message
from tests.gateway.live.conftest import Gateway, Publish, StartGateway
from tests.gateway.live.sse import listening
from tests.waiting import eventually

pytestmark = pytest.mark.parts

BUYER, FACTORY, STRANGER = "wei/buyer/s1", "li/factory/s2", "max/elsewhere/s3"
Tell = Callable[..., Awaitable[None]]


def typing(side: str = "buyer", **data: Any) -> dict[str, Any]:
    return an_event("message.typing.v1", user_id="wei", name="Wei", side=side, state="typing", **data)


@pytest.fixture
async def tell(amqp_url: str) -> AsyncIterator[Tell]:
    async with await aio_pika.connect(amqp_url) as connection:
        channel = await connection.channel()
        exchange = await channel.declare_exchange(MOMENTS.name, aio_pika.ExchangeType.TOPIC, durable=True)

        async def send(*moments: dict[str, Any] | bytes) -> None:
            for moment in moments:
                body = moment if isinstance(moment, bytes) else json.dumps(moment).encode()
                await exchange.publish(message(body), "message.typing.v1", mandatory=False)

        yield send


async def test_the_other_side_sees_who_is_typing_on_every_gateway_and_nobody_else_does(
    start_gateway: StartGateway, publish: Publish, tell: Tell
) -> None:
    moment = typing()
    async with (
        start_gateway() as one,
        start_gateway() as two,
        listening(one.url, FACTORY) as here,
        listening(two.url, FACTORY) as there,
        listening(one.url, BUYER) as own,
        listening(one.url, STRANGER) as stranger,
    ):
        everybody = (here, there, own, stranger)
        await eventually(lambda: all(listener.types == ["ready"] for listener in everybody))

        async def is_heard() -> bool:
            await tell(moment)
            return all("message.typing.v1" in listener.types for listener in (here, there))

        await eventually(is_heard, every=0.2)
        await publish(an_event(), an_event(buyer_id="elsewhere", factory_id="elsewhere"))
        await eventually(lambda: all("order.updated.v1" in listener.types for listener in everybody))

    assert json.loads(here.heard[1].data) == moment
    assert "message.typing.v1" not in own.types + stranger.types


async def test_a_moment_leaves_the_cursor_alone_and_is_not_told_again(
    gateway: Gateway, publish: Publish, tell: Tell
) -> None:
    first, missed = an_event(), an_event()

    async with listening(gateway.url, FACTORY) as factory:
        await eventually(lambda: factory.types == ["ready"])
        await publish(first)
        await eventually(lambda: factory.event_ids == [first["id"]])
        cursor = factory.last_event_id

        async def is_heard() -> bool:
            await tell(typing())
            return "message.typing.v1" in factory.types

        await eventually(is_heard, every=0.2)
        assert factory.last_event_id == cursor
        await factory.cut()
        async with listening(gateway.url, FACTORY) as witness:
            await eventually(lambda: witness.types[:1] == ["ready"])
            last = typing()
            await tell(last)
            # Those told again and again above may come late: past the last one nothing is on its way.
            await eventually(lambda: any(json.loads(event.data) == last for event in witness.heard[1:]))
        await publish(missed)
        seen = len(factory.heard)
        factory.start()
        await eventually(lambda: len(factory.heard) >= seen + 2)

    assert [event.type for event in factory.heard[seen:]] == ["ready", "order.updated.v1"]


async def test_what_is_no_moment_ends_nothing(gateway: Gateway, tell: Tell) -> None:
    async with listening(gateway.url, FACTORY) as factory:
        await eventually(lambda: factory.types == ["ready"])
        await tell(b"{", b"[]", b"{}", typing(side="nobody"), an_event("order.created.v1"))

        async def is_heard() -> bool:
            await tell(typing())
            return "message.typing.v1" in factory.types

        await eventually(is_heard, every=0.2)

    assert set(factory.types) == {"ready", "message.typing.v1"}
