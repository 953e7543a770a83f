"""Names of files: what a client sent, made safe to show, to save and to send in a header."""

import re
import unicodedata
from typing import Final
from urllib.parse import quote, unquote

MAX_BYTES: Final = 255

# Windows keeps these for devices, with any extension.
_RESERVED: Final = re.compile(r"(?i)(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?")
_FORBIDDEN: Final = str.maketrans(dict.fromkeys('<>:"|?*', "_"))
# Joiners are part of words in Persian and Indic scripts, and of emoji; other format characters only deceive.
_JOINERS: Final = "\u200c\u200d"
_LAST_RESORT: Final = "file"


def base_name(name: str) -> tuple[str, int]:
    """Drop the folders that some clients send along; tell also where the rest began."""
    begin = max(name.rfind("/"), name.rfind("\\")) + 1
    return name[begin:], begin


def decoded(name: str) -> str:
    """Read a name as the header of a part gives it: some clients write it in percent signs, as RFC 7578 lets them."""
    if "%" not in name:
        return name
    try:
        return unquote(name, errors="strict")
    except UnicodeDecodeError:
        return name


def safe(name: str) -> str:
    """Make a name that no file system, shell or reader can be fooled by; the rest of it stays as it was."""
    name = unicodedata.normalize("NFC", base_name(name)[0])
    name = "".join(char for char in name if char in _JOINERS or unicodedata.category(char)[0] != "C")
    name = re.sub(r"\s+", " ", name.translate(_FORBIDDEN)).strip(" ").rstrip(". ")
    if _RESERVED.fullmatch(name):
        name = f"_{name}"
    return _shortened(name) or _LAST_RESORT


def suffix(name: str) -> str:
    """Give what follows the last dot, in lower case, with the dot; empty where a name has none."""
    stem, dot, end = name.rpartition(".")
    return f".{end.lower()}" if dot and stem else ""


def disposition(kind: str, name: str) -> str:
    """Write a Content-Disposition: the name for every client, and in full for those that read RFC 6266."""
    plain = re.sub(r'[^ -~]|["\\%]', "_", name)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _shortened(name: str) -> str:
    if len(name.encode()) <= MAX_BYTES:
        return name
    end = suffix(name)
    end = name[len(name) - len(end) :] if len(end.encode()) <= 20 else ""  # noqa: PLR2004 - longer is no extension
    stem = name[: len(name) - len(end)]
    cut = stem.encode()[: MAX_BYTES - len(end.encode())].decode(errors="ignore")
    # A mark or joiner at the cut belongs to a letter, and what follows a joiner belongs to it.
    while cut and (cut[-1] in _JOINERS or unicodedata.combining(stem[len(cut)])):
        cut = cut[:-1]
    return cut.rstrip(" .") + end
