from datetime import UTC, datetime

import pytest

from services.notifications.domain import unsubscribing
from services.notifications.domain.mail import digest
from services.notifications.mail import sender_at
from shared.api.notifications import ChosenPreferences


@pytest.mark.parametrize(
    ("at", "zone", "day", "due"),
    [
        ("2026-11-23T06:59:59+00:00", "UTC", "2026-11-23", "2026-11-23T08:00:00+00:00"),
        ("2026-11-23T07:00:00+00:00", "UTC", "2026-11-24", "2026-11-24T08:00:00+00:00"),
        ("2026-11-23T22:59:00+00:00", "Asia/Shanghai", "2026-11-24", "2026-11-24T00:00:00+00:00"),
        ("2026-11-23T23:01:00+00:00", "Asia/Shanghai", "2026-11-25", "2026-11-25T00:00:00+00:00"),
        ("2026-11-23T12:00:00+00:00", "America/New_York", "2026-11-24", "2026-11-24T13:00:00+00:00"),
        # The clocks go back between the event and the morning after it.
        ("2026-10-31T20:00:00+00:00", "America/New_York", "2026-11-01", "2026-11-01T13:00:00+00:00"),
    ],
)
def test_the_daily_mail_leaves_at_eight_on_its_readers_clock(at: str, zone: str, day: str, due: str) -> None:
    mail = digest(user_id="ann", at=datetime.fromisoformat(at), time_zone=zone)

    assert mail.about == day
    assert mail.due_at.astimezone(UTC) == datetime.fromisoformat(due)


@pytest.mark.parametrize(
    ("public_url", "sender"),
    [
        ("https://orders.market.example", "Millrace <no-reply@orders.market.example>"),
        ("https://orders.market.example:8443/", "Millrace <no-reply@orders.market.example>"),
        ("http://127.0.0.1:8080", "Millrace <no-reply@localhost>"),
        ("http://[::1]:8080", "Millrace <no-reply@localhost>"),
        ("http://millrace:8080", "Millrace <no-reply@localhost>"),
    ],
)
def test_mails_come_from_the_host_that_people_open(public_url: str, sender: str) -> None:
    assert sender_at(public_url) == sender


def test_one_daily_mail_ends_where_the_next_begins() -> None:
    first = digest(user_id="ann", at=datetime(2026, 10, 24, 12, tzinfo=UTC), time_zone="Europe/Berlin")
    assert first.until
    second = digest(user_id="ann", at=first.until, time_zone="Europe/Berlin")

    assert second.since == first.until


def test_an_unsubscribe_link_names_its_reader_and_kind_and_cannot_be_forged() -> None:
    token = unsubscribing.sign(user_id="ann", what="daily", secret="s" * 32)

    assert unsubscribing.read(token, secret="s" * 32) == ("ann", "daily")
    with pytest.raises(unsubscribing.UnsubscribeLinkBroken):
        unsubscribing.read(token, secret="t" * 32)


def test_unsubscribing_from_the_daily_mail_leaves_the_others() -> None:
    wanted = unsubscribing.without(ChosenPreferences(), "daily")

    assert wanted.kinds["order_status_changed"].email == "off"
    assert wanted.kinds["order_created"].email == "immediate"
    assert wanted.kinds["order_status_changed"].in_app
