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
        self._near: set[asyncio.StreamWriter] = set()
        self._connections: set[asyncio.Task[None]] = set()
        self._flows = _flowing()
        self._lost: list[asyncio.Event] = []
        self.url = ""
        self.down = False
        self.delay = 0.0

    @property
    def is_used(self) -> bool:
        return bool(self._writers)

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        for lost in self._lost:
            lost.set()
        self._lost.clear()

    def tell(self, data: bytes) -> None:
        """Say something in the far end's name."""
        for writer in self._near:
            writer.write(data)

    def hold(self) -> None:
        self._flows.clear()

    def let_go(self) -> None:
        self._flows.set()

    def lose(self) -> None:
        """Forget the connections that are open, as a router does that is restarted: no end learns of it."""
        self._flows.clear()
        self._lost.append(self._flows)
        self._flows = _flowing()

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
                server.close()
                self.let_go()
                self.cut()
                await asyncio.gather(*self._connections)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        if self.down:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(self._far.hostname, self._far.port)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        self._near.add(writer)
        flows = self._flows
        await asyncio.gather(
            self._pass_on(reader, far_writer, flows), self._pass_on(far_reader, writer, flows)
        )

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flows: asyncio.Event
    ) -> None:
        try:
            while data := await reader.read(65536):
                if self.delay:
                    await asyncio.sleep(self.delay)
                await flows.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            self._writers.discard(writer)
            self._near.discard(writer)
            writer.transport.abort()


def _flowing() -> asyncio.Event:
    flows = asyncio.Event()
    flows.set()
    return flows


@asynccontextmanager
async def linked(url: str) -> AsyncIterator[Link]:
    async with Link(url).open() as link:
        yield link
