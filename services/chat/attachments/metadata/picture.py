"""What the picture formats have in common."""

import struct
from dataclasses import dataclass
from typing import BinaryIO, Final

_CHUNK: Final = 1024 * 1024
_ORIENTATION: Final = 0x0112
_UPRIGHT: Final = 1
_ORIENTATIONS: Final = range(1, 9)


class Damaged(Exception):  # noqa: N818 - tells of the file
    """The file is not built as its format demands."""


@dataclass(frozen=True)
class Size:
    """In pixels."""

    width: int
    height: int


def read(source: BinaryIO, length: int) -> bytes:
    """Read just so many bytes.

    Raises:
        Damaged: the file ends before.
    """
    data = source.read(length)
    if len(data) < length:
        raise Damaged
    return data


def copy(source: BinaryIO, target: BinaryIO, length: int) -> None:
    """Copy just so many bytes.

    Raises:
        Damaged: the file ends before.
    """
    while length:
        chunk = read(source, min(length, _CHUNK))
        target.write(chunk)
        length -= len(chunk)


def keep_padding(source: BinaryIO, target: BinaryIO) -> None:
    """Copy what follows the picture if it is nothing but zeros; whatever else hides there is dropped."""
    end = target.tell()
    while chunk := source.read(_CHUNK):
        if chunk.count(0) != len(chunk):
            target.seek(end)
            target.truncate()
            return
        target.write(chunk)


def orientation(tiff: bytes) -> int | None:
    """Find which side of a picture is up in its Exif block; `None` where that is as stored, or not told."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return None
    try:
        (first,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, first)
        for index in range(count):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", tiff, first + 2 + 12 * index)
            if tag == _ORIENTATION and kind == 3 and value in _ORIENTATIONS:  # noqa: PLR2004 - a SHORT
                return int(value) if value != _UPRIGHT else None
    except struct.error:
        pass
    return None


def exif(orientation: int) -> bytes:
    """Write an Exif block that tells which side is up, and nothing else."""
    return b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, _ORIENTATION, 3, 1, orientation, 0, 0)
