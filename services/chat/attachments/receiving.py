"""Takes one file out of a multipart body and puts it on disk, never more than a piece of it in memory."""

import asyncio
import hashlib
from collections.abc import AsyncIterable, Awaitable, Callable
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from services.chat.attachments import kinds, names
from services.chat.attachments.growing import Growing
from shared.errors import TooLarge, ValidationFailed

_PIECE: Final = 512 * 1024
_FIELD: Final = "file"
# What stands around the boundary behind the last part.
_FRAMING: Final = len("\r\n--" + "--\r\n")


class AttachmentTooLarge(TooLarge):
    """The file has more bytes than may be sent."""

    title = "The file is too large"

    def __init__(self, *, limit: int) -> None:
        super().__init__(f"a file may have up to {limit} bytes", limit=limit)


@dataclass(frozen=True, kw_only=True)
class Form:
    """The body of an upload, not yet read."""

    body: AsyncIterable[bytes]
    content_type: str
    length: int
    """Of the whole body; 0 where the client does not say it."""


@dataclass(frozen=True, kw_only=True)
class Received:
    """What came with the file, and what it is by its bytes."""

    name: str
    content_type: str
    size: int
    sha256: str


async def receive(
    form: Form, *, into: BinaryIO, limit: int, begun: Callable[[Growing], Awaitable[object]]
) -> Received:
    """Write the one part, `file`, of a whole body into a file.

    Args:
        begun: called once where more than a piece of a document arrives, whose size the form's length foretells.

    Raises:
        ValidationFailed: the body has no such part, or others, or breaks off.
        AttachmentTooLarge: the file is larger than the limit.
    """
    kind, options = parse_options_header(form.content_type)
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise ValidationFailed.at("/file", "send multipart/form-data with one part named file")
    part, spool = _Part(), _Spool(into, limit=limit)
    try:
        await _read(form, part, spool, boundary=options[b"boundary"], begun=begun)
    except FormParserError as error:
        raise ValidationFailed.at("/file", "the multipart body is malformed") from error
    finally:
        await spool.end()
    if spool.size > limit:
        raise AttachmentTooLarge(limit=limit)
    if not part.has_ended or part.count != 1 or part.name is None:
        raise ValidationFailed.at("/file", "send one part named file, with a file name")
    if spool.size == 0:
        raise ValidationFailed.at("/file", "is empty")
    return Received(
        name=part.name, content_type=part.content_type, size=spool.size, sha256=spool.digest.hexdigest()
    )


async def _read(
    form: Form,
    part: "_Part",
    spool: "_Spool",
    *,
    boundary: bytes,
    begun: Callable[[Growing], Awaitable[object]],
) -> None:
    """Give the part on in pieces; what is past the limit is read too, so that the answer is."""
    taken = 0
    parser = part.parser(boundary)
    async for chunk in form.body:
        part.before = taken
        parser.write(chunk)
        taken += len(chunk)
        if len(part.data) >= _PIECE or spool.size > spool.limit:
            is_first = spool.size == 0
            await spool.take(part.data)
            if is_first and part.name is not None and kinds.may_be_document(part.data):
                size = form.length - part.begins_at - len(boundary) - _FRAMING
                if spool.size < size <= spool.limit:
                    spool.growing = Growing(spool.file, size=size)
                    await begun(spool.growing)
            part.data = bytearray()
        if taken > 2 * spool.limit + _PIECE:  # much may also stand between, before and behind the parts
            raise AttachmentTooLarge(limit=spool.limit)
    await spool.take(part.data)


class _Spool:
    """Writes one piece in a thread while the next one arrives, and drops what is past the limit."""

    def __init__(self, file: BinaryIO, *, limit: int) -> None:
        self.file = file
        self.limit = limit
        self.size = 0
        self.digest = hashlib.sha256()
        self.growing: Growing | None = None
        self._last: asyncio.Future[None] | None = None

    async def take(self, piece: bytearray) -> None:
        await self.end()
        self.size += len(piece)
        if self.size <= self.limit:
            self._last = asyncio.ensure_future(asyncio.to_thread(self._write, piece))

    async def end(self) -> None:
        last, self._last = self._last, None
        if last:
            await last
            if self.growing:
                self.growing.grow(self.size)

    def _write(self, piece: bytearray) -> None:
        self.file.write(piece)
        self.file.flush()
        self.digest.update(piece)


@dataclass(kw_only=True)
class _Part:
    """What the parser has told so far."""

    data: bytearray = field(default_factory=bytearray)
    before: int = 0
    """Bytes of the body before what the parser reads now."""
    begins_at: int = 0
    """Where in the body the file does."""
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
        if not self.begins_at:
            self.begins_at = self.before + start
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
