"""PNG: chunks, each with a name and a checksum."""

import struct
import zlib
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

# Colors, transparency, resolution and animation. Texts, times and what applications add stay out.
_KEPT: Final = frozenset(
    b"tRNS gAMA cHRM sRGB iCCP cICP mDCv cLLi sBIT bKGD hIST sPLT pHYs acTL fcTL fdAT".split()
)
_MOST_EXIF: Final = 1024 * 1024


def clean(source: BinaryIO, target: BinaryIO) -> Size | None:
    """Copy only the chunks that the picture is made of.

    Raises:
        Damaged: the chunks do not follow each other as they must.
    """
    target.write(read(source, 8))
    size = None
    while header := source.read(8):
        if len(header) < 8:  # noqa: PLR2004
            raise Damaged
        length, name = struct.unpack(">I4s", header)
        if not name.isalpha():
            raise Damaged
        if name == b"IHDR":
            body = read(source, length + 4)
            if length < 8:  # noqa: PLR2004
                raise Damaged
            size = Size(*struct.unpack_from(">II", body))
            target.write(header + body)
        elif name == b"eXIf" and length <= _MOST_EXIF:
            if up := orientation(read(source, length + 4)):
                _write(target, name, exif(up))
        elif name[:1].isupper() or name in _KEPT:
            target.write(header)
            copy(source, target, length + 4)
        else:
            source.seek(length + 4, 1)
        if name == b"IEND":
            keep_padding(source, target)
            return size
    return size  # its end is missing; readers show what is there


def _write(target: BinaryIO, name: bytes, body: bytes) -> None:
    target.write(struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)))
