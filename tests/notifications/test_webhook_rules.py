from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from services.notifications.domain import webhook as rules
from services.notifications.domain.webhook import Delivery, Secret, Webhook
from shared.api.webhooks import Attempt
from shared.clock import utc_now

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
FIVE_DAYS = timedelta(days=5)


def a_webhook() -> Webhook:
    return Webhook(
        id="w",
        organisation_id="factory-1",
        url="https://example.com/hook",
        event_types=("order.created.v1",),
        secrets=(Secret(value=rules.new_secret(b"1" * 32), expires_at=None),),
        enabled=True,
        disabled_reason=None,
        failing_since=None,
        silent=0,
        created_at=NOW,
    )


def a_delivery() -> Delivery:
    return Delivery(
        id="d",
        webhook_id="w",
        organisation_id="factory-1",
        event_id="e",
        event_type="order.created.v1",
        body="{}",
        state="pending",
        tries=0,
        attempts=(),
        next_at=NOW,
        created_at=NOW,
    )


def an_attempt(status: int | None) -> Attempt:
    return Attempt(at=NOW, status=status, error=None, duration_ms=1)


def test_retries_back_off_over_more_than_a_day() -> None:
    delivery, at, waits = a_delivery(), NOW, []
    while delivery.state == "pending" and delivery.next_at:
        delivery = rules.after_attempt(delivery, an_attempt(500), now=at)
        if delivery.next_at:
            waits.append(delivery.next_at - at)
            at = delivery.next_at

    assert delivery.state == "failed"
    assert waits == sorted(waits)
    assert sum(waits, timedelta()) >= timedelta(hours=24)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_success_ends_a_delivery(status: int) -> None:
    delivery = rules.after_attempt(a_delivery(), an_attempt(status), now=NOW)

    assert (delivery.state, delivery.next_at) == ("delivered", None)


@pytest.mark.parametrize("status", [None, 301, 307, 400, 404, 500])
def test_anything_else_is_tried_again(status: int | None) -> None:
    assert rules.after_attempt(a_delivery(), an_attempt(status), now=NOW).state == "pending"


def test_a_webhook_is_switched_off_after_days_of_failure_only() -> None:
    failing = rules.judged(a_webhook(), an_attempt(500), now=NOW, disable_after=FIVE_DAYS)
    later = NOW + FIVE_DAYS

    assert failing.enabled
    assert rules.judged(
        failing, an_attempt(None), now=later - timedelta(seconds=1), disable_after=FIVE_DAYS
    ).enabled
    assert not rules.judged(failing, an_attempt(500), now=later, disable_after=FIVE_DAYS).enabled
    assert rules.judged(failing, an_attempt(200), now=later, disable_after=FIVE_DAYS).failing_since is None


def test_a_silent_receiver_is_left_alone_longer_each_time() -> None:
    webhook, pauses = a_webhook(), []
    for _ in range(6):
        webhook = rules.judged(webhook, an_attempt(None), now=NOW, disable_after=FIVE_DAYS)
        pauses.append(rules.pause_of(webhook).total_seconds())

    assert pauses == [5, 15, 60, 300, 300, 300]
    assert rules.pause_of(replace(webhook, silent=0)) == timedelta()


def test_an_old_secret_signs_for_a_day_and_no_longer() -> None:
    now = utc_now()
    webhook = a_webhook()
    old = webhook.secrets[0].value
    rotated = rules.rotate(webhook, secret=rules.new_secret(b"2" * 32), now=now - timedelta(hours=23))
    expired = rules.rotate(webhook, secret=rules.new_secret(b"2" * 32), now=now - timedelta(hours=25))

    Verifier(old).verify("{}", rules.headers(rotated, event_id="e", body="{}", now=now))
    with pytest.raises(WebhookVerificationError):
        Verifier(old).verify("{}", rules.headers(expired, event_id="e", body="{}", now=now))
