"""What a client hears."""

import json
import re
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from starlette.middleware.gzip import GZipMiddleware

from tests.gateway.live import small_gateway, sse
from tests.gateway.live.builders import an_event
from tests.gateway.live.conftest import Gateway, Publish, StartGateway, serving
from tests.gateway.live.sse import listening
from tests.waiting import eventually

pytestmark = pytest.mark.parts

PING = timedelta(seconds=0.3)
BUYER, FACTORY, STRANGER = "wei/buyer/s1", "li/factory/s2", "max/elsewhere/s3"


async def arrived(listener: sse.Listener, events: list[dict[str, Any]]) -> None:
    await eventually(lambda: listener.event_ids == [event["id"] for event in events])


async def test_ready_comes_first_then_each_event_exactly_as_it_was_published(
    gateway: Gateway, publish: Publish
) -> None:
    event = an_event("order.status_changed.v1", note="fünf 五")

    async with listening(gateway.url, BUYER) as buyer:
        await eventually(lambda: buyer.types == ["ready"])
        await publish(event)
        await arrived(buyer, [event])

    ready, heard = buyer.heard
    assert heard.type == "order.status_changed.v1"
    assert heard.data == json.dumps(event)
    assert re.fullmatch(r"\d+-[0-9a-f]{8}", heard.id or "")
    assert ready.id != heard.id


async def test_proxies_and_browsers_are_told_how_to_treat_it(gateway: Gateway) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{gateway.url}/stream", headers={"Authorization": BUYER}) as response,
    ):
        first = await response.content.readuntil(b"\n\n")

    assert response.status == 200
    assert response.content_type == "text/event-stream"
    assert response.headers["Cache-Control"] == "no-cache, no-transform"
    assert response.headers["X-Accel-Buffering"] == "no"
    assert re.fullmatch(rb"retry: \d{4}\n\n", first)


async def test_nobody_unknown_hears_anything(gateway: Gateway) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{gateway.url}/stream") as response:
        problem = await response.json(content_type="application/problem+json")

    assert response.status == 401
    assert problem["type"] == "/problems/unauthenticated"


async def test_both_sides_hear_of_an_order_and_no_stranger_does(gateway: Gateway, publish: Publish) -> None:
    ours, theirs = an_event(), an_event(buyer_id="elsewhere", factory_id="another")

    async with (
        listening(gateway.url, BUYER) as buyer,
        listening(gateway.url, FACTORY) as factory,
        listening(gateway.url, STRANGER) as stranger,
    ):
        await eventually(lambda: buyer.types == factory.types == stranger.types == ["ready"])
        await publish(ours, theirs)
        await arrived(buyer, [ours])
        await arrived(factory, [ours])
        await arrived(stranger, [theirs])


async def test_a_notification_is_its_users_alone(gateway: Gateway, publish: Publish) -> None:
    mine = an_event("notification.created.v1", user_id="wei", organisation_id="buyer")
    colleagues = an_event("notification.created.v1", user_id="colleague", organisation_id="buyer")

    async with listening(gateway.url, BUYER) as me, listening(gateway.url, "colleague/buyer/s4") as other:
        await eventually(lambda: me.types == other.types == ["ready"])
        await publish(colleagues, mine)
        await arrived(me, [mine])
        await arrived(other, [colleagues])


async def test_what_the_stream_does_not_carry_stays_off_it(gateway: Gateway, publish: Publish) -> None:
    unheard = [
        an_event(each, user_id="wei", organisation_id="buyer")
        for each in ("quote.accepted.v1", "message.blocked.v1", "attachment.stored.v1", "member.changed.v1")
    ]
    heard = an_event()

    async with listening(gateway.url, BUYER) as buyer:
        await eventually(lambda: buyer.types == ["ready"])
        await publish(*unheard, heard)
        await arrived(buyer, [heard])


async def test_an_event_published_twice_is_heard_once(gateway: Gateway, publish: Publish) -> None:
    first, second = an_event(), an_event()

    async with listening(gateway.url, BUYER) as buyer:
        await eventually(lambda: buyer.types == ["ready"])
        await publish(first, first, second, first)
        await publish(last := an_event())
        await arrived(buyer, [first, second, last])


async def test_what_is_no_event_stops_nothing(gateway: Gateway, publish: Publish) -> None:
    event = an_event()

    async with listening(gateway.url, BUYER) as buyer:
        await eventually(lambda: buyer.types == ["ready"])
        await publish(b"no json", b"[]", b'{"id": "1"}', b"\xff", event)
        await arrived(buyer, [event])


async def test_a_client_that_was_away_hears_what_it_missed_from_any_instance(
    start_gateway: StartGateway, publish: Publish
) -> None:
    before, missed, live = an_event(), [an_event() for _ in range(50)], an_event()

    async with start_gateway() as one, start_gateway() as other:
        async with listening(one.url, BUYER) as buyer:
            await eventually(lambda: buyer.types == ["ready"])
            await publish(before)
            await arrived(buyer, [before])
        await publish(*missed, an_event(buyer_id="elsewhere", factory_id="another"))
        async with listening(other.url, BUYER, last_event_id=buyer.last_event_id) as again:
            await eventually(lambda: len(again.event_ids) == 50)
            await publish(live)
            await arrived(again, [*missed, live])

    assert again.heard[0] == sse.Event("ready", buyer.last_event_id, "{}")
    assert "resync" not in again.types


async def test_a_client_is_caught_up_after_all_gateways_were_restarted(
    start_gateway: StartGateway, publish: Publish
) -> None:
    before, missed = an_event(), an_event()
    async with start_gateway() as old, listening(old.url, BUYER) as buyer:
        await eventually(lambda: buyer.types == ["ready"])
        await publish(before)
        await arrived(buyer, [before])

    await publish(missed)

    async with (
        start_gateway() as new,
        listening(new.url, BUYER, last_event_id=buyer.last_event_id) as again,
    ):
        await arrived(again, [missed])
    assert "resync" not in again.types


async def test_a_client_that_has_heard_nothing_yet_has_a_cursor_all_the_same(
    gateway: Gateway, publish: Publish
) -> None:
    async with listening(gateway.url, BUYER) as buyer:
        await eventually(lambda: buyer.types == ["ready"])
    await publish(missed := an_event())

    async with listening(gateway.url, BUYER, last_event_id=buyer.last_event_id) as again:
        await arrived(again, [missed])


@pytest.mark.parametrize("cursor", ["yesterday", "0-00000000", "0", "99999-12345678", "\u00e9"])
async def test_a_cursor_of_no_use_is_answered_by_resync_and_the_live_events(
    gateway: Gateway, publish: Publish, cursor: str
) -> None:
    async with listening(gateway.url, BUYER) as before:
        await eventually(lambda: before.types == ["ready"])
        await publish(missed := an_event())
        await eventually(lambda: before.types == ["ready", missed["type"]])

    async with listening(gateway.url, BUYER, last_event_id=cursor) as buyer:
        await eventually(lambda: buyer.types == ["ready", "resync"])
        await publish(live := an_event())
        await eventually(lambda: buyer.types == ["ready", "resync", live["type"]])

    assert buyer.heard[0].id is None, (
        "a client that is cut off before resync must come back with its old cursor"
    )
    assert buyer.heard[1].id is not None


async def test_a_cursor_older_than_what_is_kept_is_answered_by_resync(
    start_gateway: StartGateway, publish: Publish
) -> None:
    big = "x" * 10_000

    async with start_gateway(most_bytes=50_000) as gateway:
        async with listening(gateway.url, BUYER) as buyer:
            await eventually(lambda: buyer.types == ["ready"])
        await publish(*(an_event(note=big) for _ in range(10)))

        async def is_told() -> bool:
            async with listening(gateway.url, BUYER, last_event_id=buyer.last_event_id) as again:
                await eventually(lambda: len(again.types) > 1)
                return again.types[:2] == ["ready", "resync"]

        # As long as the gateway has not heard all of them yet, the cursor is still good.
        await eventually(is_told)


async def test_pings_come_and_carry_a_cursor_as_good_as_an_events(
    start_gateway: StartGateway, publish: Publish
) -> None:
    async with start_gateway(ping_every=PING) as gateway:
        async with listening(gateway.url, BUYER) as buyer:
            await eventually(lambda: buyer.types[:1] == ["ready"])
            await publish(an_event(buyer_id="elsewhere", factory_id="another"))
            # It moves on with what concerns others.
            await eventually(lambda: buyer.types[-1] == "ping" and buyer.heard[-1].id != buyer.heard[0].id)
        await publish(missed := an_event())
        async with listening(gateway.url, BUYER, last_event_id=buyer.heard[-1].id) as again:
            await arrived(again, [missed])


async def test_a_user_has_so_many_streams_and_no_more(start_gateway: StartGateway) -> None:
    async with start_gateway(most_streams_per_user=2) as gateway:
        async with listening(gateway.url, BUYER) as oldest, listening(gateway.url, "wei/buyer/s9") as second:
            await eventually(lambda: oldest.types == second.types == ["ready"])
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"{gateway.url}/stream", headers={"Authorization": BUYER}) as response,
            ):
                problem = await response.json(content_type="application/problem+json")
            async with listening(gateway.url, STRANGER) as stranger:
                await eventually(lambda: stranger.types == ["ready"])

        assert response.status == 429
        assert problem["type"] == "/problems/too-many-streams"
        assert int(response.headers["Retry-After"]) > 0
        async with listening(gateway.url, BUYER) as later:
            await eventually(lambda: later.types == ["ready"])


async def test_a_client_that_comes_back_takes_the_place_of_the_oldest_connection(
    start_gateway: StartGateway,
) -> None:
    async with (
        start_gateway(most_streams_per_user=2) as gateway,
        listening(gateway.url, BUYER, pause=30) as lost,
        listening(gateway.url, BUYER, pause=30) as other,
    ):
        await eventually(lambda: lost.types == other.types == ["ready"])
        async with listening(gateway.url, BUYER, last_event_id=lost.last_event_id) as back:
            await eventually(lambda: back.types == ["ready"])
            assert gateway.open_streams == 2


async def test_a_revoked_session_ends_its_streams_and_no_others(gateway: Gateway, publish: Publish) -> None:
    async with (
        listening(gateway.url, "wei/buyer/revoked", pause=30) as out,
        listening(gateway.url, "wei/buyer/alive", pause=30) as still_in,
    ):
        await eventually(lambda: out.types == still_in.types == ["ready"])
        gateway.app.state.revoked.add("revoked")
        await eventually(lambda: gateway.open_streams == 1)
        await publish(event := an_event())
        await arrived(still_in, [event])

    assert out.types == ["ready"]


async def test_compression_delays_no_event(amqp_url: str, publish: Publish) -> None:
    app = small_gateway.create_app(amqp_url=amqp_url)
    app.add_middleware(GZipMiddleware)

    async with serving(app) as gateway, listening(gateway.url, BUYER) as buyer:
        await eventually(lambda: buyer.types == ["ready"])
        await publish(event := an_event())
        await arrived(buyer, [event])
