"""Bytes on a socket, as no HTTP client would send them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, kw_only=True)
class Wire:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> bool:
        """Send, and tell whether the other side still takes it."""
        try:
            self.writer.write(data)
            await self.writer.drain()
        except ConnectionError:
            return False
        return not self.writer.is_closing()

    async def reply(self) -> Reply:
        """Read one answer whole."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:]) if name
        }
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(await self.reader.readuntil(b"\r\n"), 16):
                body += (await self.reader.readexactly(size + 2))[:-2]
            await self.reader.readuntil(b"\r\n")
        else:
            body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return Reply(status=int(head[0].split()[1]), headers=headers, body=body)

    async def closes(self) -> bytes:
        """Read until the other side closes; give what came."""
        try:
            return await asyncio.wait_for(self.reader.read(-1), timeout=20)
        except ConnectionError:
            return b""


@asynccontextmanager
async def connected(port: int, *, read_ahead: int = 2**16) -> AsyncIterator[Wire]:
    """Open a connection to a port of this machine."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=read_ahead)
    try:
        yield Wire(reader=reader, writer=writer)
    finally:
        writer.transport.abort()  # what the other side did not take is not waited for
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)
