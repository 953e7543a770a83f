"""The wire between a program and what it stands on, in a test's hands."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit


class Link:
    """Passes bytes on until it is cut; while it is `down`, nobody gets through.

    `delay` is how long each piece takes, in seconds; while the link is held, pieces wait on it and no
    end learns of it.
    """

    def __init__(self, url: str) -> None:
        self._far = urlsplit(url)
        self._writers: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self.url = ""
        self.down = False
        self.delay = 0.0

    @property
    def is_used(self) -> bool:
        return bool(self._writers)

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    def hold(self) -> None:
        self._flows.clear()

    def let_go(self) -> None:
        self._flows.set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Link"]:
        server = await asyncio.start_server(self._connect, "127.0.0.1")
        port = server.sockets[0].getsockname()[1]
        login, at, _ = self._far.netloc.rpartition("@")
        self.url = urlunsplit(self._far._replace(netloc=f"{login}{at}127.0.0.1:{port}"))
        async with server:
            try:
                yield self
            finally:
                self.cut()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.down:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(self._far.hostname, self._far.port)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        await asyncio.gather(self._pass_on(reader, far_writer), self._pass_on(far_reader, writer))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                if self.delay:
                    await asyncio.sleep(self.delay)
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            self._writers.discard(writer)
            writer.transport.abort()


@asynccontextmanager
async def linked(url: str) -> AsyncIterator[Link]:
    async with Link(url).open() as link:
        yield link
