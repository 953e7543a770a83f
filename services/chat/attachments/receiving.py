"""Takes one file out of a multipart body and puts it on disk, never more than a piece of it in memory."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from services.chat.attachments import names
from shared.errors import TooLarge, ValidationFailed

_PIECE: Final = 1024 * 1024
_FIELD: Final = "file"


class AttachmentTooLarge(TooLarge):
    """The file has more bytes than may be sent."""

    title = "The file is too large"

    def __init__(self, *, limit: int) -> None:
        super().__init__(f"a file may have up to {limit} bytes", limit=limit)


@dataclass(kw_only=True)
class Received:
    """A file on disk, without a name there: it is gone with the process, however that ends."""

    file: BinaryIO
    name: str
    content_type: str
    size: int
    sha256: str


@asynccontextmanager
async def receiving(body: AsyncIterable[bytes], *, content_type: str, limit: int) -> AsyncIterator[Received]:
    """Read a whole body that has one part, `file`.

    Raises:
        ValidationFailed: it has not, or breaks off.
        AttachmentTooLarge: the file is larger than the limit.
    """
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise ValidationFailed.at("/file", "send multipart/form-data with one part named file")
    part = _Part()
    digest = hashlib.sha256()
    with tempfile.TemporaryFile(prefix="millrace-upload-") as file:

        def take(piece: bytearray) -> None:
            file.write(piece)
            digest.update(piece)

        taking = _Taking(take)
        try:
            size = await _spool(body, part, taking, boundary=options[b"boundary"], limit=limit)
        finally:
            await taking.end()
        if size > limit:
            raise AttachmentTooLarge(limit=limit)
        if not part.has_ended or part.count != 1 or part.name is None:
            raise ValidationFailed.at("/file", "send one part named file, with a file name")
        if size == 0:
            raise ValidationFailed.at("/file", "is empty")
        yield Received(
            file=file, name=part.name, content_type=part.content_type, size=size, sha256=digest.hexdigest()
        )


async def _spool(
    body: AsyncIterable[bytes],
    part: "_Part",
    taking: "_Taking",
    *,
    boundary: bytes,
    limit: int,
) -> int:
    """Give the part on in pieces and tell its size; what is past the limit is read, so that the answer is, and dropped."""
    size = taken = 0
    try:
        parser = part.parser(boundary)
        async for chunk in body:
            parser.write(chunk)
            taken += len(chunk)
            if len(part.data) >= _PIECE or size > limit:
                size += len(part.data)
                if size <= limit:
                    await taking.begin(part.data)
                part.data = bytearray()
            if taken > 2 * limit + _PIECE:  # much may also stand between, before and behind the parts
                return taken
    except FormParserError as error:
        raise ValidationFailed.at("/file", "the multipart body is malformed") from error
    await taking.begin(part.data)
    return size + len(part.data)


class _Taking:
    """Has one piece taken in a thread while the next one arrives."""

    def __init__(self, take: Callable[[bytearray], None]) -> None:
        self._take = take
        self._last: asyncio.Future[None] | None = None

    async def begin(self, piece: bytearray) -> None:
        await self.end()
        self._last = asyncio.ensure_future(asyncio.to_thread(self._take, piece))

    async def end(self) -> None:
        last, self._last = self._last, None
        if last:
            await last


@dataclass(kw_only=True)
class _Part:
    """What the parser has told so far."""

    data: bytearray = field(default_factory=bytearray)
    name: str | None = None
    content_type: str = ""
    count: int = 0
    has_ended: bool = False
    _header: bytearray = field(default_factory=bytearray)
    _value: bytearray = field(default_factory=bytearray)

    def parser(self, boundary: bytes) -> MultipartParser:
        return MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_part_data": self._more,
                "on_header_field": self._more_header,
                "on_header_value": self._more_value,
                "on_header_end": self._end_header,
                "on_end": self._end,
            },
        )

    def _begin(self) -> None:
        self.count += 1

    def _more(self, data: bytes, start: int, end: int) -> None:
        self.data += memoryview(data)[start:end]

    def _more_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _more_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        header, value = bytes(self._header).lower(), bytes(self._value)
        self._header, self._value = bytearray(), bytearray()
        if header == b"content-type":
            self.content_type = value.decode("latin-1")
        elif header == b"content-disposition":
            _, options = parse_options_header(value)
            if options.get(b"name") == _FIELD.encode() and (name := options.get(b"filename")):
                self.name = names.decoded(name.decode("utf-8", errors="replace"))

    def _end(self) -> None:
        self.has_ended = True
