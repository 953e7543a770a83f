"""JPEG: segments, each with a marker; scans of compressed data in between."""

import re
import struct
from typing import BinaryIO, Final

from services.chat.attachments.metadata.picture import Damaged, Size, exif, keep_padding, orientation, read

_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_APP0, _APP1, _APP2, _APP14, _APP15, _COM = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF, 0xFE
_FRAMES: Final = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE: Final = {0x01, *range(0xD0, 0xD8)}
# Inside a scan 0xFF is followed by 0, by a restart marker, or begins the next segment.
_NEXT_MARKER: Final = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_EXIF: Final = b"Exif\0"
_CHUNK: Final = 1024 * 1024


def clean(source: BinaryIO, target: BinaryIO) -> Size | None:
    """Copy without application data other than that which colors need.

    Raises:
        Damaged: the segments do not follow each other as they must.
    """
    target.write(read(source, 2))
    size, in_scan = None, False
    while True:
        marker = _marker(source)
        if marker is None and in_scan:  # the picture's end is missing; readers show what is there
            return size
        if marker is None:
            raise Damaged
        if marker == _EOI:
            target.write(bytes((0xFF, marker)))
            keep_padding(source, target)
            return size
        if marker in _ALONE:
            target.write(bytes((0xFF, marker)))
            continue
        body = _body(source)
        if marker in _FRAMES:
            size = _size(body)
        if marker == _APP1 and body.startswith(_EXIF) and (up := orientation(body[6:])):
            _write(target, marker, _EXIF + b"\0" + exif(up))
        elif _is_kept(marker, body):
            _write(target, marker, body)
        if marker == _SOS:
            in_scan = True
            _copy_scan(source, target)


def _marker(source: BinaryIO) -> int | None:
    if not (first := source.read(1)):
        return None
    if first != b"\xff":
        raise Damaged
    while (code := source.read(1)) == b"\xff":  # filling
        pass
    if code == b"\0":
        raise Damaged
    return code[0] if code else None


def _body(source: BinaryIO) -> bytes:
    length = int.from_bytes(read(source, 2), "big")
    if length < 2:  # noqa: PLR2004 - it counts itself
        raise Damaged
    return read(source, length - 2)


def _write(target: BinaryIO, marker: int, body: bytes) -> None:
    target.write(struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body)


def _is_kept(marker: int, body: bytes) -> bool:
    if marker == _APP0:
        return body.startswith(b"JFIF\0")
    if marker == _APP2:
        return body.startswith(b"ICC_PROFILE\0")
    if marker == _APP14:
        return body.startswith(b"Adobe")  # tells how the colors are coded
    return not (_APP0 <= marker <= _APP15 or marker == _COM)


def _size(frame: bytes) -> Size:
    if len(frame) < 5:  # noqa: PLR2004
        raise Damaged
    height, width = struct.unpack_from(">HH", frame, 1)
    return Size(width=width, height=height)


def _copy_scan(source: BinaryIO, target: BinaryIO) -> None:
    held = b""
    while chunk := source.read(_CHUNK):
        data = held + chunk
        if found := _NEXT_MARKER.search(data):
            target.write(data[: found.start()])
            source.seek(found.start() - len(data), 1)
            return
        held = data[-1:] if data.endswith(b"\xff") else b""
        target.write(data[: len(data) - len(held)])
    target.write(held)
