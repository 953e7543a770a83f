"""Events, files, idle streams, and what the suite takes when it has nothing to do."""

import asyncio
import json
import statistics
import sys
import time
from asyncio.subprocess import PIPE, Process
from functools import partial
from itertools import cycle
from uuid import uuid4

import psutil
from yarl import URL

from tests.bench import chat, contact_guard
from tests.bench.comparing import calling
from tests.bench.dataset import STEPS, TRACKING, Person
from tests.bench.live import Client, same
from tests.bench.load import percentile
from tests.bench.references import raw_publishing
from tests.bench.report import Row
from tests.bench.stage import APPLICATIONS, Stage
from tests.waiting import eventually

EVENTS = 8000
FILES = 8


async def events(stage: Stage) -> list[Row]:
    ours, theirs = [], []
    count = EVENTS if stage.size.rounds > 1 else 500
    body = b"x" * 1200
    for _ in range(stage.size.rounds):
        ours.append(await _through_the_outbox(stage, count))
        theirs.append(await raw_publishing.events_a_second(stage.endpoints.amqp, count=count, body=body))
    return [
        Row(
            name="events from outbox to consumer",
            unit="a second",
            suite=ours,
            reference=theirs,
            against="raw aio-pika, confirmed, c=64",
            goal=0.4,
        )
    ]


async def _through_the_outbox(stage: Stage, count: int) -> float:
    hearer, teller = [await _part(stage, part, count) for part in ("hear", "tell")]
    try:
        assert teller.stdin
        teller.stdin.write(b"\n")
        began, ended = float(await _line(teller)), float(await _line(hearer))
    finally:
        for process in (hearer, teller):
            if process.returncode is None:
                process.terminate()
            await process.wait()
    return count / (ended - began)


async def _part(stage: Stage, part: str, count: int) -> Process:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.outbox_events", part, "--count", str(count)),
        env=stage.env,
        stdin=PIPE,
        stdout=PIPE,
    )
    assert await _line(process) == "ready"
    return process


async def _line(process: Process) -> str:
    assert process.stdout
    return (await asyncio.wait_for(process.stdout.readline(), 120)).decode().strip()


async def files(stage: Stage) -> list[Row]:
    data = chat.a_file()
    pids = stage.endpoints.pids
    memory = chat.Memory([pids["gateway"], pids["chat"]])
    rates: dict[str, dict[str, list[float]]] = {}
    async with (
        chat.market(stage.api) as made,
        chat.direct(stage.endpoints, data) as past,
        memory.watched(),
    ):
        through = chat.Through(market=made, order_id=await made.an_order(), data=data)
        for _ in range(stage.size.rounds):
            for what in ("upload", "download"):
                for parallel in (1, 8):
                    found = rates.setdefault(
                        f"{what} of 20 MiB, {parallel} in parallel", {"suite": [], "reference": []}
                    )
                    for way, on in (("suite", through), ("reference", past)):
                        rate = await chat.mebibytes_a_second(
                            getattr(on, what), parallel=parallel, files=FILES
                        )
                        found[way].append(rate)
    return [
        *(
            Row(name=name, unit="MiB/s", against="the S3 server", goal=chat.GOAL, **found)
            for name, found in rates.items()
        ),
        Row(
            name="gateway and chat grow by, while files pass",
            unit="MiB",
            suite=[memory.growth],
            goal=chat.MOST_GROWTH,
            better="less",
        ),
    ]


class Stream(Client):
    """One of many, on the suite's gateway."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(
            f"GET /api/v1/stream HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {self.token}\r\n\r\n".encode()
        )


async def idle_streams(stage: Stage) -> list[Row]:
    """Open 2,000 streams, a hundred of them of each side of some orders, and let these orders take steps."""
    is_quick = stage.size.rounds == 1
    streams = 200 if is_quick else 2000
    buyer, factory = stage.data.buyers[0], stage.data.factories[-1]
    listeners = [*[buyer] * (streams // 20), *[factory] * (streams // 20)]
    others = cycle(stage.data.buyers[1:])
    people = [*listeners, *(next(others) for _ in range(streams - len(listeners)))]
    orders = [await _an_order(stage, buyer, factory) for _ in range(1 if is_quick else 4)]
    await stage.drained()

    came: dict[str, list[float]] = {}
    clients = [Stream(person.token, came) for person in people]
    address = URL(stage.endpoints.gateway)
    gateway = psutil.Process(stage.endpoints.pids["gateway"])
    before = gateway.memory_info().rss
    for client in clients:
        await asyncio.get_running_loop().create_connection(partial(same, client), address.host, address.port)
    await eventually(lambda: all(client.is_ready for client in clients), within=120)
    await asyncio.sleep(1 if is_quick else 17)  # past everybody's first ping
    each = (gateway.memory_info().rss - before) / streams / 1024

    spread = []
    for order in orders:
        for to in STEPS:
            came.clear()
            asked = time.perf_counter()
            body = {"to": to} | ({"tracking": TRACKING} if to == "shipped" else {})
            await calling(stage.http, "POST", f"{order}/status", headers=factory.headers, body=body)()
            await eventually(lambda: any(len(heard) >= len(listeners) for heard in came.values()), within=30)
            spread.append((max(max(came.values(), key=len)) - asked) * 1000)
    for client in clients:
        client.transport.abort()
    return [
        Row(name=f"{streams} idle streams: memory of each", unit="KiB", suite=[each], goal=30, better="less"),
        Row(
            name=f"a step, from its call to the last of {len(listeners)} streams",
            unit="ms",
            suite=spread,
            goal=50,
            better="less",
        ),
    ]


async def _an_order(stage: Stage, buyer: Person, factory: Person) -> str:
    quote = {
        "quote_id": uuid4().hex,
        "factory_id": factory.organisation_id,
        "product": {"name": "Bracket"},
        "quantity": 500,
        "unit_price": {"amount": "3.20", "currency": "USD"},
        "deadline": "2099-12-31",
    }
    async with stage.http.post(f"{stage.api}/orders", json=quote, headers=buyer.headers) as response:
        assert response.status == 201, await response.text()
        return f"{stage.api}/orders/{(await response.json())['id']}"


async def guard(stage: Stage) -> list[Row]:
    """Check the shared examples, on one core of this process."""
    del stage
    texts = [json.loads(line)["text"] for line in contact_guard.EXAMPLES.read_text("utf-8").splitlines()]
    taken = [contact_guard.seconds(text, contact_guard.REPEATS) * 1e6 for text in texts]
    page = " ".join(texts)[:1000]
    long, short = [
        min(contact_guard.seconds(page * times, contact_guard.REPEATS) for _ in range(5)) for times in (4, 1)
    ]
    return [
        Row(
            name="contact guard, median", unit="µs", suite=[statistics.median(taken)], goal=100, better="less"
        ),
        Row(name="contact guard, p99", unit="µs", suite=[percentile(taken, 99)], goal=500, better="less"),
        Row(
            name="contact guard, 4,000 characters against 1,000",
            unit="times",
            suite=[long / short],
            goal=5,
            better="less",
        ),
    ]


async def at_rest(stage: Stage) -> list[Row]:
    rest = sum(stage.at_rest[name] for name in APPLICATIONS)
    resident = sum(stage.at_rest[f"{name} (resident)"] for name in APPLICATIONS)
    return [
        Row(
            name="start of the whole suite, until ready",
            unit="s",
            suite=[stage.start_seconds],
            goal=10,
            better="less",
        ),
        Row(
            name="five applications at rest, shared pages counted once",
            unit="MiB",
            suite=[rest],
            goal=450,
            better="less",
        ),
        Row(
            name="five applications at rest, resident sizes added up",
            unit="MiB",
            suite=[resident],
            better="less",
        ),
        Row(
            name="five applications now, shared pages counted once",
            unit="MiB",
            suite=[sum(stage.memory().values())],
            better="less",
            note="after all that is above",
        ),
    ]
