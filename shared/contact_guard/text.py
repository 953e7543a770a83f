"""A text as the rules read it: folded to plain letters and digits, with the way back to the original."""

import functools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from shared.contact_guard import confusables

_DOTS = "。｡．․﹒•∙⋅·・･"
_DASHES = "‐‑‒–—―−﹣－ｰ⁃"
_SPECIAL = {
    **dict.fromkeys(_DOTS, "."),
    **dict.fromkeys(_DASHES, "-"),
    **dict.fromkeys("‘’‚‛′`´＇", "'"),
    **dict.fromkeys("“”„‟″＂«»「」『』", '"'),
    **dict.fromkeys("➕＋﹢⁺₊", "+"),
    **dict.fromkeys("∕⁄／╱", "/"),
    **dict.fromkeys("∶：︰﹕ː", ":"),
    **dict.fromkeys("﹫＠", "@"),
    "ł": "l",
    "Ł": "l",
    "ø": "o",
    "Ø": "o",
    "đ": "d",
    "Đ": "d",
    "ı": "i",
    "İ": "i",
    "ß": "ss",
    "æ": "ae",
    "Æ": "ae",
    "œ": "oe",
    "Œ": "oe",
    "ـ": "",
    "🔟": "10",
}
# Blocks of letters in squares and circles that have no compatibility mapping.
_ENCLOSED = ((0x1F150, 0x1F169), (0x1F170, 0x1F189), (0x1F1E6, 0x1F1FF))
_MARKS = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u20d0-\u20ff\ufe20-\ufe2f\u064b-\u065f\u0670]")
_BIGGEST_DIGIT = 9


def _fold(char: str) -> str:
    """Give the plain form of one character; empty for what cannot be seen."""
    if char in _SPECIAL:
        return _SPECIAL[char]
    digit = unicodedata.digit(char, None)
    if digit is not None:
        return str(digit)
    code = ord(char)
    for first, last in _ENCLOSED:
        if first <= code <= last:
            return chr(ord("a") + code - first)
    if unicodedata.category(char) == "Cf" or 0xFE00 <= code <= 0xFE0F or 0xE0000 <= code <= 0xE01EF:  # noqa: PLR2004 - variation selectors and tags
        return ""
    number = unicodedata.numeric(char, None)
    plain = unicodedata.normalize("NFKD", char)
    if number is not None and number > _BIGGEST_DIGIT and plain[:1].isdigit():
        return f"|{int(number)}|"  # a balloon numbered 12 is no two digits of a phone number
    plain = _MARKS.sub("", plain)
    plain = unicodedata.normalize("NFC", plain).lower()
    return "".join(_SPECIAL.get(c, c) for c in plain)


# The alphabet of all the world's messages is small; the cache is bounded all the same.
_fold_cached = functools.lru_cache(maxsize=8192)(_fold)


@dataclass(frozen=True, slots=True)
class View:
    """A folded form of a text. `origin` maps each of its characters to the original, None if one to one."""

    raw: str
    norm: str
    origin: Sequence[int] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Give the place in the original text of a place in `norm`."""
        if self.origin is None:
            return start, end
        places = self.origin[start:end]
        last = max(places) + 1
        while last < len(self.raw) and self.raw[last] > "\x7f" and not _fold_cached(self.raw[last]):
            last += 1  # what cannot be seen belongs to the character before it: the frame of a keycap
        return min(places), last

    def original(self, start: int, end: int) -> str:
        """Give the original characters behind a place in `norm`."""
        first, last = self.span(start, end)
        return self.raw[first:last]


def read(raw: str) -> View:
    """Fold a text: compatibility forms, digits of all scripts, invisible characters, look-alike letters."""
    if raw.isascii():
        return View(raw, raw.lower())
    parts = [_fold_cached(char) for char in raw]
    norm = confusables.unmask("".join(parts))
    if all(len(part) == 1 for part in parts):
        return View(raw, norm)
    origin = [place for place, part in enumerate(parts) for _ in part]
    return View(raw, norm, origin)


def without(view: View, gaps: Sequence[tuple[int, int]]) -> View:
    """Give the view with some stretches taken out."""
    kept: list[int] = []
    place = 0
    for start, end in gaps:
        kept.extend(range(place, start))
        place = end
    kept.extend(range(place, len(view.norm)))
    return _picked(view, kept)


def edited(view: View, edits: Sequence[tuple[int, int, str]]) -> View:
    """Give the view with stretches replaced by other words; these stand where the stretch began."""
    norm: list[str] = []
    places: list[int] = []
    place = 0
    for start, end, word in edits:
        norm.append(view.norm[place:start])
        places.extend(range(place, start))
        norm.append(word)
        places.extend([min(start, len(view.norm) - 1)] * len(word))
        place = end
    norm.append(view.norm[place:])
    places.extend(range(place, len(view.norm)))
    origin = places if view.origin is None else [view.origin[index] for index in places]
    return View(view.raw, "".join(norm), origin)


def backwards(view: View) -> View:
    """Give the view from its end to its beginning."""
    return _picked(view, range(len(view.norm) - 1, -1, -1))


def replaced(view: View, norm: str) -> View:
    """Give the view with other characters in the same places."""
    return View(view.raw, norm, view.origin)


def _picked(view: View, places: Sequence[int]) -> View:
    origin = places if view.origin is None else [view.origin[place] for place in places]
    return View(view.raw, "".join([view.norm[place] for place in places]), list(origin))
