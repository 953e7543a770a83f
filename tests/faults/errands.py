"""What people and outside systems do beside their orders."""

import asyncio
import random
import time
from copy import copy
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import aio_pika

from shared.clock import utc_now
from shared.events.base import seal
from shared.events.orders import QuoteAccepted
from shared.ids import new_id
from shared.messaging import CONTENT_TYPE
from tests.faults.deals import a_quote, word
from tests.faults.history import Client, History
from tests.faults.market import Market, join, sign_in

_READS: Final = (
    "/dashboard",
    "/orders",
    "/notifications",
    "/webhooks",
    "/events",
    "/auth/me",
    "/dashboard/orders.csv",
    "/orders?state=completed&sort=-value",
)


@dataclass(kw_only=True)
class Errands:
    market: Market
    history: History
    amqp_url: str
    chance: random.Random
    ends_at: float
    quotes: dict[str, bool] = field(default_factory=dict)
    """Quotes that the marketplace published as accepted, and whether the broker confirmed that."""

    async def run(self) -> None:
        ways = [
            *[self._read] * 4,
            *[self._accept_elsewhere] * 2,
            self._settle_in,
            self._come_and_go,
            self._rename,
            self._prefer,
            self._tidy_feed,
            self._ask_for_help,
            self._hook,
        ]
        while time.monotonic() < self.ends_at:
            await self.chance.choice(ways)()

    def _anybody(self) -> Client:
        return self.chance.choice(self.market.people)

    async def _read(self) -> None:
        organisation = self.chance.choice(self.market.organisations)
        await self._anybody().get(self.chance.choice([*_READS, f"/organisations/{organisation.id}/profile"]))

    async def _accept_elsewhere(self) -> None:
        """A quote is accepted in the marketplace, which says so once or twice, and sometimes here as well."""
        buyer, factory = self.chance.choice(self.market.buyers), self.chance.choice(self.market.factories)
        quote = a_quote(factory.id)
        fact = QuoteAccepted.model_validate(
            quote | {"buyer_id": buyer.id, "accepted_by": self.chance.choice(buyer.people).user_id}
        )
        event = seal(fact, event_id=new_id(), now=utc_now(), correlation_id=None, traceparent=None)
        told = [partial(self._publish, event.model_dump_json().encode(), event.id)] * self.chance.randint(
            1, 2
        )
        self.quotes[fact.quote_id] = False
        if self.chance.random() < 0.3:
            # Both doors at once: one order.
            called, *confirmed = await asyncio.gather(
                buyer.people[0].call("POST", "/orders", quote), *(tell() for tell in told)
            )
            if called.refused:
                self.history.wrong.append(f"a quote cannot be accepted: {called}")
        else:
            confirmed = [await tell() for tell in told]
        self.quotes[fact.quote_id] = any(confirmed)

    async def _publish(self, body: bytes, event_id: str) -> bool:
        message = aio_pika.Message(
            body,
            content_type=CONTENT_TYPE,
            message_id=event_id,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        for _ in range(10):
            try:
                async with asyncio.timeout(10):
                    async with await aio_pika.connect(self.amqp_url, timeout=5) as connection:
                        channel = await connection.channel(on_return_raises=True)
                        exchange = await channel.get_exchange("millrace.events", ensure=False)
                        await exchange.publish(message, QuoteAccepted.type, timeout=5)
            except (OSError, TimeoutError, aio_pika.exceptions.AMQPError):
                await asyncio.sleep(0.5)
            else:
                return True
        return False

    async def _settle_in(self) -> None:
        """Found an organisation, and perhaps invite somebody."""
        newcomer = copy(self.market.stranger)
        kind = self.chance.choice(["buyer", "factory"])
        if await join(newcomer, {"organisation": {"name": f"Newcomer {word()}", "kind": kind}}):
            await newcomer.get("/dashboard")
            invited = await newcomer.call(
                "POST", f"/organisations/{newcomer.organisation_id}/invitations", {}
            )
            if invited.acknowledged:
                await join(copy(self.market.stranger), {"invitation": invited.answer["token"]})

    async def _come_and_go(self) -> None:
        """Sign in on another device, look around, sign out; the token is then dead."""
        device = copy(self._anybody())
        if not await sign_in(device):
            return
        await device.get("/auth/me")
        out = await device.call("POST", "/auth/logout", keyed=False)
        if out.acknowledged:
            after = await device.call("GET", "/auth/me")
            if after.status not in {None, 401}:
                self.history.wrong.append(f"a session goes on after its end: {after}")

    async def _rename(self) -> None:
        organisation = self.chance.choice(self.market.organisations)
        path = f"/organisations/{organisation.id}"
        await organisation.people[0].call("PATCH", path, {"name": f"Renamed {word()}"})

    async def _prefer(self) -> None:
        body: dict[str, Any] = {"language": self.chance.choice(["en", "zh"]), "time_zone": "Asia/Shanghai"}
        await self._anybody().call("PUT", "/notifications/preferences", body)

    async def _tidy_feed(self) -> None:
        who = self._anybody()
        feed = await who.get("/notifications")
        if feed and feed["items"]:
            ids = [each["id"] for each in self.chance.sample(feed["items"], min(3, len(feed["items"])))]
            await who.call("POST", "/notifications/read", {"ids": ids}, keyed=False)

    async def _ask_for_help(self) -> None:
        who = self._anybody()
        await who.call("POST", "/support/requests", {"subject": "A question", "message": word()})
        await who.call("POST", "/help/feedback", {"page": "/help/orders", "helpful": True, "comment": word()})

    async def _hook(self) -> None:
        """Make a webhook that hears of nothing that happens, and take it away again."""
        who = self._anybody()
        body = {"url": f"http://127.0.0.1:9/{word()}", "event_types": ["order.overdue.v1"]}
        made = await who.call("POST", "/webhooks", body)
        if made.acknowledged:
            await who.call("DELETE", f"/webhooks/{made.answer['id']}")
