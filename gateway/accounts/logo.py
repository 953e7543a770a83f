"""What may become a logo, and how it is made: another process draws what strangers send."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from gateway.accounts import drawing
from shared.errors import TooLarge, Unsupported, ValidationFailed

MOST_BYTES: Final = 2 * 1024 * 1024
# For what a form puts around its file.
_ROOM: Final = 16 * 1024
_PATIENCE: Final = 10
# Of a start and the drawing, on a machine that has other things to do.
_SECONDS: Final = 20
_AT_ONCE: Final = asyncio.Semaphore(1)
_SUFFIXES: Final = {
    "image/png": {".png"},
    "image/jpeg": {".jpg", ".jpeg", ".jpe", ".jfif"},
    "image/gif": {".gif"},
    "image/webp": {".webp"},
}
_ALIASES: Final = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png"}
_GENERIC: Final = {"", "application/octet-stream", "binary/octet-stream"}


class LogoTooLarge(TooLarge):
    title = "The logo is too large"

    def __init__(self) -> None:
        super().__init__(f"a logo may have up to {MOST_BYTES} bytes", limit=MOST_BYTES)


class LogoTypeUnsupported(Unsupported):
    """The bytes say what it is; a name or a header that says otherwise is refused as well."""

    title = "No picture of a type that can be a logo"

    def __init__(self) -> None:
        super().__init__("send a PNG, JPEG, WebP or GIF under its own name", allowed=sorted(_SUFFIXES))


@dataclass(frozen=True, kw_only=True)
class Upload:
    data: bytes
    filename: str
    content_type: str


async def receive(request: Request) -> Upload:
    """Read the body's one part, `file`.

    Raises:
        ValidationFailed: it has another form, or breaks off.
        LogoTooLarge: the file is larger than a logo may be.
    """
    parser = MultiPartParser(request.headers, _bounded(request), max_files=1, max_fields=0)
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ClientDisconnect) as error:
        raise ValidationFailed.at("/file", "send multipart/form-data with one part named file") from error
    try:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise ValidationFailed.at("/file", "send one part named file, with a file name")
        data = await file.read()
    finally:
        await form.close()
    if len(data) > MOST_BYTES:
        raise LogoTooLarge
    return Upload(data=data, filename=file.filename or "", content_type=file.content_type or "")


async def _bounded(request: Request) -> AsyncGenerator[bytes]:
    """Read on for a while past the limit, so that whoever still writes comes to read the answer."""
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= MOST_BYTES + _ROOM:
            yield chunk
        elif size > _PATIENCE * MOST_BYTES:
            break
    if size > MOST_BYTES + _ROOM:
        raise LogoTooLarge


async def drawn(upload: Upload) -> bytes:
    """Make a small square picture of an upload.

    Raises:
        LogoTypeUnsupported: it is none of the types, or claims another.
        ValidationFailed: there is no picture in it that can be drawn.
    """
    kind = _kind_of(upload.data)
    claimed = upload.content_type.partition(";")[0].strip().lower()
    suffix = PurePath(upload.filename).suffix.lower()
    if (
        kind is None
        or (claimed not in _GENERIC and _ALIASES.get(claimed, claimed) != kind)
        or (suffix and suffix not in _SUFFIXES[kind])
    ):
        raise LogoTypeUnsupported
    async with _AT_ONCE:
        try:
            done = await asyncio.to_thread(_draw, upload.data)
        except subprocess.TimeoutExpired:
            done = None
    if done is None or done.returncode != 0:
        raise ValidationFailed.at(
            "/file", f"is no whole picture of up to {drawing.MOST_PIXELS // 1_000_000} million pixels"
        )
    return done.stdout


def _draw(data: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", drawing.__name__],
        input=data,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=_SECONDS,
        check=False,
        # None of our secrets: it handles what strangers wrote.
        env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )


def _kind_of(data: bytes) -> str | None:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    return None
