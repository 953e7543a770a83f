"""HEIC: boxes within boxes. A table in `meta` says where in the file each item's bytes lie.

Nothing is moved, as that table counts from the beginning of the file: metadata is overwritten in place.
Which side is up is a property of the picture item, so the Exif item holds nothing that is needed.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from services.chat.attachments.metadata.picture import Damaged, Size, copy, read

_IN_FILE, _IN_IDAT = 0, 1
_MOST_BOX: Final = 16 * 1024 * 1024
_INSIDE: Final = {b"moov", b"trak", b"mdia", b"minf", b"stbl"}
_EMPTIED: Final = {b"uuid", b"udta"}
# An Exif item without entries, so that readers find one that they understand.
_NO_EXIF: Final = struct.pack(">I", 0) + b"MM\0*" + struct.pack(">IHI", 8, 0, 0)


@dataclass(frozen=True)
class _Box:
    name: bytes
    start: int
    body: int
    end: int


def clean(source: BinaryIO, target: BinaryIO) -> Size | None:
    """Copy, then overwrite Exif and XMP items and what applications added.

    Raises:
        Damaged: the boxes do not fill the file as they must.
    """
    length = source.seek(0, 2)
    source.seek(0)
    copy(source, target, length)
    size = None
    for box in list(_boxes(target, 0, length)):
        if box.name == b"meta":
            size = _meta(target, box, length=length)
        else:
            _empty(target, box)
    target.seek(length)
    return size


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[_Box]:
    while start < end:
        file.seek(start)
        header = file.read(8)
        if not header.strip(b"\0") and _is_padding(file, start, end):
            return
        if len(header) < 8:  # noqa: PLR2004
            raise Damaged
        length, name = struct.unpack(">I4s", header)
        body = start + 8
        if length == 1:
            (length,) = struct.unpack(">Q", read(file, 8))
            body += 8
        elif length == 0:
            length = end - start
        if length < body - start or start + length > end:
            raise Damaged
        yield _Box(name=name, start=start, body=body, end=start + length)
        start += length


def _is_padding(file: BinaryIO, start: int, end: int) -> bool:
    file.seek(start)
    rest = file.read(end - start)
    return rest.count(0) == len(rest)


def _empty(file: BinaryIO, box: _Box) -> None:
    if box.name in _INSIDE:
        for inner in list(_boxes(file, box.body, box.end)):
            _empty(file, inner)
    elif box.name in _EMPTIED:
        file.seek(box.start + 4)
        file.write(b"free")
        _zero(file, box.body, box.end)


def _zero(file: BinaryIO, start: int, end: int, begin_with: bytes = b"") -> None:
    file.seek(start)
    file.write(begin_with[: end - start])
    left = end - file.tell()
    while left > 0:
        left -= file.write(bytes(min(left, 1024 * 1024)))


def _meta(file: BinaryIO, meta: _Box, *, length: int) -> Size | None:
    inside = {box.name: box for box in _boxes(file, meta.body + 4, meta.end)}
    if not {b"iinf", b"iloc"} <= inside.keys():
        raise Damaged
    hidden = _hidden_items(file, inside[b"iinf"])
    data = inside.get(b"idat")
    for item, extents in _places(_contents(file, inside[b"iloc"])):
        if item not in hidden:
            continue
        for in_idat, start, size in extents:
            if in_idat and data is None:
                raise Damaged
            at = start + (data.body if in_idat and data else 0)
            if at + size > length or size <= 0:
                raise Damaged
            _zero(file, at, at + size, _NO_EXIF if hidden[item] else b"")
    for box in inside.values():
        _empty(file, box)
    return _size(file, inside)


def _contents(file: BinaryIO, box: _Box) -> bytes:
    if box.end - box.body > _MOST_BOX:
        raise Damaged
    file.seek(box.body)
    return read(file, box.end - box.body)


def _hidden_items(file: BinaryIO, iinf: _Box) -> dict[int, bool]:
    """Find the items that are no picture; tell of each whether it is Exif."""
    file.seek(iinf.body)
    version = read(file, 4)[0]
    found = {}
    for box in list(_boxes(file, iinf.body + (6 if version == 0 else 8), iinf.end)):
        entry = _contents(file, box)
        wide = entry[0] == 3  # noqa: PLR2004
        try:
            item, _, kind = struct.unpack_from(">IH4s" if wide else ">HH4s", entry, 4)
        except struct.error as error:
            raise Damaged from error
        if kind in {b"Exif", b"mime", b"uri "}:
            found[item] = kind == b"Exif"
    return found


def _places(iloc: bytes) -> Iterator[tuple[int, list[tuple[bool, int, int]]]]:
    """Read where items lie: for each, whether in `idat`, at which offset, how many bytes."""
    cursor = _Cursor(iloc)
    version = cursor.take(1)
    cursor.take(3)
    sizes = cursor.take(2)
    offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    for _ in range(cursor.take(2 if version < 2 else 4)):  # noqa: PLR2004
        item = cursor.take(2 if version < 2 else 4)  # noqa: PLR2004
        method = cursor.take(2) & 15 if version > 0 else _IN_FILE
        if method not in {_IN_FILE, _IN_IDAT}:
            raise Damaged
        cursor.take(2)
        base = cursor.take(base_size)
        extents = []
        for _ in range(cursor.take(2)):
            if version > 0:
                cursor.take(index_size)
            start = base + cursor.take(offset_size)
            extents.append((method == _IN_IDAT, start, cursor.take(length_size)))
        yield item, extents


class _Cursor:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, size: int) -> int:
        piece = self.data[self.at : self.at + size]
        if len(piece) < size:
            raise Damaged
        self.at += size
        return int.from_bytes(piece, "big")


def _size(file: BinaryIO, meta: dict[bytes, _Box]) -> Size | None:
    """Give the largest size that any picture item has."""
    properties = meta.get(b"iprp")
    sizes = [
        Size(*struct.unpack_from(">II", _contents(file, box).ljust(12, b"\0"), 4))
        for container in (list(_boxes(file, properties.body, properties.end)) if properties else ())
        if container.name == b"ipco"
        for box in list(_boxes(file, container.body, container.end))
        if box.name == b"ispe"
    ]
    return max(sizes, key=lambda size: size.width * size.height, default=None)
