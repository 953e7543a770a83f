"""Text search without a search server: short pieces of the text as index keys.

A query matches where the text contains each of its words, so that Chinese is found inside a sentence as
well as Latin text inside a word. The pieces only narrow down where to look.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any, Final

# From here on Unicode has scripts in which two characters are a word (Chinese, Japanese, Korean).
_DENSE: Final = "\u2e80"
# The planner tries one index scan for each, so a few that say much are better than all.
_MOST_KEYS: Final = 8


def fold(text: str) -> str:
    """Bring a text into the form in which it is compared."""
    return unicodedata.normalize("NFKC", text).casefold()


def document(texts: Iterable[str | None]) -> dict[str, Any]:
    """Write what an order is found by: `pieces` to look where it may be, `text` to make sure."""
    folded = [fold(text) for text in texts if text]
    found = {piece for text in folded for word in text.split() for piece in _pieces(word)}
    return {"pieces": sorted(found), "text": "\n".join(folded)}


def query(text: str, *, under: str) -> dict[str, Any]:
    """Write the filter for documents that hold `document` under a name."""
    words = fold(text).split()
    keys = list(dict.fromkeys(piece for word in sorted(words, key=len) for piece in _needed(word)))
    # The end of a number or a name tells more than its beginning, which many share.
    criteria: dict[str, Any] = {
        "$and": [{f"{under}.text": {"$regex": re.escape(word)}} for word in words],
    }
    return criteria | ({f"{under}.pieces": {"$all": keys[-_MOST_KEYS:]}} if keys else {})


def _pieces(word: str) -> Iterator[str]:
    yield from (char for char in word if char >= _DENSE)
    yield from (pair for pair in _cut(word, 2) if max(pair) >= _DENSE)
    yield from (triple for triple in _cut(word, 3) if max(triple) < _DENSE)


def _needed(word: str) -> Iterator[str]:
    # One or two Latin letters are in nearly every text and have no key: such a query walks the list.
    return iter([word]) if len(word) == 1 and word >= _DENSE else (p for p in _pieces(word) if len(p) > 1)


def _cut(word: str, length: int) -> Iterator[str]:
    return (word[at : at + length] for at in range(len(word) - length + 1))
