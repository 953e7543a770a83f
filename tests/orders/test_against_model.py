"""The service on a real database against a model of ten lines, through sequences that nobody thought of."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from services.orders import domain, store, use_cases
from shared import mongo
from shared.api.orders import Advance, ReviewRecorded, Status
from shared.errors import Refusal
from shared.identity import Role, Side
from shared.mongo import Database
from shared.outbox import Outbox, sealed
from tests.orders.builders import NOW, RULES, a_caller, an_order

pytestmark = pytest.mark.parts

# Hours instead of weeks, and no notices in between: the machine walks through whole lives.
RECEIPT, EXTENSION, COMPLETION, REQUEST = (timedelta(hours=hours) for hours in (10, 4, 5, 3))
HASTY = replace(
    RULES,
    receipt_after=RECEIPT,
    receipt_extension=EXTENSION,
    completion_after=COMPLETION,
    request_every=REQUEST,
)
LINE = [status.value for status in Status]


class Model:
    """What the contract says, in ten lines: each action answers the problem, or nothing and moves on."""

    def __init__(self) -> None:
        self.now, self.at, self.version, self.auto = NOW, 0, 1, None
        self.extended, self.reviewed, self.asked = set[str](), set[str](), None

    def do(self, action: str, side: str, role: str, version: int | None) -> str | None:  # noqa: PLR0911 - one for each problem
        whose = {"advance": "factory", "request": "factory", "receive": "buyer"}.get(
            action.split(maxsplit=1)[0], side
        )
        if side != whose:
            return "wrong-side"
        if role == "viewer":
            return "role-not-sufficient"
        if version is not None and version != self.version:
            return "stale-version"
        if action == "advance delivered" and LINE[self.at] == "shipped":
            return "awaiting-buyer-confirmation"
        goal = {"receive": 4}.get(action) or (LINE.index(action[8:]) if action.startswith("advance") else 3)
        moves = action.startswith("advance") or action == "receive"
        if goal != self.at + moves or (action.startswith("advance") and not 1 <= goal <= 3):
            return "invalid-transition"
        if action == "request" and self.asked and self.now - self.asked < REQUEST:
            return "receipt-recently-requested"
        if action == "extend" and side in self.extended:
            return "receipt-already-extended"
        if action == "request":
            self.asked = self.now
        if action == "extend":
            self.extended, self.auto = self.extended | {side}, self.auto + EXTENSION
        self.move(goal if moves else self.at)
        return None

    def move(self, to: int) -> None:
        if to != self.at:
            self.auto = self.now + {3: RECEIPT, 4: COMPLETION}[to] if to in {3, 4} else None
        self.at, self.version = to, self.version + 1

    def review(self, side: str) -> str | None:
        if self.at < 4:
            return "invalid-transition"
        if side not in self.reviewed:
            self.reviewed.add(side)
            self.move(5 if side == "buyer" else self.at)
        return None

    def wait(self, time: timedelta) -> None:
        self.now += time
        while self.auto and self.auto <= self.now:
            self.move(self.at + 1)


class Lives(RuleBasedStateMachine):
    runner: asyncio.Runner
    db: Database
    steps = 0

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.order = an_order(deadline=NOW.date().replace(year=2999))
        self.run(store.insert_order(self.db, self.order, sealed([], now=NOW)))

    def run(self, work: Awaitable[Any]) -> Any:
        async def wait() -> Any:
            return await work

        return self.runner.run(wait())

    def compare(self, expected: str | None, call: Callable[[], Awaitable[Any]]) -> None:
        type(self).steps += 1
        try:
            self.run(call())
            problem = None
        except Refusal as refusal:
            problem = refusal.slug()
        assert problem == expected

    @rule(
        action=st.sampled_from(["request", "receive", "extend", *(f"advance {status}" for status in LINE)]),
        side=st.sampled_from(["buyer", "factory"]),
        role=st.sampled_from(["owner", "member", "viewer"]),
        off=st.sampled_from([None, None, 0, -1, 1]),
    )
    def act(self, action: str, side: Side, role: Role, off: int | None) -> None:
        self._act(action, side, role, off)

    @rule()
    def take_the_next_step(self) -> None:
        if self.model.at < 4:
            action = "receive" if self.model.at == 3 else f"advance {LINE[self.model.at + 1]}"
            self._act(action, "buyer" if action == "receive" else "factory", "member", 0)

    def _act(self, action: str, side: Side, role: Role, off: int | None) -> None:
        caller = a_caller(side, role)
        version = None if off is None else self.model.version + off
        common = {
            "order_id": self.order.id,
            "caller": caller,
            "expected_version": version,
            "now": self.model.now,
            "rules": HASTY,
        }
        expected = self.model.do(action, side, role, version)
        match action.split():
            case ["advance", to]:
                step = Advance(to=Status(to), note=f"on to {to}")
                self.compare(expected, lambda: use_cases.advance(self.db, step=step, **common))
            case ["receive"]:
                self.compare(expected, lambda: use_cases.confirm_receipt(self.db, note=None, **common))
            case ["request"]:
                self.compare(expected, lambda: use_cases.request_receipt(self.db, **common))
            case _:
                self.compare(expected, lambda: use_cases.extend_receipt(self.db, **common))

    @rule(side=st.sampled_from(["buyer", "factory"]))
    def review(self, side: Side) -> None:
        recorded = ReviewRecorded(by_side=side, user_id="u", user_name="Robin")
        self.compare(
            self.model.review(side),
            lambda: use_cases.record_review(
                self.db, order_id=self.order.id, review=recorded, now=self.model.now, rules=HASTY
            ),
        )

    @rule(hours=st.integers(1, 12))
    def wait(self, hours: int) -> None:
        # By the hour, as the loop would: a step that follows from a step counts from when that was taken.
        for _ in range(hours):
            self.model.wait(timedelta(hours=1))
            self.run(use_cases.fire_timers(self.db, now=self.model.now, rules=HASTY))

    @invariant()
    def agree(self) -> None:
        order = self.run(store.get_order(self.db, self.order.id, caller=a_caller()))
        assert order.status == LINE[self.model.at]
        assert order.version == self.model.version
        assert (order.automatic.at if order.automatic else None) == self.model.auto
        assert [entry.status for entry in order.history] == LINE[: self.model.at + 1]
        assert domain.next_timer_at(order) is not None or order.status == "completed"

    @invariant()
    def each_version_has_its_event(self) -> None:
        stored = self.run(self.db[store.ORDERS].find_one({"_id": self.order.id}, {"outbox": 1}))
        assert len(stored.get("outbox", [])) == self.model.version - 1

    def teardown(self) -> None:
        self.run(self.db[store.ORDERS].delete_one({"_id": self.order.id}))


@pytest.mark.parametrize("driver", ["motor", "pymongo"])
def test_the_service_does_what_the_model_says(mongo_url: str, mongo_db_prefix: str, driver: str) -> None:
    class OnThisDriver(Lives):
        pass

    with asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def open_database() -> Database:
            db = await stack.enter_async_context(
                mongo.connect(url=mongo_url, name=f"{mongo_db_prefix}orders", driver=driver)
            )
            db.outbox = Outbox(db=db, collections=(), publish=_to_nobody)
            await store.ensure_indexes(db)
            return db

        OnThisDriver.runner, OnThisDriver.db = runner, runner.run(open_database())
        try:
            run_state_machine_as_test(
                OnThisDriver,
                settings=settings(
                    max_examples=80,
                    stateful_step_count=40,
                    deadline=None,
                    derandomize=True,
                    database=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(stack.aclose())
    assert OnThisDriver.steps > 800


async def _to_nobody(_: object) -> None:
    raise AssertionError("nothing relays here")
