"""Takes out of a picture what tells a place, a person or a device, and leaves its pixels as they are.

Only the container is rewritten: compressed picture data is copied byte by byte. What is needed to show
the picture as it was meant stays: color profiles, animation, and which side is up.
"""

from typing import BinaryIO, Final

from services.chat.attachments import kinds
from services.chat.attachments.kinds import Kind
from services.chat.attachments.metadata import gif, heic, jpeg, png, webp
from services.chat.attachments.metadata.picture import Damaged, Size
from shared.errors import Invalid

_CLEANERS: Final = {
    kinds.JPEG: jpeg.clean,
    kinds.PNG: png.clean,
    kinds.WEBP: webp.clean,
    kinds.GIF: gif.clean,
    kinds.HEIC: heic.clean,
}
# How the metadata blocks that may hide in a damaged file begin.
_MARKS: Final = (
    b"Exif\0",
    b"eXIf",
    b"EXIF",
    b"ns.adobe.com",
    b"xmpmeta",
    b"Photoshop 3.0",
    b"tEXt",
    b"iTXt",
    b"zTXt",
)
_CHUNK: Final = 1024 * 1024


class AttachmentDamaged(Invalid):
    """The picture is broken, and seems to hold metadata that cannot be taken out of it."""

    title = "The picture is damaged"


def clean(source: BinaryIO, target: BinaryIO, *, kind: Kind) -> Size | None:
    """Copy a picture without its metadata; tell its size, as far as it says one.

    Raises:
        AttachmentDamaged: it is too broken to be cleaned, and has something in it to clean.
    """
    source.seek(0)
    try:
        return _CLEANERS[kind](source, target)
    except Damaged as damage:
        if _has_marks(source):
            raise AttachmentDamaged("save the picture again and send that copy") from damage
    source.seek(0)
    target.seek(0)
    target.truncate()
    while chunk := source.read(_CHUNK):
        target.write(chunk)
    return None


def _has_marks(source: BinaryIO) -> bool:
    source.seek(0)
    before = b""
    while chunk := source.read(_CHUNK):
        if any(mark in before + chunk for mark in _MARKS):
            return True
        before = chunk[-16:]
    return False
