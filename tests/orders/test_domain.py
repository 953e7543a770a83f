"""The state machine over all its combinations, and the rules around it."""

from collections.abc import Callable
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.orders import domain
from services.orders.domain import Order
from shared.api.orders import NewTracking, NextStep, ReviewRecorded, Status
from shared.errors import Refusal, ValidationFailed
from shared.identity import Caller, Role, Side
from tests.orders.builders import NOW, RULES, a_caller, an_event, an_order, an_organisation

LATER = NOW + timedelta(days=2)

Act = Callable[[Order, Caller, int | None], tuple[Order, Any]]


def _advance(to: Status) -> Act:
    return lambda order, by, version: domain.advance(
        order, to=to, by=by, expected_version=version, note=None, tracking=None, now=LATER, rules=RULES
    )


ACTIONS: dict[str, Act] = {
    **{f"advance to {status}": _advance(status) for status in Status},
    "confirm receipt": lambda order, by, version: domain.confirm_receipt(
        order, by=by, expected_version=version, note=None, now=LATER, rules=RULES
    ),
    "request receipt": lambda order, by, version: domain.request_receipt(
        order, by=by, expected_version=version, now=LATER, rules=RULES
    ),
    "extend receipt": lambda order, by, version: domain.extend_receipt(
        order, by=by, expected_version=version, now=LATER, rules=RULES
    ),
}
SIDES: tuple[Side, ...] = ("buyer", "factory")
ROLES: tuple[Role, ...] = ("owner", "member", "viewer")
VERSIONS = ("none", "current", "stale", "future")

# What the contract's table says: who does what, from where, to where.
PERFORMED_BY = {"confirm receipt": ("buyer",), "request receipt": ("factory",), "extend receipt": SIDES}
LEADS_TO = {
    ("confirmed", "advance to in_production"): "in_production",
    ("in_production", "advance to quality_check"): "quality_check",
    ("quality_check", "advance to shipped"): "shipped",
    ("shipped", "confirm receipt"): "delivered",
    ("shipped", "request receipt"): "shipped",
    ("shipped", "extend receipt"): "shipped",
}


def expected(status: str, action: str, side: str, role: str, version: str) -> str:
    """Say what must come of it: the next status, or the name of the refusal."""
    if side not in PERFORMED_BY.get(action, ("factory",)):
        return "wrong-side"
    if role == "viewer":
        return "role-not-sufficient"
    if version in {"stale", "future"}:
        return "stale-version"
    if (status, action) == ("shipped", "advance to delivered"):
        return "awaiting-buyer-confirmation"
    return LEADS_TO.get((status, action), "invalid-transition")


def _outcome(act: Act, order: Order, by: Caller, version: int | None) -> tuple[Order, Any] | Refusal:
    try:
        return act(order, by, version)
    except Refusal as refusal:
        return refusal


COMBINATIONS = list(product(Status, ACTIONS, SIDES, ROLES, VERSIONS))


def test_every_combination_leads_to_the_next_order_and_its_event_or_to_one_named_refusal() -> None:
    for status, action, side, role, version in COMBINATIONS:
        order = an_order(status)
        told = {
            "none": None,
            "current": order.version,
            "stale": order.version - 1,
            "future": order.version + 1,
        }[version]
        case = (status.value, action, side, role, version)

        result = _outcome(ACTIONS[action], order, a_caller(side, role), told)
        if isinstance(result, Refusal):
            assert result.slug() == expected(*case), case
        else:
            after, event = result
            assert after.status == expected(*case), case
            assert after.version == order.version + 1, case
            assert (event.version, event.status) == (after.version, after.status), case
            assert after.history[: len(order.history)] == order.history, case
            moved = after.status is not status
            assert event.type == ("order.status_changed.v1" if moved else "order.updated.v1"), case
            assert len(after.history) == len(order.history) + moved, case
    assert len(COMBINATIONS) == 6 * 9 * 2 * 3 * 4


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("role", ROLES)
def test_allowed_actions_are_those_that_go_through(status: Status, side: Side, role: Role) -> None:
    order = an_order(status)
    by = a_caller(side, role)
    names = {"confirm receipt": "confirm_receipt", "request receipt": "request_receipt"}
    names |= {"extend receipt": "extend_receipt"} | {f"advance to {to}": "advance" for to in Status}
    goes_through = set()
    for action, act in ACTIONS.items():
        try:
            act(order, by, None)
        except Refusal:
            continue
        goes_through.add(names[action])

    allowed = set(domain.allowed_actions(order, caller=by, now=LATER, rules=RULES))

    assert allowed - {"review", "send_message"} == goes_through
    assert ("send_message" in allowed) == (role != "viewer")
    from_when = Status.DELIVERED if side == "buyer" else Status.COMPLETED
    may_review = domain.PIPELINE.index(status) >= domain.PIPELINE.index(from_when) and role != "viewer"
    assert ("review" in allowed) == may_review


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("side", SIDES)
def test_a_review_completes_a_delivered_order_once_and_only_the_buyers_does(
    status: Status, side: Side
) -> None:
    order = an_order(status)
    review = ReviewRecorded(by_side=side, user_id="u", user_name="Robin")

    if not order.is_delivered:
        with pytest.raises(domain.InvalidTransition):
            domain.record_review(order, review, now=LATER, rules=RULES)
        return
    changed = domain.record_review(order, review, now=LATER, rules=RULES)

    assert changed is not None
    after, event = changed
    completes = status is Status.DELIVERED and side == "buyer"
    assert after.status is (Status.COMPLETED if completes else status)
    assert event.type == ("order.status_changed.v1" if completes else "order.updated.v1")
    if completes:
        assert after.history[-1].by.model_dump() == {"user_id": "u", "name": "Robin", "side": "buyer"}
        assert after.completed_at == LATER
    assert domain.record_review(after, review, now=LATER, rules=RULES) is None
    assert "review" not in domain.allowed_actions(after, caller=a_caller(side), now=LATER, rules=RULES)


def test_a_wrong_step_tells_the_current_status_and_what_is_possible() -> None:
    with pytest.raises(domain.InvalidTransition) as refused:
        _advance(Status.SHIPPED)(an_order("in_production"), a_caller("factory"), None)

    assert refused.value.members == {"current_status": "in_production", "allowed": ["quality_check"]}


def test_the_buyer_is_reminded_once_in_24_hours() -> None:
    order, _ = domain.request_receipt(
        an_order("shipped"), by=a_caller("factory"), expected_version=None, now=LATER, rules=RULES
    )

    def again(after: timedelta) -> Order:
        return domain.request_receipt(
            order, by=a_caller("factory"), expected_version=None, now=LATER + after, rules=RULES
        )[0]

    with pytest.raises(domain.ReceiptRecentlyRequested) as refused:
        again(timedelta(hours=23, minutes=59))
    assert refused.value.retry_after == 60
    soon = LATER + timedelta(hours=23)
    assert "request_receipt" not in domain.allowed_actions(
        order, caller=a_caller("factory"), now=soon, rules=RULES
    )
    assert again(timedelta(hours=24)).receipt_requested_at == LATER + timedelta(hours=24)


def test_each_side_extends_the_time_for_receipt_once() -> None:
    order = an_order("shipped")
    assert order.automatic
    before = order.automatic.at

    for side in SIDES:
        order, _ = ACTIONS["extend receipt"](order, a_caller(side), None)
        with pytest.raises(domain.ReceiptAlreadyExtended):
            ACTIONS["extend receipt"](order, a_caller(side), None)

    assert order.automatic == NextStep(to=Status.DELIVERED, at=before + 2 * timedelta(days=15))


def test_tracking_goes_with_shipping_only() -> None:
    parcel = NewTracking(carrier="ups", number="1Z999AA10123456784")

    def step(order: Order, to: Status) -> Order:
        return domain.advance(
            order,
            to=to,
            by=a_caller("factory"),
            expected_version=None,
            note=None,
            tracking=parcel,
            now=LATER,
            rules=RULES,
        )[0]

    shipped = step(an_order("quality_check"), Status.SHIPPED)

    assert shipped.tracking
    assert shipped.tracking.warning is None
    with pytest.raises(ValidationFailed):
        step(an_order("confirmed"), Status.IN_PRODUCTION)


@pytest.mark.parametrize(("side", "pointer"), [("factory", "/factory_id"), ("buyer", "/buyer_id")])
def test_an_organisation_of_the_wrong_kind_is_pointed_at(side: Side, pointer: str) -> None:
    parties = {"factory": an_organisation("factory"), "buyer": an_organisation("buyer")}
    parties[side] = an_organisation("buyer" if side == "factory" else "factory")

    with pytest.raises(ValidationFailed) as refused:
        domain.accept(
            an_event(),
            order_id="o",
            number="n",
            by=a_caller().person,
            accepted_at=NOW,
            now=NOW,
            **parties,
        )

    assert refused.value.members["errors"][0]["pointer"] == pointer


def test_a_contradiction_is_told_field_by_field() -> None:
    order = an_order(quote_id="q", specification=None)
    told = an_event(
        quote_id="q",
        deadline="2027-02-01",
        unit_price={"amount": "0.13", "currency": "EUR"},
        product={"name": "Hex bolt M10", "sku": "HB-M8-40", "specification": "A2"},
    )

    found = domain.contradictions(order, told, buyer_id="buyer-2")

    assert [error["pointer"] for error in found] == [
        "/data/buyer_id",
        "/data/product/name",
        "/data/unit_price/amount",
        "/data/unit_price/currency",
        "/data/deadline",
    ]


@given(amount=st.decimals("0.01", "99999999.99", places=2), quantity=st.integers(1, 10**9))
def test_a_total_is_exact(amount: Any, quantity: int) -> None:
    order = an_order(unit_price={"amount": format(amount, "f"), "currency": "USD"}, quantity=quantity)

    assert order.total.amount == amount * quantity
    assert order.total.amount.as_tuple().exponent == -2
