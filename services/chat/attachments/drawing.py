"""Draws small pictures of untrusted files: a program of its own, with little memory, which may be killed.

It is handed open files over a Unix socket, one at a time, and answers each with a WebP, or with nothing
where it can draw none. `python -m services.chat.attachments.drawing <socket>`; see `thumbnails`.
"""

import io
import os
import resource
import socket
import sys
from typing import IO, TYPE_CHECKING, Final

from services.chat.attachments import kinds

if TYPE_CHECKING:
    from PIL.Image import Image

EDGE: Final = 320
# Above what the decoders need for the largest picture that may be uploaded, far below what hurts the machine.
_MEMORY: Final = 1536 * 1024 * 1024


def serve(connection: socket.socket) -> None:
    """Draw what comes over the connection until the other end closes it."""
    while True:
        content_type, descriptors, _, _ = socket.recv_fds(connection, 256, 1)
        if not descriptors:
            return
        with os.fdopen(descriptors[0], "rb") as file:
            try:
                drawn = draw(file, content_type.decode())
            except Exception:  # noqa: BLE001 - whatever a broken file does, there is no picture of it
                drawn = b""
        connection.sendall(len(drawn).to_bytes(4, "big") + drawn)


def draw(file: IO[bytes], content_type: str) -> bytes:
    """Draw a file small enough for a list."""
    from PIL import Image, ImageOps  # noqa: PLC0415 - each drawing loads only what it needs

    file.seek(0)
    if content_type == kinds.PDF.content_type:
        picture = _first_page(file)
    else:
        if content_type == kinds.HEIC.content_type:
            import pillow_heif  # noqa: PLC0415

            pillow_heif.register_heif_opener(thumbnails=False)
        picture = Image.open(file)
        picture.draft("RGB", (EDGE, EDGE))
        ImageOps.exif_transpose(picture, in_place=True)
    picture.thumbnail((EDGE, EDGE))
    drawn = io.BytesIO()
    opaque = picture.mode in {"RGB", "L", "CMYK", "YCbCr"} and "transparency" not in picture.info
    picture.convert("RGB" if opaque else "RGBA").save(drawn, "WEBP", quality=75, method=2, exif=b"", xmp=b"")
    return drawn.getvalue()


def _first_page(file: IO[bytes]) -> "Image":
    import pypdfium2  # noqa: PLC0415

    page = pypdfium2.PdfDocument(file)[0]
    picture: Image = page.render(scale=EDGE / max(*page.get_size(), 1)).to_pil()
    return picture


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    serve(socket.socket(fileno=int(sys.argv[1])))
