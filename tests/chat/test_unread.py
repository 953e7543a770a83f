"""Unread counts against a recount, whatever the devices of both sides do and whatever dies."""

import asyncio
import random
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest

from services.chat.main import Settings
from shared.api.orders import Status
from shared.identity import Caller
from tests.chat.builders import a_buyer, a_factory_user, a_thread, thread_facts
from tests.chat.processes import ChatProcess, chat_processes
from tests.waiting import eventually

pytestmark = pytest.mark.parts

THREADS = 3


@dataclass(kw_only=True)
class Device:
    """One of a user's devices: it shows what it has fetched, and knows nothing of the others."""

    user: Caller
    through: ChatProcess
    shown: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    async def send(self, order_id: str) -> None:
        await self.through.insist(
            "POST",
            f"/orders/{order_id}/messages",
            by=self.user,
            json={"text": "So far, so good."},
            headers={"Idempotency-Key": uuid4().hex},
        )

    async def fetch(self, order_id: str) -> None:
        """Load what is new, as a device does that was away."""
        shown = self.shown[order_id]
        while True:
            page = await self.through.insist(
                "GET", f"/orders/{order_id}/messages?after={len(shown)}&limit=100", by=self.user
            )
            shown += [item for item in page.json["items"] if item["seq"] > len(shown)]
            if page.json["next_cursor"] is None:
                break
        assert [item["seq"] for item in shown] == list(range(1, len(shown) + 1))

    async def read(self, order_id: str, up_to: int) -> int:
        answer = await self.through.insist(
            "POST", f"/orders/{order_id}/messages/read", by=self.user, json={"up_to": up_to}
        )
        unread: int = answer.json["unread"]
        assert unread >= 0
        return unread

    async def badges(self, order_ids: list[str]) -> tuple[dict[str, int], int]:
        answer = await self.through.insist("POST", "/summaries", by=self.user, json={"order_ids": order_ids})
        return {item["order_id"]: item["unread"] for item in answer.json["items"]}, answer.json[
            "unread_total"
        ]


@dataclass(kw_only=True)
class World:
    """Three devices a side, of which two are one user's; what each user has read is known from their calls alone."""

    chance: random.Random
    instances: list[ChatProcess]
    devices: list[Device]
    order_ids: list[str]
    read_up_to: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    recounts: int = 0

    async def act(self, device: Device) -> None:
        order_id = self.chance.choice(self.order_ids)
        match self.chance.choice(["send", "send", "read", "read", "fetch", "reconnect"]):
            case "send":
                await device.send(order_id)
            case "read":
                await device.fetch(order_id)
                last = len(device.shown[order_id])
                # Now and then less than before, or more than there is.
                up_to = self.chance.choice([last, self.chance.randint(0, last), last + 5])
                key = device.user.user_id, order_id
                await device.read(order_id, up_to)
                if up_to > last:  # whatever the last one was at that moment: look it up
                    up_to = await self.furthest(*key)
                self.read_up_to[key] = max(self.read_up_to[key], up_to)
            case "fetch":
                await device.fetch(order_id)
            case "reconnect":
                device.shown.clear()
                device.through = self.chance.choice(self.instances)

    async def furthest(self, user_id: str, order_id: str) -> int:
        row = await self.instances[0].db["reads"].find_one({"_id": f"{order_id}:{user_id}"})
        return int(row["up_to"]) if row else 0

    async def compare(self) -> None:
        """Recount every user's unread messages, and ask every device for its badges."""
        for device in self.devices:
            expected = {}
            for order_id in self.order_ids:
                await device.fetch(order_id)
                read_up_to = self.read_up_to[device.user.user_id, order_id]
                expected[order_id] = sum(
                    item["sender"]["side"] not in {device.user.side, "system"} and item["seq"] > read_up_to
                    for item in device.shown[order_id]
                )
                assert await device.read(order_id, 0) == expected[order_id]
                self.recounts += 1
            badges, _ = await device.badges(self.order_ids)
            assert badges == expected
            self.recounts += len(expected)

            async def total_is_right(device: Device = device, expected: dict[str, int] = expected) -> bool:
                _, total = await device.badges(self.order_ids)
                return total == sum(expected.values())

            # The sum over all threads may lag behind; a killed process's work is done by another after a while.
            await eventually(total_is_right, within=60)
            self.recounts += 1


@pytest.mark.parametrize(("rounds", "kills"), [(8, 2), pytest.param(150, 40, marks=pytest.mark.soak)])
async def test_badges_of_three_devices_a_side_are_what_a_recount_gives(
    settings: Settings, rounds: int, kills: int
) -> None:
    chance = random.Random(rounds)  # noqa: S311 - no secret
    async with chat_processes(settings, count=2) as instances:
        users = [a_buyer(), a_buyer(), a_buyer(user_id="u-2"), a_factory_user(), a_factory_user()]
        users.append(a_factory_user(user_id="u-3"))
        world = World(
            chance=chance,
            instances=instances,
            devices=[Device(user=user, through=chance.choice(instances)) for user in users],
            order_ids=[await a_thread(instances[0].chat) for _ in range(THREADS)],
        )
        with_kill = set(chance.sample(range(rounds), kills))
        steps = list(Status)
        for number in range(rounds):

            async def live(device: Device) -> None:
                for _ in range(5):
                    await world.act(device)

            work = [live(device) for device in world.devices]
            if number in with_kill:
                work.append(chance.choice(instances).fall_and_rise())
            if number % 4 == 3 and number // 4 + 1 < len(steps):  # the system's lines come in between
                facts = thread_facts(order_id=world.order_ids[0], status=steps[number // 4 + 1])
                path = f"/threads/{facts.order_id}"
                work.append(
                    instances[0].insist("PUT", path, by=a_buyer(), json=facts.model_dump(mode="json"))  # type: ignore[arg-type]
                )
            await asyncio.gather(*work)
            await world.compare()

        assert world.recounts == rounds * len(users) * (2 * THREADS + 1)
        assert sum(instance.kills for instance in instances) == kills
        print(f"{world.recounts} recounts compared")  # noqa: T201
