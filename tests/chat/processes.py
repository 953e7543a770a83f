"""The chat service as a process of its own, to be killed."""

import asyncio
import os
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

import aiohttp

from deploy import ports
from services.chat.main import Settings
from shared import mongo
from shared.identity import Caller
from shared.mongo import Database
from tests.chat.running import SECRET, Answer, Chat
from tests.waiting import eventually

_AWAY = (aiohttp.ClientError, OSError, TimeoutError)


@dataclass(kw_only=True)
class ChatProcess:
    """One instance; after `kill` it can be started again, at another address."""

    settings: Settings
    session: aiohttp.ClientSession
    db: Database
    port: int = 0
    kills: int = 0
    _process: Process | None = None

    @property
    def chat(self) -> Chat:
        return Chat(session=self.session, url=f"http://127.0.0.1:{self.port}", db=self.db, app=None)

    async def start(self) -> None:
        """Start it, and return when it is ready."""
        await self._start()

        async def is_ready() -> bool:
            assert self._process
            if self._process.returncode is not None:  # somebody else has taken the port meanwhile
                await self._start()
            return await self.is_ready()

        await eventually(is_ready, within=120, every=0.1)

    async def _start(self) -> None:
        settings = self.settings
        self.port = ports.pick()
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "services.chat.main"),
            env=dict(os.environ)
            | {
                "MILLRACE_PORT": str(self.port),
                "MILLRACE_MONGO_URL": settings.mongo_url,
                "MILLRACE_MONGO_DB_PREFIX": settings.mongo_db_prefix,
                "MILLRACE_AMQP_URL": settings.amqp_url,
                "MILLRACE_SERVICE_SECRET": SECRET,
                "MILLRACE_S3_ENDPOINT": settings.s3_endpoint,
                "MILLRACE_S3_ACCESS_KEY": settings.s3_access_key,
                "MILLRACE_S3_SECRET_KEY": settings.s3_secret_key.get_secret_value(),
                "MILLRACE_S3_BUCKET": settings.s3_bucket,
                "MILLRACE_LOG_LEVEL": "ERROR",
            },
            stdout=asyncio.subprocess.DEVNULL,
        )

    async def is_ready(self) -> bool:
        try:
            async with self.session.get(f"{self.chat.url}/health/ready") as response:
                return response.status == 200
        except _AWAY:
            return False

    async def kill(self) -> None:
        """End it as `kill -9` does."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        self.kills += 1

    async def fall_and_rise(self) -> None:
        await self.kill()
        await self.start()

    async def insist(self, method: str, path: str, *, by: Caller, **options: object) -> Answer:
        """Call until there is an answer, as a client must whose connection broke."""

        async def answered() -> Answer | None:
            try:
                answer = await self.chat.call(method, path, by=by, **options)  # type: ignore[arg-type]
            except _AWAY:
                return None
            return answer if answer.status < 500 else None

        answer = await eventually(answered, within=90, every=0.1)
        assert answer
        return answer


@asynccontextmanager
async def chat_processes(settings: Settings, *, count: int) -> AsyncIterator[list[ChatProcess]]:
    """Run so many instances of one service."""
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(
            mongo.connect(
                url=settings.mongo_url, name=f"{settings.mongo_db_prefix}chat", driver=settings.mongo_driver
            )
        )
        session = await stack.enter_async_context(
            aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=30), connector=aiohttp.TCPConnector(limit=0)
            )
        )
        instances = [ChatProcess(settings=settings, session=session, db=db) for _ in range(count)]
        for instance in instances:
            stack.push_async_callback(instance.kill)
        await asyncio.gather(*(instance.start() for instance in instances))
        yield instances
