"""What people are shown in the end equals a recount of what is stored, and the dead queues hold only what belongs there."""

import asyncio
from contextlib import suppress
from typing import Any

from shared import messaging
from tests.faults import truth
from tests.faults.check_telling import missing_on
from tests.faults.history import Client
from tests.faults.injury import Injury
from tests.faults.market import Market, Organisation
from tests.faults.stage import Stage
from tests.faults.truth import Document, Truth, Verdict
from tests.gateway.live.sse import Listener
from tests.waiting import eventually


async def check(verdict: Verdict, found: Truth, market: Market) -> None:
    for organisation in market.organisations:
        orders = [
            order
            for order in found.of("orders", "orders")
            if order[f"{organisation.kind}_id"] == organisation.id
        ]
        await asyncio.gather(
            *(_board(verdict, found, organisation, person, orders) for person in organisation.people)
        )
        await _profile(verdict, found, organisation)
        for order in orders:
            shown = await organisation.people[0].get(f"/orders/{order['_id']}")
            now = (shown["version"], shown["status"], len(shown["history"]))
            stored = (order["version"], order["status"], len(order["history"]))
            verdict.same(now, stored, f"order {order['_id']} as it is shown")


async def _board(
    verdict: Verdict, found: Truth, organisation: Organisation, person: Client, orders: list[Document]
) -> None:
    threads = found.grouped("chat", "messages", "order_id")
    reads = found.by_id("chat", "reads")
    unread = {}
    for order in orders:
        read = reads.get(f"{order['_id']}:{person.user_id}", {"up_to": 0})["up_to"]
        others = [
            m
            for m in threads[order["_id"]]
            if m.get("sender", {}).get("side") not in {None, organisation.kind}
        ]
        unread[order["_id"]] = sum(message["seq"] > read for message in others)
    feed = [row for row in found.of("notifications", "notifications") if row["user_id"] == person.user_id]
    expected = {
        "active": sum(order["active"] for order in orders),
        "completed": sum(not order["active"] for order in orders),
        "unread messages": sum(unread.values()),
        "unread notifications": sum(row["listed"] and not row["read_at"] for row in feed),
    }
    board = await _whole(person, "/dashboard?limit=100")
    shown = {
        "active": board["stats"]["active"],
        "completed": board["stats"]["completed"],
        "unread messages": board["stats"]["unread_messages"],
        "unread notifications": board["notifications"]["unread"],
    }
    verdict.same(shown, expected, f"the dashboard of {person.user_id}")
    for card in board["active_orders"]["items"]:
        verdict.same(
            card["unread_messages"], unread[card["id"]], f"unread of {person.user_id} in {card['id']}"
        )


async def _profile(verdict: Verdict, found: Truth, organisation: Organisation) -> None:
    stars = [
        each["rating"] for each in found.of("reviews", "reviews") if each["about"]["id"] == organisation.id
    ]
    profile = await _whole(organisation.people[0], f"/organisations/{organisation.id}/profile")
    shown = (profile["rating"]["average"], profile["rating"]["count"])
    expected = (sum(stars) / len(stars) if stars else None, len(stars))
    verdict.same(shown, expected, f"the rating of {organisation.id}")


async def _whole(person: Client, path: str) -> Any:
    """Read a page of several services' answers; the gateway leaves out those that take over a second."""

    async def read() -> Any:
        page = await person.get(path)
        assert not page["degraded"], f"{path} lacks {page['degraded']}"
        return page

    return await eventually(read, within=30, every=0.3)


async def check_streams(
    verdict: Verdict, listeners: dict[str, Listener], found: Truth, market: Market
) -> None:
    """Each stream told everything that concerns its user, once, across all gateways."""
    people = {person.user_id: person for person in market.people}
    for user_id, listener in listeners.items():
        organisation_id = people[user_id].organisation_id

        def missing(
            listener: Listener = listener, whose: tuple[str, str] = (organisation_id, user_id)
        ) -> set[str]:
            return missing_on(listener, found, organisation_id=whose[0], user_id=whose[1])

        with suppress(AssertionError):
            await eventually(lambda: not missing())
        who = f"the live stream of {user_id}"
        verdict.same(missing(), set(), f"{who} missed")
        verdict.same(len(listener.event_ids), len(set(listener.event_ids)), f"{who} told something twice")
        verdict.that("resync" not in listener.types, f"{who} lost its place")


async def check_dead_letters(verdict: Verdict, stage: Stage, injury: Injury) -> None:
    """Dead queues hold what was littered, with its cause, and nothing else."""
    for queue in injury.queues:
        rest = await truth.letters(stage, messaging.dead(queue))
        causes = {letter.message_id: letter.headers.get(messaging.CAUSE_HEADER) for letter in rest}
        litter = injury.litter[queue]
        certain = {message_id for message_id, arrived in litter.items() if arrived}
        what = f"{messaging.dead(queue)} holds {causes}, was littered with {litter}"
        verdict.that(certain <= causes.keys() <= litter.keys(), what)
        verdict.that(all(causes.values()), f"a dead letter of {queue} has no cause: {causes}")
