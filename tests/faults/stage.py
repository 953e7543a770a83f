"""A whole marketplace's servers of one test alone: any number of suites on parts that can be hurt.

Each suite is `deploy.local.Suite`, as `make up` runs it, with its own gateway and services; together they
are so many instances of everything. They reach MongoDB, RabbitMQ and S3, and clients reach the gateways,
over links that can be cut, slowed and held.
"""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import psutil
from minio import Minio

from deploy import ports
from deploy.local import Suite
from deploy.parts import PART_PORTS, START_SECONDS, Parts, plan
from deploy.process import Program, end_leftovers, stop
from tests.gateway.live.link import Link, linked

BUCKET = "attachments"
DISK = "64m"
APPLICATIONS = ("gateway", "orders", "chat", "reviews", "notifications")
# What has to be the same for all instances of a suite.
_SHARED = {
    "MILLRACE_S3_BUCKET": BUCKET,
    "MILLRACE_SERVICE_SECRET": "a secret of all instances of this test",
    "MILLRACE_RATE_LIMITS": "off",
    "MILLRACE_WEBHOOK_ALLOW_NETWORKS": "127.0.0.0/8",
    "MILLRACE_ATTACHMENT_SWEEP_EVERY": "PT1S",
}


@dataclass(kw_only=True)
class Stage:
    home: Path
    parts: Parts
    links: dict[str, Link]
    suites: list[Suite]
    disk: Path | None
    """The folder of S3, where it is a small disk of its own."""

    @property
    def gateways(self) -> list[Link]:
        return [link for name, link in self.links.items() if name.startswith("gateway")]

    def part(self, name: str) -> Program:
        return next(program for program in self.parts.programs if program.name == name)

    def s3(self) -> Minio:
        s3 = self.parts.s3
        return Minio(
            s3.endpoint.removeprefix("http://"),
            access_key=s3.access_key,
            secret_key=s3.secret_key,
            secure=False,
            region="us-east-1",
        )

    async def start_part(self, name: str) -> None:
        program = self.part(name)
        program.start()
        await asyncio.to_thread(program.wait_until_ready, within=START_SECONDS, cancelled=Event())

    async def stop_part(self, name: str, *, kill: bool) -> None:
        program = self.part(name)
        if kill:
            await asyncio.to_thread(program.kill)
        else:
            await asyncio.to_thread(stop, [program])

    def signal(self, suite: int, name: str, number: signal.Signals) -> None:
        """Send an application a signal, if it lives."""
        with suppress(psutil.NoSuchProcess, KeyError):
            psutil.Process(self.suites[suite].endpoints.pids[name]).send_signal(number)


@asynccontextmanager
async def stage(home: Path, *, instances: int) -> AsyncIterator[Stage]:
    """Start everything; it is ended without care for its data."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MILLRACE_")}
    folder = home / "parts"
    folder.mkdir(parents=True)
    at = ports.choose((*PART_PORTS, "management"), remembered_in=folder / "ports.json")
    async with AsyncExitStack() as stack:
        disk = stack.enter_context(_small_disk(folder / "s3"))
        parts = plan(home=folder, env=environ, at=at)
        stack.callback(end_leftovers, folder)
        for program in parts.programs:
            program.start()
            stack.callback(program.kill)
        await asyncio.gather(
            *(
                asyncio.to_thread(program.wait_until_ready, within=START_SECONDS, cancelled=Event())
                for program in parts.programs
            )
        )
        on_stage = Stage(home=home, parts=parts, links={}, suites=[], disk=disk)
        direct = parts.mongo_url.partition("?")[0] + "?directConnection=true"
        for name, url in (("mongod", direct), ("rabbitmq", parts.amqp_url), ("s3", parts.s3.endpoint)):
            on_stage.links[name] = await stack.enter_async_context(linked(url))
        env = (
            environ
            | _SHARED
            | {
                "MILLRACE_MONGO_URL": on_stage.links["mongod"].url,
                "MILLRACE_AMQP_URL": on_stage.links["rabbitmq"].url,
                "MILLRACE_S3_ENDPOINT": on_stage.links["s3"].url,
                "MILLRACE_S3_ACCESS_KEY": parts.s3.access_key,
                "MILLRACE_S3_SECRET_KEY": parts.s3.secret_key,
            }
        )
        on_stage.suites += [
            Suite(home=home / f"suite-{number}", port=0, env=env) for number in range(instances)
        ]
        await asyncio.gather(*(stack.enter_async_context(suite) for suite in on_stage.suites))
        for number, suite in enumerate(on_stage.suites):
            link = await stack.enter_async_context(linked(suite.endpoints.gateway))
            on_stage.links[f"gateway-{number}"] = link
        yield on_stage


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path | None]:
    """Give a folder a small disk of its own, where this user may; it is soon full."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(command, check=False, capture_output=True).returncode == 0
    try:
        yield folder if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=False)  # noqa: S607
