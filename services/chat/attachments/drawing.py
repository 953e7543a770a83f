"""Draws small pictures of untrusted files: a program of its own, with little memory, which may be killed.

It answers each file that it is handed with a WebP, or with nothing where it can draw none.
`python -m services.chat.attachments.drawing <socket>`; see `thumbnails`.
"""

import io
from typing import IO, TYPE_CHECKING, Final

from services.chat.attachments import handed, kinds

if TYPE_CHECKING:
    from PIL.Image import Image

EDGE: Final = 320


def answer(file: IO[bytes], question: bytes) -> bytes:
    """Draw a file, given its content type."""
    return draw(file, question.decode())


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
    if picture.mode.startswith("I"):  # 16 bits a pixel, of which a conversion would clip the upper ones
        picture = picture.point(lambda value: value / 256).convert("L")
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
    handed.serve(answer)
