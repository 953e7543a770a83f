"""WebP: RIFF chunks, padded to even lengths."""

import struct
from typing import BinaryIO, Final

from services.chat.attachments.metadata.picture import (
    Damaged,
    Size,
    copy,
    exif,
    keep_padding,
    orientation,
    read,
)

_KEPT: Final = {b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"}
_HAS_EXIF, _HAS_XMP = 0x08, 0x04
_MOST_EXIF: Final = 1024 * 1024


def clean(source: BinaryIO, target: BinaryIO) -> Size | None:
    """Copy only the chunks that the picture is made of.

    Raises:
        Damaged: the chunks do not fill the file as they must.
    """
    head = read(source, 12)
    left = struct.unpack_from("<I", head, 4)[0] - 4
    target.write(head)
    size, flags = None, None
    while left > 0:
        name, length = struct.unpack("<4sI", read(source, 8))
        padded = length + length % 2
        left -= 8 + padded
        if left < 0:
            raise Damaged
        if name == b"VP8X":
            flags = target.tell() + 8
        if name == b"EXIF" and length <= _MOST_EXIF:
            if flags and (up := orientation(_tiff(read(source, padded)))):
                block = exif(up)
                target.write(name + struct.pack("<I", len(block)) + block)
        elif name in _KEPT:
            start = target.tell()
            target.write(name + struct.pack("<I", length))
            copy(source, target, padded)
            size = size or _size(target, name, start + 8)
        else:
            source.seek(padded, 1)
    end = target.tell()
    _patch(target, flags, end=end)
    target.seek(end)
    keep_padding(source, target)
    return size


def _tiff(block: bytes) -> bytes:
    return block.removeprefix(b"Exif\0\0")


def _patch(target: BinaryIO, flags: int | None, *, end: int) -> None:
    target.seek(4)
    target.write(struct.pack("<I", end - 8))
    if flags is None:
        return
    target.seek(12)
    has_exif = False
    while target.tell() < end:
        name, length = struct.unpack("<4sI", read(target, 8))
        has_exif = has_exif or name == b"EXIF"
        target.seek(length + length % 2, 1)
    target.seek(flags)
    value = read(target, 1)[0] & ~(_HAS_EXIF | _HAS_XMP) | (_HAS_EXIF if has_exif else 0)
    target.seek(flags)
    target.write(bytes((value,)))


def _size(target: BinaryIO, name: bytes, start: int) -> Size | None:
    here = target.tell()
    target.seek(start)
    data = target.read(10)
    target.seek(here)
    if len(data) < 10:  # noqa: PLR2004
        return None
    if name == b"VP8X":
        return Size(
            width=1 + int.from_bytes(data[4:7], "little"), height=1 + int.from_bytes(data[7:10], "little")
        )
    if name == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 6)
        return Size(width=width & 0x3FFF, height=height & 0x3FFF)
    if name == b"VP8L":
        bits = int.from_bytes(data[1:5], "little")
        return Size(width=1 + (bits & 0x3FFF), height=1 + (bits >> 14 & 0x3FFF))
    return None
