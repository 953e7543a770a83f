import asyncio
import itertools
import json
import socket
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from standardwebhooks import Webhook as Verifier

from services.notifications import webhooks as channel
from services.notifications.dispatch import call_webhooks
from services.notifications.domain.addresses import AddressRules, parse_networks
from services.notifications.main import Settings, create_app
from services.notifications.store import webhooks as store
from shared.api.orders import Status
from shared.clock import utc_now
from tests.notifications.builders import a_caller, a_member, created, moved, overdue, sent
from tests.notifications.receivers import (
    Receiver,
    answering,
    failing_first,
    hanging,
    receiving,
)
from tests.notifications.telling import feed_of, tell
from tests.service_client import Service, serving
from tests.waiting import eventually

PEOPLE = (a_member("ann"), a_member("fei"))
OPEN = AddressRules(allowed=parse_networks(["127.0.0.0/8"]))


async def a_webhook(notifications: Service, receiver: Receiver, *, user: str = "fei", **body: Any) -> Any:
    answer = await notifications.call(
        "POST", "/webhooks", caller=a_caller(user), json={"url": receiver.url} | body
    )
    assert answer.status == 201, answer.json
    return answer.json


async def deliveries(notifications: Service, webhook: Any, *, user: str = "fei") -> Any:
    path = f"/webhooks/{webhook['id']}/deliveries?limit=100"
    return (await notifications.call("GET", path, caller=a_caller(user))).json["items"]


async def time_passes(notifications: Service) -> None:
    """Let every waiting delivery be due, as if its delay were over."""
    db = notifications.app.state.db
    now = utc_now()
    await db["deliveries"].update_many({"state": "pending"}, {"$set": {"next_at": now}})
    await db["webhooks"].update_many({}, {"$set": {"due_at": now, "leased_until": now}})


async def test_an_event_arrives_signed_as_the_specification_says(notifications: Service) -> None:
    async with receiving(answering(204)) as [receiver]:
        webhook = await a_webhook(notifications, receiver)

        await tell(notifications, *PEOPLE, created())

        await eventually(lambda: receiver.got)
        [(headers, body)] = receiver.got
        event = Verifier(webhook["secret"]).verify(body, headers)
        assert event["type"] == "order.created.v1"
        assert event["data"]["order_id"] == "order-1"
        assert headers["webhook-id"] == event["id"]
        assert headers["content-type"] == "application/json"

        async def is_logged() -> bool:
            [delivery] = await deliveries(notifications, webhook)
            assert delivery["state"] == "delivered"
            [attempt] = delivery["attempts"]
            return bool(attempt["status"] == 204)

        await eventually(is_logged)


async def test_an_organisation_gets_the_events_that_it_asked_for_and_none_of_others(
    notifications: Service,
) -> None:
    async with receiving(answering(200), answering(200), answering(200)) as [own, picky, other]:
        await a_webhook(notifications, own)
        await a_webhook(notifications, picky, user="ann", event_types=["order.overdue.v1"])
        stranger = a_caller("sam", side="buyer", organisation_id="buyer-2")
        await notifications.call("POST", "/webhooks", caller=stranger, json={"url": other.url})

        await tell(notifications, *PEOPLE, created(), sent(1), overdue())

        await eventually(lambda: len(own.got) == 3 and len(picky.got) == 1)
        assert json.loads(picky.got[0][1])["type"] == "order.overdue.v1"
        assert other.got == []


async def test_a_failed_delivery_is_tried_again_with_the_same_id(notifications: Service) -> None:
    async with receiving(failing_first(3)) as [receiver]:
        webhook = await a_webhook(notifications, receiver)
        await tell(notifications, *PEOPLE, created())

        for tries in range(1, 5):
            await eventually(lambda tries=tries: len(receiver.got) == tries)  # type: ignore[misc]
            await eventually(lambda tries=tries: _has_tries(notifications, webhook, tries))  # type: ignore[misc]
            await time_passes(notifications)

        assert len(set(receiver.ids)) == 1
        [delivery] = await deliveries(notifications, webhook)
        assert [attempt["status"] for attempt in delivery["attempts"]] == [500, 500, 500, 200]
        assert delivery["state"] == "delivered"
        assert len(receiver.got) == 4


async def _has_tries(notifications: Service, webhook: Any, tries: int) -> bool:
    [delivery] = await deliveries(notifications, webhook)
    return len(delivery["attempts"]) == tries


async def test_the_first_retry_comes_by_itself(notifications: Service) -> None:
    async with receiving(failing_first(1)) as [receiver]:
        await a_webhook(notifications, receiver)
        await tell(notifications, *PEOPLE, created())

        await eventually(lambda: len(receiver.got) == 2)


async def test_a_repeated_event_is_sent_once(notifications: Service) -> None:
    async with receiving(answering(200)) as [receiver]:
        webhook = await a_webhook(notifications, receiver)
        event = {"event_id": "event-1", "at": utc_now()}
        await tell(notifications, *PEOPLE)

        await asyncio.gather(*(tell(notifications, created(), **event) for _ in range(5)))
        await tell(notifications, moved(Status.SHIPPED))

        await eventually(lambda: len(receiver.got) == 2)
        assert len(await deliveries(notifications, webhook)) == 2
        assert receiver.ids.count("event-1") == 1


async def test_nine_receivers_that_hang_do_not_delay_the_tenth(notifications: Service) -> None:
    events = 20
    async with receiving(*[hanging] * 9, answering(200)) as receivers:
        for receiver in receivers:
            await a_webhook(notifications, receiver)
        await tell(notifications, *PEOPLE)

        await tell(notifications, *(created(order_id=f"order-{n}") for n in range(events)))

        *silent, quick = receivers
        await eventually(lambda: len(quick.got) == events)
        assert len(set(quick.ids)) == events
        attempts = [len(receiver.got) for receiver in silent]
        assert all(1 <= count <= 4 for count in attempts), attempts


async def test_what_waited_for_a_receiver_arrives_in_its_order(notifications: Service) -> None:
    away, taken = True, list[str]()

    async def behave(request: web.Request) -> web.StreamResponse:
        if not away:
            taken.append(request.headers["webhook-id"])
        return web.Response(status=503 if away else 200)

    async with receiving(behave) as [receiver]:
        await a_webhook(notifications, receiver)
        await tell(notifications, *PEOPLE)
        ids = [f"event-{n:02}" for n in range(10)]
        for n, event_id in enumerate(ids):
            await tell(notifications, created(order_id=f"order-{n}"), event_id=event_id)
        await eventually(lambda: len(receiver.got) >= 10)
        assert receiver.ids[:10] == ids

        away = False
        await time_passes(notifications)

        await eventually(lambda: len(taken) == 10)
        assert taken == ids


async def test_many_instances_share_the_work(notifications: Service) -> None:
    async with receiving(*[answering(200)] * 3) as receivers:
        for receiver in receivers:
            await a_webhook(notifications, receiver)
        others = [
            asyncio.create_task(
                call_webhooks(
                    notifications.app.state.db,
                    rules=OPEN,
                    answer_within=timedelta(seconds=15),
                    disable_after=timedelta(days=5),
                    mailing=notifications.app.state.mailing,
                )
            )
            for _ in range(3)
        ]
        await tell(notifications, *PEOPLE)

        await tell(notifications, *(created(order_id=f"order-{n}") for n in range(30)))

        await eventually(lambda: all(len(receiver.got) >= 30 for receiver in receivers))
        for other in others:
            other.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        assert [len(receiver.got) for receiver in receivers] == [30, 30, 30]


async def test_what_a_crashed_instance_had_in_hand_is_sent_by_another(notifications: Service) -> None:
    async with receiving(answering(200)) as [receiver]:
        webhook = await a_webhook(notifications, receiver)
        db = notifications.app.state.db
        crashed_until = utc_now() + timedelta(seconds=1)
        await db["webhooks"].update_one({"_id": webhook["id"]}, {"$set": {"leased_until": crashed_until}})

        await tell(notifications, *PEOPLE, created())

        await eventually(lambda: receiver.got)
        assert utc_now() >= crashed_until


async def test_a_receiver_that_fails_for_days_is_switched_off_with_a_notice(notifications: Service) -> None:
    async with receiving(answering(500)) as [receiver]:
        webhook = await a_webhook(notifications, receiver)
        long_ago = utc_now() - timedelta(days=6)
        db = notifications.app.state.db
        await db["webhooks"].update_one({}, {"$set": {"failing_since": long_ago}})

        await tell(notifications, *PEOPLE, a_member("gao", role="viewer"), created())

        assert "every try failed for 5 days" in await eventually(
            lambda: _disabled_reason(notifications, webhook)
        )
        told = [item for item in await feed_of(notifications, "fei") if item["kind"] == "webhook_disabled"]
        assert [item["title"] for item in told] == ["The webhook to 127.0.0.1 was switched off"]
        assert told[0]["order_id"] is None
        assert not any(item["kind"] == "webhook_disabled" for item in await feed_of(notifications, "gao"))

        await tell(notifications, overdue())
        assert len(await deliveries(notifications, webhook)) == 1
        switched_on = await notifications.call(
            "PATCH", f"/webhooks/{webhook['id']}", caller=a_caller("fei"), json={"enabled": True}
        )
        assert (switched_on.json["enabled"], switched_on.json["failing_since"]) == (True, None)


async def _disabled_reason(notifications: Service, webhook: Any) -> str | None:
    listed = await notifications.call("GET", "/webhooks", caller=a_caller("fei"))
    [found] = [item for item in listed.json["items"] if item["id"] == webhook["id"]]
    reason: str | None = found["disabled_reason"]
    return reason


async def test_a_receiver_that_is_gone_is_switched_off_at_once(notifications: Service) -> None:
    async with receiving(answering(410)) as [receiver]:
        webhook = await a_webhook(notifications, receiver)

        await tell(notifications, *PEOPLE, created())

        assert "410" in str(await eventually(lambda: _disabled_reason(notifications, webhook)))


async def test_a_delivery_is_sent_again_by_hand(notifications: Service) -> None:
    async with receiving(answering(200)) as [receiver]:
        webhook = await a_webhook(notifications, receiver)
        await tell(notifications, *PEOPLE, created())
        await eventually(lambda: _has_tries(notifications, webhook, 1))
        [delivery] = await deliveries(notifications, webhook)
        path = f"/webhooks/{webhook['id']}/deliveries/{delivery['id']}/redeliver"

        answer = await notifications.call("POST", path, caller=a_caller("fei"))

        assert answer.status == 202
        await eventually(lambda: len(receiver.got) == 2)
        assert len(set(receiver.ids)) == 1


async def test_a_rotated_secret_overlaps_with_the_one_before(notifications: Service) -> None:
    async with receiving(answering(200)) as [receiver]:
        webhook = await a_webhook(notifications, receiver)
        path = f"/webhooks/{webhook['id']}/secret"

        renewed = (await notifications.call("POST", path, caller=a_caller("fei"))).json
        await tell(notifications, *PEOPLE, created())

        await eventually(lambda: receiver.got)
        [(headers, body)] = receiver.got
        assert renewed["secret"] != webhook["secret"]
        for secret in (webhook["secret"], renewed["secret"]):
            Verifier(secret).verify(body, headers)
        listed = await notifications.call("GET", "/webhooks", caller=a_caller("fei"))
        assert "secret" not in listed.json["items"][0]


async def test_a_redirect_is_not_followed(notifications: Service) -> None:
    async with receiving(answering(200)) as [inside]:
        async with receiving(answering(307, location=inside.url)) as [receiver]:
            webhook = await a_webhook(notifications, receiver)
            await tell(notifications, *PEOPLE, created())
            await eventually(lambda: _has_tries(notifications, webhook, 1))

        assert inside.got == []


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hook",
        "ftp://example.com/hook",
        "https://",
        "https://localhost/hook",
        "https://127.0.0.1/hook",
        "https://127.1/hook",
        "https://2130706433/hook",
        "https://0x7f.0.0.1/hook",
        "https://0.0.0.0/hook",
        "https://10.1.2.3/hook",
        "https://172.16.0.1/hook",
        "https://192.168.1.1/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://100.64.0.1/hook",
        "https://[::1]/hook",
        "https://[::ffff:127.0.0.1]/hook",
        "https://[64:ff9b::7f00:1]/hook",
        "https://[2002:7f00:1::]/hook",
        "https://[fe80::1]/hook",
        "https://[fd00::1]/hook",
        "https://224.0.0.1/hook",
        "https://erp.internal/hook",
        "https://user:secret@example.com/hook",
        "https://example.com/hook#part",
        "https://exa mple.com/hook",
        "https://example.com/<hook>",
        "not a url",
    ],
)
async def test_only_public_https_addresses_are_taken(settings: Settings, url: str) -> None:
    strict = settings.model_copy(update={"webhook_allow_networks": ""})
    async with serving(create_app(strict)) as notifications:
        answer = await notifications.call("POST", "/webhooks", caller=a_caller("fei"), json={"url": url})

    assert answer.status == 422, answer.json
    assert answer.json["errors"][0]["pointer"] == "/url"


async def test_a_name_that_turns_inward_after_the_check_is_not_called(
    notifications: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with receiving(answering(200)) as [receiver]:
        port = int(receiver.url.split(":")[2].split("/")[0])
        answers = itertools.chain(["93.184.215.14"], itertools.repeat("10.0.0.7"))
        real = socket.getaddrinfo

        def getaddrinfo(host: str, *args: Any, **options: Any) -> Any:
            if host == "rebinding.example.com":
                return real(next(answers), port, type=socket.SOCK_STREAM)
            return real(host, *args, **options)

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        receiver.url = f"https://rebinding.example.com:{port}/hook"
        webhook = await a_webhook(notifications, receiver)

        await tell(notifications, *PEOPLE, created())

        await eventually(lambda: _has_tries(notifications, webhook, 1))
        [delivery] = await deliveries(notifications, webhook)
        assert "not allowed" in delivery["attempts"][0]["error"]
        assert receiver.got == []


async def test_the_checked_address_is_the_one_that_is_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lookups: list[str] = []
    real = socket.getaddrinfo

    def getaddrinfo(host: str, *args: Any, **options: Any) -> Any:
        lookups.append(host)
        return real("127.0.0.1" if host == "once.example.com" else host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    async with receiving(answering(200)) as [receiver]:
        url = receiver.url.replace("127.0.0.1", "once.example.com").replace("http:", "https:")
        async with channel.sender(rules=OPEN, within=15, clock=utc_now) as sender, sender.http:
            with pytest.raises(Exception, match=r"SSL|TLS|ssl"):
                await sender.http.post(url)

    assert lookups.count("once.example.com") == 1


async def test_webhooks_belong_to_one_organisation_and_are_no_viewers_business(
    notifications: Service,
) -> None:
    async with receiving(answering(200)) as [receiver]:
        webhook = await a_webhook(notifications, receiver)
    path = f"/webhooks/{webhook['id']}"
    calls = [
        ("PATCH", path, {"enabled": False}),
        ("DELETE", path, None),
        ("POST", f"{path}/secret", None),
        ("GET", f"{path}/deliveries", None),
        ("POST", f"{path}/deliveries/x/redeliver", None),
    ]

    for method, address, body in calls:
        stranger = await notifications.call(method, address, caller=a_caller("ann"), json=body)
        viewer = await notifications.call(method, address, caller=a_caller("fei", role="viewer"), json=body)
        assert (stranger.status, stranger.json["type"]) == (404, "/problems/webhook-not-found")
        assert (viewer.status, viewer.json["type"]) == (403, "/problems/role-not-sufficient")
    for method, body in (("GET", None), ("POST", {"url": receiver.url})):
        viewer = await notifications.call(
            method, "/webhooks", caller=a_caller("fei", role="viewer"), json=body
        )
        assert viewer.status == 403
    assert (await notifications.call("DELETE", path, caller=a_caller("fei"))).status == 204
    assert (await notifications.call("GET", "/webhooks", caller=a_caller("fei"))).json["items"] == []


async def test_an_unknown_event_type_is_refused_with_a_pointer(notifications: Service) -> None:
    answer = await notifications.call(
        "POST",
        "/webhooks",
        caller=a_caller("fei"),
        json={"url": "https://example.com/hook", "event_types": ["order.created.v1", "member.changed.v1"]},
    )

    assert answer.status == 422
    assert answer.json["errors"][0]["pointer"] == "/event_types/1"


async def test_an_ended_lease_never_forgets_what_became_due_meanwhile(notifications: Service) -> None:
    async with receiving(answering(200)) as [receiver]:
        webhook = await a_webhook(notifications, receiver)
        db = notifications.app.state.db
        leased_until = datetime(2099, 1, 1, tzinfo=UTC)
        await db["webhooks"].update_one({}, {"$set": {"leased_until": leased_until, "due_at": leased_until}})
        await tell(notifications, *PEOPLE, created())
        found = await store.get_webhook(db, webhook["id"], caller=a_caller("fei"))

        await store.end_lease(db, found, leased_until=leased_until, rest_until=utc_now())

        await eventually(lambda: receiver.got)
