"""What a file is: its bytes decide, and a name or a header that claims something else is refused."""

import mimetypes
import re
import zipfile
import zlib
from dataclasses import dataclass
from typing import BinaryIO, Final

import filetype
import olefile

from services.chat.attachments import names
from shared.errors import Invalid, Unsupported


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One of the types that people may send."""

    content_type: str
    suffixes: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    """Content types that clients give for it as well."""
    is_picture: bool = False


_OLE_ALIASES: Final = ("application/x-ole-storage", "application/cdfv2")
_ZIP_ALIASES: Final = ("application/zip", "application/x-zip-compressed")

JPEG: Final = Kind(
    content_type="image/jpeg",
    suffixes=(".jpg", ".jpeg", ".jpe", ".jfif"),
    aliases=("image/jpg", "image/pjpeg"),
    is_picture=True,
)
PNG: Final = Kind(content_type="image/png", suffixes=(".png",), aliases=("image/x-png",), is_picture=True)
WEBP: Final = Kind(content_type="image/webp", suffixes=(".webp",), is_picture=True)
GIF: Final = Kind(content_type="image/gif", suffixes=(".gif",), is_picture=True)
HEIC: Final = Kind(
    content_type="image/heic", suffixes=(".heic", ".heif"), aliases=("image/heif",), is_picture=True
)
PDF: Final = Kind(content_type="application/pdf", suffixes=(".pdf",), aliases=("application/x-pdf",))
DOC: Final = Kind(content_type="application/msword", suffixes=(".doc",), aliases=_OLE_ALIASES)
XLS: Final = Kind(content_type="application/vnd.ms-excel", suffixes=(".xls",), aliases=_OLE_ALIASES)
DOCX: Final = Kind(
    content_type="application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    suffixes=(".docx",),
    aliases=_ZIP_ALIASES,
)
XLSX: Final = Kind(
    content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    suffixes=(".xlsx",),
    aliases=_ZIP_ALIASES,
)
KINDS: Final = (JPEG, PNG, WEBP, GIF, HEIC, PDF, DOC, DOCX, XLS, XLSX)

_MAGIC: Final = {
    b"\xff\xd8\xff": JPEG,
    b"\x89PNG\r\n\x1a\n": PNG,
    b"GIF87a": GIF,
    b"GIF89a": GIF,
    b"%PDF-": PDF,
}
_ZIP_MAGIC: Final = b"PK\x03\x04"
_GENERIC: Final = {"", "application/octet-stream", "binary/octet-stream", "application/x-download"}
# What a Windows machine runs at a double click; Python's own table of types knows few of them.
_RUNS: Final = frozenset(
    f".{end}"
    for end in (
        "apk app bat chm cmd com cpl dll docm dot dotm dotx exe hta iso jar js jse lnk msc msi msp pif ps1 reg "
        "scf scr sh svg sys url vb vbe vbs vhd wsf wsh xlam xlsb xlsm xlt xltm xltx"
    ).split()
)
_HEAD: Final = 8192
# Of `meta` boxes that begin with a still picture coded as HEVC; `mif1` alone would be AVIF as well.
_HEIC_BRANDS: Final = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}

_MOST_PARTS: Final = 10_000
# A sheet of a million rows stays below it, and 20 MiB of packed zeros do not.
_MOST_UNPACKED: Final = 1024**3
_MOST_CONTENT_TYPES: Final = 1024**2


class AttachmentTypeUnsupported(Unsupported):
    """The file is of no type that can be sent, or its name or header claims another type than its bytes."""

    title = "This type of file cannot be sent"


class AttachmentUnsafe(Invalid):
    """The file would hurt whoever opens it: it unpacks to far more than it is."""

    title = "The file cannot be opened safely"


class _Damaged(Exception):  # noqa: N818 - tells of the file
    """A container whose list of contents cannot be read."""


def recognize(file: BinaryIO, *, name: str, content_type: str) -> Kind:
    """Tell what a file is.

    Args:
        content_type: what the client says; a generic one says nothing.

    Raises:
        AttachmentTypeUnsupported: none of the types that can be sent, or not what is claimed.
        AttachmentUnsafe: a document that unpacks to an absurd size.
    """
    file.seek(0)
    head = file.read(_HEAD)
    end, found = names.suffix(name), filetype.guess_mime(head)
    try:
        kind = _by_bytes(file, head)
    except _Damaged:
        # Which of the two it was meant to be, only its first bytes and its name are left to tell.
        family = (DOC, XLS) if head.startswith(olefile.MAGIC) else (DOCX, XLSX)
        kind = next((kind for kind in family if found == kind.content_type or end in kind.suffixes), None)
    if kind is None:
        raise AttachmentTypeUnsupported(
            f"the file is {found or 'of an unknown type'}; JPEG, PNG, WebP, GIF and HEIC pictures, PDF, DOC, DOCX, "
            "XLS and XLSX can be sent"
        )
    if end not in kind.suffixes and _claims_a_type(end):
        raise AttachmentTypeUnsupported(f"the name ends in {end!r}, but the file is {kind.content_type}")
    claimed = content_type.split(";", maxsplit=1)[0].strip().lower()
    if claimed not in _GENERIC and claimed != kind.content_type and claimed not in kind.aliases:
        raise AttachmentTypeUnsupported(
            f"the request says {claimed[:100]!r}, but the file is {kind.content_type}"
        )
    return kind


def may_be_document(head: bytes | bytearray) -> bool:
    """Tell from the first bytes whether this may become one of the types that are stored as they come."""
    return head.startswith((b"%PDF-", olefile.MAGIC, _ZIP_MAGIC))


def of(content_type: str) -> Kind:
    """Find the kind again by the content type that it was stored with."""
    return next(kind for kind in KINDS if kind.content_type == content_type)


def _claims_a_type(end: str) -> bool:
    # "Drawing rev 1.2" or "Co.Ltd" end in a dot and something, and claim nothing.
    return end in _RUNS or any(mimetypes.guess_type(f"x{end}"))


def _by_bytes(file: BinaryIO, head: bytes) -> Kind | None:
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    if head[4:8] == b"ftyp":
        return _heic(head)
    if head.startswith(olefile.MAGIC):
        return _in_ole(file)
    return _in_zip(file) if head.startswith(_ZIP_MAGIC) else None


def _heic(head: bytes) -> Kind | None:
    length = int.from_bytes(head[:4], "big")
    if not 16 <= length <= len(head):  # noqa: PLR2004 - the box with one brand
        return None
    brands = {head[8:12]} | {head[at : at + 4] for at in range(16, length - 3, 4)}
    return HEIC if brands & _HEIC_BRANDS else None


def _in_ole(file: BinaryIO) -> Kind | None:
    file.seek(0)
    try:
        with olefile.OleFileIO(file) as ole:
            streams = {entry[0].lower() for entry in ole.listdir() if len(entry) == 1}
    except (OSError, ValueError, IndexError, OverflowError) as error:
        raise _Damaged from error
    if "encryptedpackage" in streams:
        return None
    if "worddocument" in streams:
        return DOC
    return XLS if {"workbook", "book"} & streams else None


def _in_zip(file: BinaryIO) -> Kind | None:
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as package:
            parts = package.infolist()
            if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > _MOST_UNPACKED:
                raise AttachmentUnsafe("the document unpacks to far more than a document does")
            inside = {part.filename.lower(): part for part in parts}
            content_types = b""
            if listed := inside.get("[content_types].xml"):
                with package.open(listed) as opened:
                    content_types = opened.read(_MOST_CONTENT_TYPES)
    except (OSError, ValueError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise _Damaged from error
    # One with macros, or a template, is a type of its own, whatever its name says.
    if re.search(rb"(?i)macroEnabled|template\.main", content_types) or any(
        part.endswith("vbaproject.bin") for part in inside
    ):
        return None
    if b"wordprocessingml.document.main" in content_types or "word/document.xml" in inside:
        return DOCX
    if b"spreadsheetml.sheet.main" in content_types or "xl/workbook.xml" in inside:
        return XLSX
    return None
