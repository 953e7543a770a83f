"""Has thumbnails drawn by another process."""

from typing import BinaryIO, Final

import structlog

from services.chat.attachments import drawing, kinds
from services.chat.attachments.confined import Confined
from services.chat.attachments.kinds import Kind

log = structlog.get_logger(__name__)

_SECONDS: Final = 10
# A PDF ends with the place of its table; without it a reader has to guess, slowly.
_PDF_END: Final = b"startxref"
_PDF_TAIL: Final = 2048


class Thumbnails:
    """Draws one at a time."""

    def __init__(self) -> None:
        self._drawing = Confined(drawing.__name__, seconds=_SECONDS)

    async def draw(self, file: BinaryIO, *, kind: Kind) -> bytes | None:
        """Draw a file as WebP, or tell that it cannot be drawn."""
        if not kind.is_picture and not (kind is kinds.PDF and _has_pdf_end(file)):
            return None
        try:
            return await self._drawing.ask(file, kind.content_type.encode()) or None
        except OSError as error:
            log.warning("no thumbnail", content_type=kind.content_type, cause=repr(error))
            return None

    async def close(self) -> None:
        """End the drawing process."""
        await self._drawing.close()


def _has_pdf_end(file: BinaryIO) -> bool:
    length = file.seek(0, 2)
    file.seek(max(0, length - _PDF_TAIL))
    return _PDF_END in file.read()
