from datetime import UTC, datetime
from typing import Any, get_args

import pytest

from services.notifications.domain.notification import Notification
from services.notifications.domain.wording import title_and_body
from shared.api.notifications import KINDS, Kind
from shared.api.orders import Status
from shared.api.text import Language
from shared.identity import Side

FACTS: dict[str, Any] = {
    "number": "MR-2026-000001",
    "product": "Bracket",
    "buyer": "Bright Goods",
    "factory": "Fine Parts",
    "status": "shipped",
    "automatic_on": "2027-01-03",
    "deadline": "2026-12-24",
    "days_left": 3,
    "days_late": 1,
    "from": "Fei",
    "rating": 4,
    "host": "erp.example.com",
}


def say(kind: Kind, language: Language = "en", *, side: Side = "buyer", **facts: Any) -> str:
    notification = Notification(
        id="n",
        key="k",
        user_id="ann",
        organisation_id="buyer-1",
        side=side,
        kind=kind,
        order_id="order-1",
        facts=FACTS | facts,
        count=2,
        created_at=datetime(2026, 11, 23, tzinfo=UTC),
        read_at=None,
    )
    return " | ".join(title_and_body(notification, language=language))


@pytest.mark.parametrize("language", get_args(Language))
@pytest.mark.parametrize("side", get_args(Side))
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_words_for_both_sides_in_every_language(
    kind: Kind, side: Side, language: Language
) -> None:
    said = say(kind, language, side=side)

    assert kind == "webhook_disabled" or "MR-2026-000001" in said
    assert kind == "webhook_disabled" or ("Fine Parts" if side == "buyer" else "Bright Goods") in said
    assert "None" not in said


@pytest.mark.parametrize("language", get_args(Language))
@pytest.mark.parametrize("status", list(Status))
def test_every_status_has_a_name(status: Status, language: Language) -> None:
    assert status.value not in say("order_status_changed", language, status=status.value) or (
        language == "en" and "_" not in status
    )


def test_numbers_read_well() -> None:
    assert "due today" in say("deadline_near", days_left=0)
    assert "due in 1 day |" in say("deadline_near", days_left=1)
    assert "due in 3 days |" in say("deadline_near", days_left=3)
    assert "2 new messages" in say("message_received")
    assert "1 star |" in say("review_received", rating=1)
    assert say("receipt_reminder", automatic_on=None).endswith("Bracket · Fine Parts")
