from typing import Any

import pytest

from services.reviews import domain
from shared.api.orders import Status
from shared.api.reviews import NewReview, ReviewedOrder
from shared.errors import RoleNotSufficient, WrongSide
from shared.identity import Caller
from tests.reviews.builders import NOW, a_buyer, a_factory, a_status_change, order_facts


def submit(**changes: Any) -> domain.Review:
    arguments: dict[str, Any] = {
        "review_id": "review-1",
        "order": ReviewedOrder.model_validate(order_facts()),
        "by": a_buyer(),
        "repeatable": None,
        "now": NOW,
    } | changes
    review, _ = domain.submit(NewReview(rating=4, text="Good parts."), **arguments)
    return review


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("by", [a_buyer(), a_factory()])
def test_the_buyer_reviews_from_delivery_on_and_the_factory_from_completion_on(
    status: Status, by: Caller
) -> None:
    order = ReviewedOrder.model_validate(order_facts(status=status))
    is_open = status is Status.COMPLETED or (by.side == "buyer" and status is Status.DELIVERED)

    if is_open:
        assert submit(order=order, by=by).author == by.person
    else:
        with pytest.raises(domain.ReviewNotOpen):
            submit(order=order, by=by)


def test_a_review_speaks_about_the_other_side() -> None:
    by_buyer, by_factory = submit(), submit(by=a_factory())

    assert (by_buyer.organisation.id, by_buyer.about.id) == ("buyer-1", "factory-1")
    assert (by_factory.organisation.id, by_factory.about.id) == ("factory-1", "buyer-1")


def test_a_stranger_learns_nothing_of_an_order_by_reviewing_it() -> None:
    with pytest.raises(domain.OrderNotYours):
        submit(by=a_buyer(organisation_id="buyer-2", role="viewer"))


def test_a_viewer_cannot_review_or_answer() -> None:
    with pytest.raises(RoleNotSufficient):
        submit(by=a_buyer(role="viewer"))
    with pytest.raises(RoleNotSufficient):
        domain.reply(submit(), text="Thank you", by=a_factory(role="viewer"), repeatable=None, now=NOW)


def test_only_the_reviewed_side_answers_and_once() -> None:
    review = submit()

    with pytest.raises(WrongSide):
        domain.reply(review, text="Thank you", by=a_buyer(), repeatable=None, now=NOW)
    with pytest.raises(domain.ReviewNotFound):
        domain.reply(review, text="Me too", by=a_buyer(organisation_id="x"), repeatable=None, now=NOW)
    answered = domain.reply(review, text="Thank you", by=a_factory(), repeatable=None, now=NOW)
    with pytest.raises(domain.ReplyAlreadyGiven):
        domain.reply(answered, text="Again", by=a_factory(), repeatable=None, now=NOW)


def test_a_hidden_review_keeps_the_first_reason() -> None:
    hidden = domain.hide(submit(), reason="insults", now=NOW)

    assert domain.hide(hidden, reason="something else", now=NOW) == hidden


def test_a_history_tells_which_sides_may_review() -> None:
    assert domain.open_sides(a_status_change(Status.SHIPPED).history) == []
    assert domain.open_sides(a_status_change(Status.DELIVERED).history) == ["buyer"]
    assert domain.open_sides(a_status_change(Status.COMPLETED).history) == ["buyer", "factory"]


def test_a_repeat_is_the_same_user_key_and_body() -> None:
    name = domain.repeat_of(caller=a_buyer(), key="k", body="{}")

    assert domain.repeat_of(caller=a_buyer(), key="k", body="{}") == name
    assert domain.repeat_of(caller=a_buyer("bob"), key="k", body="{}") != name
    assert domain.repeat_of(caller=a_buyer(), key="k2", body="{}") != name
    assert domain.repeat_of(caller=a_buyer(), key="k", body="{ }") != name
    assert domain.repeat_of(caller=a_buyer(), key=None, body="{}") is None
