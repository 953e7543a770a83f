"""Who may hear of what."""

import pytest

from gateway.live import audience
from shared.events import catalog
from shared.events.base import Fact
from tests.gateway.live.builders import an_event

BOTH_SIDES = {
    "order.created.v1",
    "order.status_changed.v1",
    "order.updated.v1",
    "message.sent.v1",
    "message.read.v1",
    "review.submitted.v1",
}
ITS_USER = {"notification.created.v1"}
NOBODY = {
    "quote.accepted.v1",
    "order.overdue.v1",
    "message.blocked.v1",
    "appeal.submitted.v1",
    "attachment.flagged.v1",
    "attachment.stored.v1",
    "review.opened.v1",
    "organisation.changed.v1",
    "member.changed.v1",
}


@pytest.mark.parametrize("fact", catalog.EVENTS, ids=lambda fact: fact.type)
def test_every_event_of_the_catalog_has_been_decided_on(fact: type[Fact]) -> None:
    event = an_event(fact.type, user_id="someone", organisation_id="buyer")
    decided = BOTH_SIDES | ITS_USER | NOBODY
    both_sides = {("organisation", "buyer"), ("organisation", "factory")}

    heard_by = audience.audience(event)

    assert fact.type in decided, "decide who may hear of it, and write it down here and in audience.py"
    if fact.type in BOTH_SIDES:
        assert heard_by == both_sides
    elif fact.type in ITS_USER:
        assert heard_by == {("user", "someone")}
    else:
        assert heard_by == set()


def test_the_decisions_are_of_events_that_exist() -> None:
    assert {fact.type for fact in catalog.EVENTS} == BOTH_SIDES | ITS_USER | NOBODY


def test_an_event_nobody_thought_of_is_for_nobody() -> None:
    assert audience.audience(an_event("order.sabotaged.v1")) == audience.NOBODY


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"buyer_id": "buyer"},
        {"buyer_id": "buyer", "factory_id": None},
        {"buyer_id": "buyer", "factory_id": ""},
        {"buyer_id": ["buyer"], "factory_id": "factory"},
        "buyer",
        None,
    ],
)
def test_an_event_that_does_not_name_both_sides_is_for_nobody(data: object) -> None:
    assert audience.audience({"id": "1", "type": "order.created.v1", "data": data}) == audience.NOBODY


def test_an_organisation_and_a_user_of_the_same_id_are_not_mixed_up() -> None:
    event = an_event("notification.created.v1", user_id="x", organisation_id="x")
    organisation = audience.parties(organisation_id="x", user_id="somebody-else")

    assert not audience.audience(event) & organisation
