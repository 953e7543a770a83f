import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from email.message import EmailMessage
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from pydantic import SecretStr

from deploy import ports
from services.notifications import mail as channel
from services.notifications.main import Settings, create_app
from services.notifications.use_cases import mail as use_cases
from services.notifications.use_cases.mail import Office
from shared.api.orders import Status
from shared.clock import utc_now
from shared.identity import HEADER, sign
from tests.notifications import builders
from tests.notifications.builders import (
    a_caller,
    a_member,
    an_organisation,
    created,
    moved,
    overdue,
    read,
    sent,
)
from tests.notifications.mailboxes import Mailbox, mail_server, text_of
from tests.notifications.telling import tell
from tests.service_client import SECRET, Service, serving
from tests.waiting import eventually

PEOPLE = (a_member("ann"), a_member("fei"))
FEI, ANN = "fei@example.com", "ann@example.com"


@pytest.fixture
def smtp_port() -> int:
    return ports.pick()


@pytest.fixture
def settings(settings: Settings, smtp_port: int) -> Settings:
    return settings.model_copy(
        update={
            "smtp_url": SecretStr(f"smtp://127.0.0.1:{smtp_port}"),
            "mail_from": "Millrace <no-reply@millrace.example>",
            "support_address": "help@millrace.example",
            "public_url": "https://millrace.example",
        }
    )


@pytest.fixture
async def notifications(settings: Settings) -> AsyncIterator[Service]:
    async with serving(create_app(settings)) as service:
        yield service


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


async def prefer(notifications: Service, user: str, **preferences: Any) -> None:
    answer = await notifications.call(
        "PUT", "/notifications/preferences", caller=a_caller(user), json=preferences
    )
    assert answer.status == 200


async def time_passes(notifications: Service) -> None:
    """Let every waiting mail be due, but none that is in hand: its lease is three minutes."""
    now = utc_now()
    in_hand = {"$gt": now + timedelta(minutes=2), "$lte": now + timedelta(minutes=3)}
    await notifications.app.state.db["mails"].update_many(
        {"state": "waiting", "due_at": {"$not": in_hand}}, {"$set": {"due_at": now}}
    )


async def states(notifications: Service) -> list[str]:
    found = await notifications.app.state.db["mails"].find({}).to_list(None)
    return sorted(mail["state"] for mail in found)


async def test_a_new_order_is_mailed_at_once_in_text_and_html(
    notifications: Service, mailbox: Mailbox, smtp_port: int
) -> None:
    with mail_server(mailbox, port=smtp_port):
        await tell(notifications, *PEOPLE, created())
        [message] = await eventually(lambda: mailbox.mails)

    assert message["To"] == FEI
    assert message["Subject"] == "New order MR-2026-000001"
    assert message.get_content_type() == "multipart/alternative"
    for kind in ("plain", "html"):
        text = text_of(message, kind)
        assert "Hello Fei," in text
        assert "Bright Goods accepted your quote for Bracket." in text
        assert "https://millrace.example/orders/order-1" in text
    assert "prefers-color-scheme: dark" in text_of(message, "html")
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith("@millrace.example>")


async def test_names_cannot_write_the_mails_html_or_its_headers(
    notifications: Service, mailbox: Mailbox, smtp_port: int
) -> None:
    with mail_server(mailbox, port=smtp_port):
        await tell(notifications, *PEOPLE, created(buyer_name="<b>Big</b>\r\nBcc: all@example.com"))
        [message] = await eventually(lambda: mailbox.mails)

    assert "<b>Big</b>" not in text_of(message, "html")
    assert message["Bcc"] is None


async def test_one_click_ends_mails_of_its_kind_and_of_no_other(
    notifications: Service, mailbox: Mailbox, smtp_port: int
) -> None:
    with mail_server(mailbox, port=smtp_port):
        await tell(notifications, *PEOPLE, created())
        [message] = await eventually(lambda: mailbox.mails)
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        link = message["List-Unsubscribe"].strip("<>")
        assert link.startswith("https://millrace.example/api/v1/notifications/unsubscribe?token=")
        lines = mailbox.written[0].decode("ascii").split("\r\n")
        assert f"List-Unsubscribe: <{link}>" in lines, "neither folded nor encoded"
        url = link.replace("https://millrace.example/api/v1", notifications.url)

        nobody = {HEADER: sign(None, secret=SECRET, now=utc_now())}
        async with aiohttp.ClientSession(headers=nobody) as session:
            async with session.get(url) as page:
                assert page.status == 200
            assert (await _channels(notifications))["order_created"]["email"] == "immediate"
            async with session.post(url, data={"List-Unsubscribe": "One-Click"}) as done:
                assert done.status == 200
            async with session.post(url[:-4] + "AAAA") as forged:
                assert forged.status == 422

        kinds = await _channels(notifications)
        assert kinds["order_created"] == {"in_app": True, "email": "off"}
        assert kinds["order_overdue"]["email"] == "immediate"
        await tell(notifications, created(order_id="order-2"), overdue())
        await eventually(lambda: len(mailbox.to(FEI)) == 2)
        assert mailbox.to(FEI)[1]["Subject"] == "Order MR-2026-000001 is overdue"


async def _channels(notifications: Service) -> Any:
    answer = await notifications.call("GET", "/notifications/preferences", caller=a_caller("fei"))
    return answer.json["kinds"]


async def test_messages_that_stay_unread_cause_one_mail_for_the_thread_without_their_text(
    notifications: Service, mailbox: Mailbox, smtp_port: int
) -> None:
    await prefer(notifications, "fei", kinds={"order_created": {"email": "off"}})
    with mail_server(mailbox, port=smtp_port):
        await tell(notifications, *PEOPLE, created())
        for seq in range(1, 5):
            await tell(notifications, sent(seq, text="a secret word"))
        await time_passes(notifications)

        [message] = await eventually(lambda: mailbox.to(ANN))
        assert message["Subject"] == "4 new messages on order MR-2026-000001"
        assert "secret" not in text_of(message) + text_of(message, "html")

        await tell(notifications, sent(5))
        await eventually(lambda: _all_are(notifications, "sent"))
        assert await states(notifications) == ["sent"]

        await tell(notifications, read(5), sent(6))
        await time_passes(notifications)
        await eventually(lambda: len(mailbox.to(ANN)) == 2)
        assert mailbox.mails[-1]["Subject"] == "1 new message on order MR-2026-000001"


async def test_messages_that_are_read_in_time_cause_no_mail(
    notifications: Service, mailbox: Mailbox, smtp_port: int
) -> None:
    await prefer(notifications, "fei", kinds={"order_created": {"email": "off"}})
    with mail_server(mailbox, port=smtp_port):
        await tell(notifications, *PEOPLE, created(), sent(1), sent(2), read(2))
        await time_passes(notifications)

        await eventually(lambda: _all_are(notifications, "needless"))

    assert mailbox.mails == []


async def _all_are(notifications: Service, state: str) -> bool:
    found = await states(notifications)
    return bool(found) and set(found) == {state}


async def test_after_an_outage_every_mail_is_sent_once(
    notifications: Service, mailbox: Mailbox, smtp_port: int
) -> None:
    orders = [f"order-{n}" for n in range(40)]
    await tell(notifications, *PEOPLE)
    facts = [created(order_id=order, number=f"MR-{order}") for order in orders]
    for _ in range(2):
        await asyncio.gather(*(tell(notifications, fact) for fact in facts))
    assert await states(notifications) == ["waiting"] * 40

    with mail_server(mailbox, port=smtp_port):
        await eventually(lambda: len(mailbox.mails) >= 40, within=60)
        await eventually(lambda: _all_are(notifications, "sent"))
        mailbox.refusal = "451 busy"
        more = [created(order_id=f"late-{n}", number=f"MR-late-{n}") for n in range(3)]
        await tell(notifications, *more)
        await eventually(lambda: mailbox.refused >= 1)
        mailbox.refusal = None

        async def all_came() -> bool:
            # Again and again: the one that was refused is put off a little later than the mailbox knows.
            await time_passes(notifications)
            return len(mailbox.mails) >= 43

        await eventually(all_came, every=0.2)

    subjects = [message["Subject"] for message in mailbox.mails]
    assert sorted(subjects) == sorted(f"New order {fact.number}" for fact in [*facts, *more])
    assert len({message["Message-ID"] for message in mailbox.mails}) == 43


async def test_a_mail_that_the_server_will_never_take_holds_up_no_other(
    notifications: Service, mailbox: Mailbox, smtp_port: int
) -> None:
    mailbox.refusal = "554 no"
    with mail_server(mailbox, port=smtp_port):
        await tell(notifications, *PEOPLE, created())
        await eventually(lambda: _all_are(notifications, "refused"))
        mailbox.refusal = None
        await tell(notifications, created(order_id="order-2"))
        await eventually(lambda: mailbox.mails)

    assert len(mailbox.mails) == 1


async def test_an_address_that_is_put_off_holds_up_no_other(
    notifications: Service, mailbox: Mailbox, smtp_port: int
) -> None:
    mailbox.put_off = FEI
    with mail_server(mailbox, port=smtp_port):
        await tell(notifications, a_member("fei"), a_member("gus"), created(), created(order_id="order-2"))
        await eventually(lambda: len(mailbox.to("gus@example.com")) == 2)
        await eventually(lambda: mailbox.refused == 2)
        mailbox.put_off = None

        async def both_came() -> bool:
            await time_passes(notifications)
            return len(mailbox.to(FEI)) == 2

        await eventually(both_came, every=0.2)

    assert len(mailbox.mails) == 4


async def test_the_daily_mail_leaves_in_the_readers_morning_with_what_is_unread(
    notifications: Service, mailbox: Mailbox, smtp_port: int
) -> None:
    zone = ZoneInfo("Asia/Shanghai")
    await prefer(
        notifications,
        "ann",
        language="zh",
        time_zone=zone.key,
        kinds={"order_status_changed": {"email": "daily"}},
    )
    await tell(
        notifications,
        a_member("ann"),
        *(moved(step) for step in (Status.IN_PRODUCTION, Status.QUALITY_CHECK, Status.SHIPPED)),
    )
    listed = await notifications.call("GET", "/notifications", caller=a_caller("ann"))
    read_one = {"ids": [listed.json["items"][0]["id"]]}
    await notifications.call("POST", "/notifications/read", caller=a_caller("ann"), json=read_one)
    db = notifications.app.state.db
    [waiting] = await db["mails"].find({}).to_list(None)
    assert waiting["due_at"].astimezone(zone).time().hour == 8
    assert timedelta() < waiting["due_at"] - utc_now() <= timedelta(hours=25)

    with mail_server(mailbox, port=smtp_port):
        await db["mails"].update_one({}, {"$set": {"due_at": utc_now()}})
        [message] = await eventually(lambda: mailbox.mails)

    assert message["Subject"] == "昨日以来的动态：2 条"
    text = text_of(message)
    assert "Ann，您好" in text
    assert len(re.findall("订单 MR-2026-000001", text)) == 2
    for kind in ("plain", "html"):
        assert text_of(message, kind).count("https://millrace.example/orders/order-1") == 1, "once an order"


async def test_a_crash_between_a_notification_and_its_mail_costs_no_mail(
    notifications: Service, mailbox: Mailbox, smtp_port: int
) -> None:
    """The event comes again, after the daily mail of its day was closed."""
    await prefer(notifications, "ann", kinds={"order_status_changed": {"email": "daily"}})
    step = moved(Status.IN_PRODUCTION)
    await tell(notifications, a_member("ann"), step, sent(1))
    db = notifications.app.state.db
    # What is told at seven leaves at eight of the next day, 25 hours later.
    long_ago = utc_now() - timedelta(days=2)
    await db["mails"].delete_many({})
    await db["notifications"].update_many({}, {"$set": {"told_at": long_ago}})

    await tell(notifications, step, sent(1))
    with mail_server(mailbox, port=smtp_port):
        await eventually(lambda: _all_are(notifications, "sent"))

    assert {message["Subject"] for message in mailbox.mails} == {
        "What happened since yesterday: 1",
        "1 new message on order MR-2026-000001",
    }


async def test_mails_speak_the_organisations_language_and_keep_its_hours_unless_the_reader_chose_others(
    notifications: Service, mailbox: Mailbox, smtp_port: int
) -> None:
    await tell(
        notifications,
        *(a_member(user) for user in ("fei", "gus")),
        an_organisation("factory", language="zh", time_zone="Asia/Shanghai"),
    )
    await prefer(notifications, "gus", language="en")
    with mail_server(mailbox, port=smtp_port):
        await tell(notifications, created())
        await eventually(lambda: len(mailbox.mails) == 2)

    assert mailbox.to(FEI)[0]["Subject"] == "新订单 MR-2026-000001"
    assert mailbox.to("gus@example.com")[0]["Subject"] == "New order MR-2026-000001"
    page = await _unsubscribe_page(notifications, mailbox.to(FEI)[0])
    assert "不再接收此类邮件" in page
    await tell(notifications, moved(Status.DELIVERED, by=builders.ANN))
    mails = await notifications.app.state.db["mails"].find({"purpose": "digest"}).to_list(None)
    assert {mail["due_at"].astimezone(ZoneInfo("Asia/Shanghai")).hour for mail in mails} == {8}
    assert len(mails) == 2


async def _unsubscribe_page(notifications: Service, message: EmailMessage) -> str:
    link = message["List-Unsubscribe"].strip("<>")
    nobody = {HEADER: sign(None, secret=SECRET, now=utc_now())}
    url = link.replace("https://millrace.example/api/v1", notifications.url)
    async with aiohttp.ClientSession(headers=nobody) as session, session.get(url) as page:
        return await page.text()


async def test_who_has_left_gets_no_mail(notifications: Service, mailbox: Mailbox, smtp_port: int) -> None:
    await tell(notifications, *PEOPLE, created(), a_member("fei", version=2, removed=True))

    with mail_server(mailbox, port=smtp_port):
        await eventually(lambda: _all_are(notifications, "needless"))

    assert mailbox.mails == []


async def test_two_instances_send_each_mail_once(
    notifications: Service, mailbox: Mailbox, smtp_port: int
) -> None:
    await tell(notifications, *PEOPLE)
    office = Office(
        sender="a@example.com", support_address=None, public_url="https://millrace.example", secret=SECRET
    )
    await tell(notifications, *(created(order_id=f"order-{n}") for n in range(30)))

    async def instance() -> None:
        async with channel.connected(f"smtp://127.0.0.1:{smtp_port}") as connection:
            await use_cases.send_due(
                notifications.app.state.db, connection=connection, office=office, clock=utc_now
            )

    with mail_server(mailbox, port=smtp_port):
        await asyncio.gather(*(instance() for _ in range(4)))
        await eventually(lambda: _all_are(notifications, "sent"))

    assert len(mailbox.mails) == 30


async def test_a_support_request_reaches_the_mailbox_with_its_reference_and_an_answer_address(
    notifications: Service, mailbox: Mailbox, smtp_port: int
) -> None:
    await tell(notifications, *PEOPLE, created())
    request = {"subject": "Where is\nmy order", "message": "It is late.\nPlease look.", "order_id": "order-1"}

    async def ask(body: dict[str, Any], **headers: str) -> Any:
        return await notifications.call(
            "POST", "/support/requests", caller=a_caller("ann"), json=body, headers=headers
        )

    wrong = await ask(request)
    right = request | {"subject": "Where is my order"}
    first = await ask(right, **{"Idempotency-Key": "k"})
    again = await ask(right, **{"Idempotency-Key": "k"})
    with mail_server(mailbox, port=smtp_port):
        [message] = await eventually(lambda: mailbox.to("help@millrace.example"))

    assert wrong.status == 422
    assert (first.status, again.status) == (201, 201)
    assert first.json == again.json
    assert message["Subject"] == f"[{first.json['reference']}] Where is my order"
    assert message["Reply-To"] == ANN
    assert "It is late.\nPlease look." in text_of(message)
    assert "MR-2026-000001" in text_of(message)


async def test_a_support_request_about_an_order_of_others_is_not_taken(notifications: Service) -> None:
    await tell(notifications, *PEOPLE, created())
    stranger = a_caller("sam", organisation_id="buyer-2", side="buyer")

    answer = await notifications.call(
        "POST",
        "/support/requests",
        caller=stranger,
        json={"subject": "Whose is it", "message": "?", "order_id": "order-1"},
    )

    assert answer.status == 404


async def test_a_support_request_waits_for_the_address_of_its_writer(
    notifications: Service, mailbox: Mailbox, smtp_port: int
) -> None:
    await notifications.call(
        "POST", "/support/requests", caller=a_caller("ann"), json={"subject": "Hello", "message": "Hello"}
    )
    db = notifications.app.state.db
    with mail_server(mailbox, port=smtp_port):

        async def is_postponed() -> bool:
            now = utc_now()
            postponed = {"$gt": now, "$lt": now + timedelta(minutes=2)}
            return await db["mails"].find_one({"due_at": postponed}) is not None

        await eventually(is_postponed)
        await tell(notifications, a_member("ann"))
        await time_passes(notifications)
        [message] = await eventually(lambda: mailbox.mails)

    assert message["Reply-To"] == ANN


async def test_a_vote_on_a_help_page_counts_once_a_reader(notifications: Service) -> None:
    vote = {"page": "/help/managing-active-orders", "helpful": False, "comment": "Too short"}

    for helpful in (False, True):
        answer = await notifications.call(
            "POST", "/help/feedback", caller=a_caller("ann"), json=vote | {"helpful": helpful}
        )
        assert answer.status == 201
    refused = await notifications.call(
        "POST", "/help/feedback", caller=a_caller("ann"), json={"page": "/help", "helpful": "yes"}
    )

    assert refused.status == 422
    [stored] = await notifications.app.state.db["help_feedback"].find({}).to_list(None)
    assert (stored["helpful"], stored["comment"]) == (True, "Too short")


@pytest.mark.parametrize(
    "setting",
    [
        {"smtp_url": "http://mail.example.com"},
        {"smtp_url": "smtp://"},
        {"mail_from": "Millrace"},
        {"mail_from": "a@millrace.example, b@millrace.example"},
        {"mail_from": "a@millrace.example\r\nBcc: all@millrace.example"},
        {"support_address": "nobody"},
        {"public_url": "millrace.example"},
        {"webhook_allow_networks": "10.0.0.0/33"},
    ],
)
def test_wrong_settings_are_refused_at_the_start(settings: Settings, setting: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(setting))):
        Settings.model_validate(settings.model_dump() | setting)
