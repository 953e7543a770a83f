"""The client in the documentation is one that works."""

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.gateway.live.builders import an_event
from tests.gateway.live.conftest import Publish, StartGateway
from tests.waiting import eventually

pytestmark = pytest.mark.parts

PAGE = Path(__file__).parents[3] / "docs" / "live-updates.md"


def documented_client() -> Callable[..., Iterator[tuple[str, str]]]:
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert code
    names: dict[str, Callable[..., Iterator[tuple[str, str]]]] = {}
    exec(code[1], names)  # noqa: S102 - ours
    return names["listen"]


async def test_the_documented_client_hears_everything_also_after_the_stream_ended(
    start_gateway: StartGateway, publish: Publish
) -> None:
    heard: list[tuple[str, str]] = []

    async with start_gateway() as gateway:

        def read() -> None:
            for event in documented_client()(f"{gateway.url}/stream", "wei/buyer/s1"):
                heard.append(event)
                if len(heard) == 5:
                    return

        reading = threading.Thread(target=read, daemon=True)
        reading.start()
        await eventually(lambda: [kind for kind, _ in heard] == ["ready"])
        await publish(first := an_event())
        await eventually(lambda: len(heard) == 2)
        for stream in list(gateway.app.state.live._streams()):
            gateway.app.state.live._end(stream, reason="test")
        await publish(missed := an_event())
        await eventually(lambda: len(heard) == 4)
        await publish(an_event())
        await asyncio.to_thread(reading.join)

    assert [kind for kind, _ in heard] == [
        "ready",
        first["type"],
        "ready",
        missed["type"],
        "order.updated.v1",
    ]
    assert missed["id"] in heard[3][1]
