"""Draws an organisation's logo from an untrusted picture: a program of its own, with little memory and time.

`python -m gateway.accounts.drawing` reads the picture and writes a small square WebP; see `logo`. What it
writes is drawn anew, so nothing that the file said beside its picture is left in it.
"""

import io
import resource
import sys
from typing import Final

from PIL import Image, ImageOps

EDGE: Final = 256
MOST_PIXELS: Final = 25_000_000
FORMATS: Final = ("GIF", "JPEG", "PNG", "WEBP")
# For a picture of the most pixels, as it is read, turned and made smaller.
_MEMORY: Final = 1024**3
_SECONDS: Final = 10


def draw(data: bytes) -> bytes:
    """Draw the first picture of a file in the middle of a transparent square.

    Raises:
        ValueError: it has too many pixels.
        OSError, SyntaxError: it is no whole picture.
    """
    with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
        if picture.width * picture.height > MOST_PIXELS:
            raise ValueError("too many pixels")
        picture.draft("RGB", (EDGE, EDGE))
        small = ImageOps.exif_transpose(picture).convert("RGBA")
    small.thumbnail((EDGE, EDGE))
    edge = max(small.size)
    square = Image.new("RGBA", (edge, edge))
    square.paste(small, ((edge - small.width) // 2, (edge - small.height) // 2))
    drawn = io.BytesIO()
    square.save(drawn, "WEBP", quality=90, method=4)
    return drawn.getvalue()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    try:
        drawn = draw(sys.stdin.buffer.read())
    except Exception:  # noqa: BLE001 - whatever a broken file does, there is no logo of it
        sys.exit(1)
    sys.stdout.buffer.write(drawn)
