"""GIF: blocks, cut into pieces of up to 255 bytes."""

import struct
from typing import BinaryIO, Final

from services.chat.attachments.metadata.picture import Damaged, Size, copy, keep_padding, read

_IMAGE, _EXTENSION, _END = b"\x2c", b"\x21", b"\x3b"
_COMMENT, _APPLICATION = b"\xfe", b"\xff"
# How often to play, and the color profile; what other applications add stays out.
_KEPT: Final = {b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012"}


def clean(source: BinaryIO, target: BinaryIO) -> Size | None:
    """Copy without comments and what applications added.

    Raises:
        Damaged: the blocks do not follow each other as they must.
    """
    head = read(source, 13)
    target.write(head)
    copy(source, target, _colors(head[10]))
    while block := source.read(1):
        if block == _END:
            target.write(block)
            keep_padding(source, target)
            break
        if block == _IMAGE:
            described = read(source, 9)
            target.write(block + described)
            copy(source, target, _colors(described[8]) + 1)
            _pieces(source, target)
        elif block == _EXTENSION:
            _extension(source, target)
        else:
            raise Damaged
    return Size(*struct.unpack_from("<HH", head, 6))


def _extension(source: BinaryIO, target: BinaryIO) -> None:
    label = read(source, 1)
    if label == _APPLICATION:
        length = read(source, 1)
        name = read(source, length[0])
        kept = name in _KEPT
        if kept:
            target.write(_EXTENSION + label + length + name)
    else:
        kept = label != _COMMENT
        if kept:
            target.write(_EXTENSION + label)
    _pieces(source, target if kept else None)


def _colors(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _pieces(source: BinaryIO, target: BinaryIO | None) -> None:
    while True:
        length = read(source, 1)
        piece = read(source, length[0])
        if target:
            target.write(length + piece)
        if not piece:
            return
