"""What people do: steps, messages, reading."""

from itertools import count, cycle

from tests.bench.comparing import calling, in_turn, rates
from tests.bench.dataset import TEXTS
from tests.bench.load import Call
from tests.bench.report import Row
from tests.bench.stage import Stage, reference


async def status_step(stage: Stage) -> list[Row]:
    behind: list[float] = []

    def ours() -> Call | None:
        try:
            order, body = next(stage.steps)
        except StopIteration:
            return None
        url = f"{stage.api}/orders/{order.id}/status"
        return calling(stage.http, "POST", url, headers=order.factory.headers, body=body)

    async def caught_up() -> None:
        behind.append(await stage.drained())

    async with reference(stage, "routes") as bare:
        copies = cycle(
            calling(stage.http, "POST", f"{bare}/orders/{order.id}/status", body={"to": "shipped"})
            for order in stage.data.orders
        )
        suite, theirs = await in_turn(
            stage, ours=ours, theirs=lambda: next(copies), costs="status step", between=caught_up
        )
    return [
        rates("status step, c=16", suite, theirs, goal=0.5, against="bare find-and-modify"),
        Row(
            name="status step: what the consumers need to catch up after that",
            unit="s",
            suite=behind[::2],
            better="less",
        ),
    ]


async def reading(stage: Stage) -> list[Row]:
    """Mark messages as read one by one, and get the exact count of what is left."""
    orders = stage.data.orders[:200]
    numbers = count()

    def ours() -> Call:
        number = next(numbers)
        order = orders[number % len(orders)]
        url = f"{stage.api}/orders/{order.id}/messages/read"
        body = {"up_to": 1 + number // len(orders)}
        return calling(stage.http, "POST", url, headers=order.buyer.headers, body=body)

    suite, _ = await in_turn(stage, ours=ours, theirs=None, costs="messages read", between=stage.drained)
    return [rates("messages read, with the unread count as the answer, c=16", suite, [])]


async def sending(stage: Stage) -> list[Row]:
    texts, orders = cycle(TEXTS), cycle(stage.data.orders[:500])

    def ours() -> Call:
        order = next(orders)
        url = f"{stage.api}/orders/{order.id}/messages"
        body = {"text": next(texts)}
        return calling(stage.http, "POST", url, headers=order.factory.headers, body=body, status=201)

    suite, _ = await in_turn(stage, ours=ours, theirs=None, costs="message", between=stage.drained)
    return [rates("message sent, c=16", suite, [])]
