"""An order's life under load: what both sides do to it, and that each sees what the other was told."""

import asyncio
import io
import random
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from PIL import Image

from tests.faults.history import Call, Client, History
from tests.faults.market import Organisation

_STEPS: Final = ("in_production", "quality_check", "shipped")
_LETTERS: Final = str.maketrans("0123456789abcdef", "ghijklmnopqrstuv")
_CONTACT: Final = "Write to me at kim.larsen@gmail.com instead"


def word() -> str:
    """Make a word that nobody else uses, without a digit that could be called."""
    return uuid4().hex.translate(_LETTERS)


def a_quote(factory_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "quote_id": f"Q-{uuid4().hex}",
        "factory_id": factory_id,
        "product": {"name": "Aluminium bracket", "sku": "BR-6061-20"},
        "quantity": 500,
        "unit_price": {"amount": "3.20", "currency": "USD"},
        "deadline": (datetime.now(UTC) + timedelta(days=30)).date().isoformat(),
    } | changes


@dataclass(kw_only=True)
class Deal:
    buyer: Organisation
    factory: Organisation
    history: History
    chance: random.Random
    ends_at: float
    order_id: str = ""
    version: int = 0
    status: str = "confirmed"
    newest_seq: int = 0
    unsent: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        return time.monotonic() > self.ends_at

    async def live(self) -> None:
        """Take an order as far as time and luck allow."""
        if not await self._begin():
            return
        for to in _STEPS:
            await self._talk()
            if self.is_over or not await self._step(
                self._factory(), f"/orders/{self.order_id}/status", {"to": to, "note": word()}, to=to
            ):
                return
        await self._wait_for_the_goods()
        if self.is_over or not await self._step(
            self._buyer(), f"/orders/{self.order_id}/receipt", {"note": word()}, to="delivered"
        ):
            return
        await self._talk()
        if not self.is_over and await self._review(self._buyer()):
            await self._look(must_be="completed")
            await self._review(self._factory())

    def _buyer(self) -> Client:
        return self.chance.choice(self.buyer.people)

    def _factory(self) -> Client:
        return self.chance.choice(self.factory.people)

    def _anybody(self) -> Client:
        return self.chance.choice([*self.buyer.people, *self.factory.people])

    async def _begin(self) -> bool:
        call = await self._buyer().call("POST", "/orders", a_quote(self.factory.id))
        if not call.acknowledged:
            if call.refused:
                self.history.wrong.append(f"a quote cannot be accepted: {call}")
            return False
        self.order_id, self.version = call.answer["id"], call.answer["version"]
        return await self._look() is not None

    async def _look(self, *, must_be: str | None = None) -> Any:
        """Read the order as anybody of either side; what was acknowledged has to be there."""
        order = await self._anybody().get(f"/orders/{self.order_id}")
        if order is None:
            return None
        if order["version"] < self.version or (must_be and order["status"] != must_be):
            self.history.wrong.append(
                f"order {self.order_id} is shown as {order['status']} at version {order['version']}, "
                f"after {must_be or self.status} at {self.version} was acknowledged"
            )
        self.version, self.status = order["version"], order["status"]
        return order

    async def _step(self, who: Client, path: str, body: Any, *, to: str) -> bool:
        """Take a step; tell whether it is taken."""
        for _ in range(3):
            headers = {"If-Match": f'"{self.version}"'}
            call = await who.call("POST", path, body, headers=headers, keyed=False)
            if call.acknowledged:
                self.version = call.answer["version"]
            order = await self._look(must_be=to if call.acknowledged else None)
            if order is None:
                return False
            if to in (entry["status"] for entry in order["history"]):
                return True
            if call.refused and call.status != 412:
                self._complain(call)
                return False
        return False

    def _complain(self, call: Call) -> None:
        if call.status not in {409, 412, 429} or not call.may_be_a_repeat:
            self.history.wrong.append(f"refused, and nothing tells why: {call}")

    async def _wait_for_the_goods(self) -> None:
        """Do what both sides may do meanwhile."""
        if self.chance.random() < 0.4:
            path = f"/orders/{self.order_id}/receipt-request"
            call = await self._factory().call("POST", path, keyed=False)
            if call.refused:
                self._complain(call)
        if self.chance.random() < 0.4:
            path = f"/orders/{self.order_id}/receipt-extension"
            call = await self._anybody().call("POST", path, keyed=False)
            if call.refused:
                self._complain(call)
        await self._look()

    async def _talk(self) -> None:
        ways = [self._say, self._say, self._say_with_files, self._upload, self._read, self._slip]
        for _ in range(self.chance.randrange(2, 6)):
            if self.is_over:
                return
            await self.chance.choice(ways)()

    async def _say(self, attachment_ids: tuple[str, ...] = (), who: Client | None = None) -> None:
        body = {"text": f"All as agreed, {word()}", "attachment_ids": attachment_ids}
        who = who or self._anybody()
        call = await who.call("POST", f"/orders/{self.order_id}/messages", body)
        if call.refused:
            self.history.wrong.append(f"a message is refused: {call}")
        if call.acknowledged:
            seq = call.answer["seq"]
            self.newest_seq = max(self.newest_seq, seq)
            page = await self._anybody().get(f"/orders/{self.order_id}/messages?after={seq - 1}&limit=1")
            if page is not None and [each["id"] for each in page["items"]] != [call.answer["id"]]:
                self.history.wrong.append(f"an acknowledged message cannot be read: {call}, but {page}")

    async def _upload(self) -> None:
        who = self._anybody()
        picture = await asyncio.to_thread(a_picture, self.chance.randrange(40, 300))
        file = (f"{word()}.jpg", picture, "image/jpeg")
        call = await who.call("POST", f"/orders/{self.order_id}/attachments", file=file)
        if call.refused:
            self.history.wrong.append(f"a picture is refused: {call}")
        if call.acknowledged:
            self.unsent.setdefault(who.user_id, []).append(call.answer["id"])
            thumbnail = call.answer["thumbnail_url"]
            if self.chance.random() < 0.5:
                path = f"/attachments/{call.answer['id']}"
                got = await who.get(f"{path}/thumbnail" if thumbnail and self.chance.random() < 0.3 else path)
                if got is not None and len(got) not in {call.answer["size"], len(got) if thumbnail else -1}:
                    self.history.wrong.append(f"an acknowledged file is given out otherwise: {call}")

    async def _say_with_files(self) -> None:
        who = self._anybody()
        if files := self.unsent.pop(who.user_id, None):
            await self._say(tuple(files), who)
        else:
            await self._upload()

    async def _read(self) -> None:
        path = f"/orders/{self.order_id}/messages/read"
        await self._anybody().call(
            "POST", path, {"up_to": self.chance.randint(0, self.newest_seq + 1)}, keyed=False
        )

    async def _slip(self) -> None:
        path = f"/orders/{self.order_id}/messages"
        call = await self._anybody().call("POST", path, {"text": f"{_CONTACT}, {word()}"})
        if call.acknowledged:
            self.history.wrong.append(f"contact information went through: {call}")

    async def _review(self, who: Client) -> bool:
        """Review the other side, which sometimes answers; tell whether the review is acknowledged."""
        body = {"rating": self.chance.randint(1, 5), "text": f"Fair and careful, {word()}"}
        call = await who.call("POST", f"/orders/{self.order_id}/reviews", body)
        if call.refused and not call.may_be_a_repeat:
            self.history.wrong.append(f"a review is refused: {call}")
        if call.acknowledged and self.chance.random() < 0.5:
            other = self._factory() if who in self.buyer.people else self._buyer()
            path = f"/reviews/{call.answer['id']}/reply"
            replied = await other.call("POST", path, {"text": f"Thank you, {word()}"})
            if replied.refused:
                self.history.wrong.append(f"a reply is refused: {replied}")
        return call.acknowledged


def a_picture(side: int) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((side, side), 60).convert("RGB").save(buffer, "JPEG")
    return buffer.getvalue()
