# ruff: noqa: T201 - it prints what it measures
"""Measure chat: messages a second, files up and down beside the S3 server alone, and the memory that this takes.

`python -m tests.bench.chat` starts the whole suite on the parts that MILLRACE_* variables name, else on parts
of its own. Files go through the gateway and directly to the same S3 server in turn: A B A B.
"""

import argparse
import asyncio
import io
import os
import statistics
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp
import psutil
from minio import Minio
from yarl import URL

from deploy.local import Endpoints, Suite

SIZE: Final = 20 * 1024 * 1024
GOAL, MOST_GROWTH = 0.7, 64
_CHUNK: Final = 256 * 1024
_PASSWORD: Final = "correct horse battery"
_BOUNDARY: Final = "a-boundary-that-stands-in-no-file"
Transfer = Callable[[], Awaitable[None]]


def a_file() -> bytes:
    """Make a document of the largest size that hardly compresses."""
    return (b"%PDF-1.7\n" + os.urandom(SIZE))[:SIZE]


@dataclass(kw_only=True)
class Market:
    """A buyer and a factory with an order between them, on a running suite."""

    http: aiohttp.ClientSession
    base: str
    buyer: dict[str, Any]
    factory: dict[str, Any]

    async def post(self, path: str, body: dict[str, Any], *, who: dict[str, Any]) -> Any:
        return await _post(self.http, f"{self.base}{path}", body, headers=token_of(who))

    async def an_order(self) -> str:
        order = await self.post(
            "/orders",
            {
                "quote_id": uuid4().hex,
                "factory_id": self.factory["organisation"]["id"],
                "product": {"name": "Bracket"},
                "quantity": 500,
                "unit_price": {"amount": "3.20", "currency": "USD"},
                "deadline": "2999-12-31",
            },
            who=self.buyer,
        )
        return str(order["id"])


@asynccontextmanager
async def market(base: str) -> AsyncIterator[Market]:
    """Register both sides at a suite whose API is at `base`."""
    timeout, connector = aiohttp.ClientTimeout(total=None), aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as http:
        sides = {}
        for kind in ("buyer", "factory"):
            login = {"email": f"{uuid4().hex[:12]}@{kind}.example", "password": _PASSWORD}
            organisation = {"name": f"The {kind}", "kind": kind}
            who = {"display_name": "Kim", "organisation": organisation}
            await _post(http, f"{base}/auth/register", login | who)
            sides[kind] = await _post(http, f"{base}/auth/login", login)
        yield Market(http=http, base=base, buyer=sides["buyer"], factory=sides["factory"])


async def messages(market: Market, *, senders: int, seconds: float) -> float:
    """Send from as many people at once, into half as many threads; tell how many messages a second were answered."""
    order_ids = [await market.an_order() for _ in range(max(1, senders // 2))]
    sent = 0
    end = time.perf_counter() + seconds

    async def send(number: int) -> None:
        nonlocal sent
        who = market.buyer if number % 2 else market.factory
        path = f"/orders/{order_ids[number // 2 % len(order_ids)]}/messages"
        while time.perf_counter() < end:
            await market.post(path, {"text": "The drawing of the bracket is on its way."}, who=who)
            sent += 1

    began = time.perf_counter()
    await asyncio.gather(*(send(number) for number in range(senders)))
    return sent / (time.perf_counter() - began)


@dataclass(kw_only=True)
class Through:
    """The way through gateway and chat."""

    market: Market
    order_id: str
    data: bytes
    attachment_id: str = ""

    async def upload(self) -> None:
        head = (
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="drawing.pdf"\r\n'
            "Content-Type: application/pdf\r\n\r\n"
        ).encode()
        tail = f"\r\n--{_BOUNDARY}--\r\n".encode()
        headers = token_of(self.market.buyer) | {
            "Content-Type": f"multipart/form-data; boundary={_BOUNDARY}",
            "Content-Length": str(len(head) + len(self.data) + len(tail)),
        }
        url = f"{self.market.base}/orders/{self.order_id}/attachments"
        async with self.market.http.post(
            url, data=_pieces(head, self.data, tail), headers=headers
        ) as response:
            assert response.status == 201, await response.text()
            self.attachment_id = (await response.json())["id"]

    async def download(self) -> None:
        url = f"{self.market.base}/attachments/{self.attachment_id}"
        async with self.market.http.get(url, headers=token_of(self.market.buyer)) as response:
            assert await _drain(response) == len(self.data)


@dataclass(kw_only=True)
class Direct:
    """The S3 server alone, by the `minio` package, as an application without us would use it."""

    client: Minio
    data: bytes
    bucket: str = "bench"
    key: str = "file"

    async def upload(self) -> None:
        self.key = uuid4().hex
        body = io.BytesIO(self.data)
        await asyncio.to_thread(self.client.put_object, self.bucket, self.key, body, len(self.data))

    async def download(self) -> None:
        def read() -> int:
            with closing(self.client.get_object(self.bucket, self.key)) as response:
                return sum(map(len, response.stream(_CHUNK)))

        assert await asyncio.to_thread(read) == len(self.data)


@dataclass(kw_only=True)
class Signed(Direct):
    """The S3 server alone, by links that are signed beforehand: the least that could do."""

    http: aiohttp.ClientSession

    async def upload(self) -> None:
        self.key = uuid4().hex
        headers = {"Content-Length": str(len(self.data))}
        async with self.http.put(self._link("PUT"), data=_pieces(self.data), headers=headers) as response:
            assert response.status == 200, await response.text()

    async def download(self) -> None:
        async with self.http.get(self._link("GET")) as response:
            assert await _drain(response) == len(self.data)

    def _link(self, method: str) -> URL:
        link = self.client.get_presigned_url(method, self.bucket, self.key, expires=timedelta(minutes=10))
        return URL(link, encoded=True)


@asynccontextmanager
async def direct(endpoints: Endpoints, data: bytes) -> AsyncIterator[Direct]:
    """Open the way past gateway and chat that the goal names: the S3 server by its usual client."""
    s3 = endpoints.s3
    client = Minio(
        urlsplit(s3.endpoint).netloc,
        access_key=s3.access_key,
        secret_key=s3.secret_key,
        secure=s3.endpoint.startswith("https"),
        region="us-east-1",
    )
    if not client.bucket_exists("bench"):
        client.make_bucket("bench")
    yield Direct(client=client, data=data)


async def mebibytes_a_second(transfer: Transfer, *, parallel: int, files: int) -> float:
    """Move as many files, so many at a time."""
    left = iter(range(files))

    async def some() -> None:
        for _ in left:
            await transfer()

    began = time.perf_counter()
    await asyncio.gather(*(some() for _ in range(parallel)))
    return files * SIZE / 1024**2 / (time.perf_counter() - began)


@dataclass
class Memory:
    """The resident memory of processes, and of what they start for one file and end again, in MiB."""

    pids: list[int]
    at_first: tuple[float, float] = (0, 0)
    most: tuple[float, float] = (0, 0)

    def now(self) -> tuple[float, float]:
        """Measure the processes themselves, and all that they have started."""
        own = started = 0
        for pid in self.pids:
            with suppress(psutil.NoSuchProcess):
                process = psutil.Process(pid)
                own += process.memory_info().rss
                for child in process.children(recursive=True):
                    with suppress(psutil.NoSuchProcess):
                        started += child.memory_info().rss
        return own / 1024**2, started / 1024**2

    @property
    def growth(self) -> float:
        return self.most[0] - self.at_first[0]

    @asynccontextmanager
    async def watched(self) -> AsyncIterator["Memory"]:
        self.at_first = self.most = self.now()

        async def watch() -> None:
            while True:
                own, started = await asyncio.to_thread(self.now)
                self.most = max(self.most[0], own), max(self.most[1], started)
                await asyncio.sleep(0.05)

        task = asyncio.create_task(watch())
        try:
            yield self
        finally:
            task.cancel()


async def transfers(endpoints: Endpoints, *, rounds: int, files: int) -> dict[str, float]:
    """Compare the ways, in turn; answer the ratios of the medians, and the growth of memory."""
    data, found = a_file(), {}
    memory = Memory([endpoints.pids["gateway"], endpoints.pids["chat"]])
    async with (
        market(f"{endpoints.gateway}/api/v1") as made,
        direct(endpoints, data) as past,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,
        memory.watched(),
    ):
        through = Through(market=made, order_id=await made.an_order(), data=data)
        ways = {
            "direct": past,
            "signed": Signed(client=past.client, data=data, http=http),
            "through": through,
        }
        for name in ("upload", "download"):
            for parallel in (1, 8):
                rates = defaultdict[str, list[float]](list)
                for _ in range(rounds):
                    for way, on in ways.items():
                        transfer = getattr(on, name)
                        rates[way].append(
                            await mebibytes_a_second(transfer, parallel=parallel, files=max(files, parallel))
                        )
                rate = {way: statistics.median(each) for way, each in rates.items()}
                for way in ("direct", "signed"):
                    found[f"{name} x{parallel} to {way}"] = rate["through"] / rate[way]
                print(
                    f"{name:8} x{parallel}   through {rate['through']:4.0f} MiB/s"
                    f"   minio package {rate['direct']:4.0f}, ratio {rate['through'] / rate['direct']:.2f} (goal {GOAL})"
                    f"   signed links {rate['signed']:4.0f}, ratio {rate['through'] / rate['signed']:.2f}"
                )
    found["growth"] = memory.growth
    print(
        f"gateway and chat   {memory.at_first[0]:.0f} MiB at first, grew by {memory.growth:.0f} (goal {MOST_GROWTH});"
        f" what they start for a file: {memory.most[1]:.0f} at most"
    )
    return found


def token_of(who: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {who['access_token']}"}


async def _post(
    http: aiohttp.ClientSession, url: str, body: dict[str, Any], *, headers: dict[str, str] | None = None
) -> Any:
    async with http.post(url, json=body, headers=headers) as response:
        assert response.ok, await response.text()
        return await response.json()


async def _pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        for at in range(0, len(part), _CHUNK):
            yield part[at : at + _CHUNK]


async def _drain(response: aiohttp.ClientResponse) -> int:
    assert response.status == 200, await response.text()
    size = 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
    return size


async def main(*, rounds: int, files: int, seconds: float) -> None:
    env = dict(os.environ)
    own = {
        "MILLRACE_MONGO_DB_PREFIX": f"chat{time.time_ns()}_",
        "MILLRACE_S3_BUCKET": f"chat{time.time_ns()}",
    }
    with TemporaryDirectory(prefix="millrace-bench-") as home:
        async with Suite(home=Path(home), port=0, env=env | own | {"MILLRACE_RATE_LIMITS": "off"}) as suite:
            await transfers(suite.endpoints, rounds=rounds, files=files)
            async with market(f"{suite.endpoints.gateway}/api/v1") as made:
                for _ in range(rounds):
                    rate = await messages(made, senders=16, seconds=seconds)
                    print(f"messages sent, c=16   {rate:.0f} a second")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--files", type=int, default=10, help="moved in each round and scenario")
    parser.add_argument("--seconds", type=float, default=5, help="of sending messages")
    arguments = parser.parse_args()
    asyncio.run(main(rounds=arguments.rounds, files=arguments.files, seconds=arguments.seconds))
