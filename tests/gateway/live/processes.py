"""A gateway as a process of its own, to be killed."""

import asyncio
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import aiohttp

from deploy import ports
from tests.waiting import eventually


@dataclass
class GatewayProcess:
    amqp_url: str
    port: int
    process: Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.gateway.live.small_gateway"),
            *("--port", str(self.port), "--amqp-url", self.amqp_url),
        )

    async def end(self, sent: signal.Signals) -> int:
        assert self.process
        with suppress(ProcessLookupError):
            self.process.send_signal(sent)
        return await self.process.wait()

    async def is_ready(self) -> bool:
        async with aiohttp.ClientSession() as session:
            try:
                async with session.get(f"{self.url}/health/ready") as response:
                    return response.status == 200
            except aiohttp.ClientError:
                return False


@asynccontextmanager
async def gateway_process(amqp_url: str) -> AsyncIterator[GatewayProcess]:
    gateway = GatewayProcess(amqp_url, ports.pick())
    await gateway.start()
    try:
        await eventually(gateway.is_ready, within=30)
        yield gateway
    finally:
        await gateway.end(signal.SIGKILL)
