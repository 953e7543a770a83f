"""Looks for contact information inside untrusted files: a program of its own, with little memory, which may be killed.

It reads the text of PDF and Office files and the codes in pictures, and answers with what the contact guard
finds; the text itself stays here. `python -m services.chat.attachments.reading <socket>`; see `contents`.
"""

import json
import mmap
import zipfile
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Final

from services.chat.attachments import handed, kinds
from shared import contact_guard
from shared.contact_guard import Context

if TYPE_CHECKING:
    from PIL.Image import Image

READABLE: Final = (
    kinds.PDF,
    kinds.DOCX,
    kinds.XLSX,
    kinds.JPEG,
    kinds.PNG,
    kinds.WEBP,
    kinds.GIF,
    kinds.HEIC,
)

_MOST_PAGES: Final = 300
_MOST_TEXT: Final = 1_000_000
_MOST_XML: Final = 32 * 1024 * 1024
_XML_PIECE: Final = 64 * 1024
_MOST_FOUND: Final = 50
# The guard is made for messages, and a longer text is read piece by piece.
_PIECE: Final = 4000
# A code takes a good part of a picture that is meant to be scanned by a phone.
_LONGEST_EDGE: Final = 3000
_WHITE: Final = b"\0\t\n\f\r "
_BLOCKS: Final = frozenset(("p", "si", "row", "is", "comment"))
_BREAKS: Final = frozenset(("br", "cr", "tab"))

Place = str
"""Where in the file: `page 2`, `word/header1.xml`, `code`."""


def answer(file: IO[bytes], question: bytes) -> bytes:
    """Find contact information in a file, given its content type and what always passes."""
    asked = json.loads(question)
    file.seek(0)
    context = Context(known=tuple(asked["known"]))
    found: dict[tuple[str, str, str], None] = {}
    length = 0
    for place, text in _texts(file, asked["content_type"]):
        for piece in _pieces(text):
            length += len(piece)
            for finding in contact_guard.check(piece, context=context):
                found[finding.kind, finding.rule, place] = None
        if length > _MOST_TEXT or len(found) >= _MOST_FOUND:
            break
    return json.dumps(list(found)[:_MOST_FOUND]).encode()


def _texts(file: IO[bytes], content_type: str) -> Iterator[tuple[Place, str]]:
    kind = kinds.of(content_type)
    if kind is kinds.PDF:
        yield from _in_pdf(file)
    elif kind.is_picture:
        yield from _in_picture(file, heic=kind is kinds.HEIC)
    else:
        yield from _in_office(file)


def _pieces(text: str) -> Iterator[str]:
    """Cut a text between lines, and a line that is too long wherever it is."""
    piece = ""
    for line in text.splitlines():
        for start in range(0, max(len(line), 1), _PIECE):
            part = line[start : start + _PIECE]
            if len(piece) + len(part) >= _PIECE:
                yield piece
                piece = ""
            piece += part + "\n"
    if piece.strip():
        yield piece


def _in_pdf(file: IO[bytes]) -> Iterator[tuple[Place, str]]:
    import pypdfium2  # noqa: PLC0415 - each file loads only what it needs

    if not _has_an_object(file):
        raise ValueError("nothing that a PDF consists of")
    document = pypdfium2.PdfDocument(file)
    for number in range(min(len(document), _MOST_PAGES)):
        page = document[number]
        text = page.get_textpage()
        yield f"page {number + 1}", text.get_text_bounded()
        yield f"page {number + 1}", "\n".join(_links(document, page))
        text.close()
        page.close()


def _has_an_object(file: IO[bytes]) -> bool:
    """Look for the word before each object, which has no other spelling; PDFium takes ten times as long to miss it."""
    at = 0
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        while (at := data.find(b"obj", at + 1)) > 0:
            if data[at - 1] in _WHITE:
                return True
    return False


def _links(document: object, page: object) -> Iterator[str]:
    """Give the addresses behind the links of a page, which need not stand in its text."""
    import ctypes  # noqa: PLC0415

    from pypdfium2 import raw  # noqa: PLC0415

    place, link = ctypes.c_int(0), raw.FPDF_LINK()
    while raw.FPDFLink_Enumerate(page, place, ctypes.byref(link)):
        action = raw.FPDFLink_GetAction(link)
        if raw.FPDFAction_GetType(action) == raw.PDFACTION_URI:
            length = raw.FPDFAction_GetURIPath(document, action, None, 0)
            address = ctypes.create_string_buffer(min(length, _PIECE))
            raw.FPDFAction_GetURIPath(document, action, address, len(address))
            yield address.value.decode("utf-8", "replace")


def _in_office(file: IO[bytes]) -> Iterator[tuple[Place, str]]:
    left = _MOST_XML
    with zipfile.ZipFile(file) as package:
        for part in package.infolist():
            name = part.filename
            folder = name.split("/", maxsplit=1)[0]
            if folder not in {"word", "xl", "ppt"} or not name.endswith((".xml", ".xml.rels")):
                continue
            with package.open(part) as opened:
                data = opened.read(left + 1)  # what the list of contents says of its size may be wrong
            left -= len(data)
            if left < 0:
                return
            yield name, _text_of(data)


def _text_of(data: bytes) -> str:
    """Give the text of one part, a paragraph or cell a line, and the addresses of its links."""
    from lxml import etree  # noqa: PLC0415

    # Neither entities nor anything from outside: the two ways in which XML does harm.
    parser = etree.XMLPullParser(
        events=("start", "end"),
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        recover=True,
    )
    lines: list[str] = []
    words: list[str] = []
    for start in range(0, len(data), _XML_PIECE):
        parser.feed(data[start : start + _XML_PIECE])
        for event, element in parser.read_events():
            if not isinstance(element.tag, str):
                continue
            tag = element.tag.rpartition("}")[2]
            if event == "start":
                if tag in _BREAKS:
                    words.append(" ")
                continue
            if tag in {"t", "instrText", "v", "delText"}:
                words.append(element.text or "")
                if tag == "v":
                    words.append(" ")
            elif tag == "Relationship" and element.get("TargetMode") == "External":
                lines.append(element.get("Target") or "")
            elif tag in _BLOCKS:
                lines.append("".join(words))
                words.clear()
            element.clear(keep_tail=False)
    return "\n".join([*lines, "".join(words)])


def _in_picture(file: IO[bytes], *, heic: bool) -> Iterator[tuple[Place, str]]:
    import zxingcpp  # noqa: PLC0415

    for code in zxingcpp.read_barcodes(
        _gray(file, heic=heic),
        formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.AllMatrix),
        text_mode=zxingcpp.TextMode.Plain,
    ):
        yield "code", code.text


def _gray(file: IO[bytes], *, heic: bool) -> "Image":
    from PIL import Image  # noqa: PLC0415

    if heic:
        import pillow_heif  # noqa: PLC0415

        pillow_heif.register_heif_opener(thumbnails=False)
    opened = Image.open(file)
    opened.draft("L", (_LONGEST_EDGE, _LONGEST_EDGE))
    picture: Image.Image = opened
    if max(picture.size) > _LONGEST_EDGE:
        picture.thumbnail((_LONGEST_EDGE, _LONGEST_EDGE))
    if picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info:
        # A code drawn on nothing is seen on white.
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture.convert("RGBA"))
    return picture.convert("L")


if __name__ == "__main__":
    handed.serve(answer)
