"""Text search without a search server: short pieces of the text as index keys.

A query matches where all its pieces do and the text contains its words, so that Chinese is found
inside a sentence as well as Latin text inside a word.
"""

import re
import unicodedata
from collections.abc import Iterable

# Two characters are a Chinese word, and few enough keys for an order's few short fields.
_PIECE = 2


def fold(text: str) -> str:
    """Bring a text into the form in which it is compared."""
    return unicodedata.normalize("NFKC", text).casefold()


def pieces(texts: Iterable[str | None]) -> list[str]:
    """Cut texts into the keys under which they are found."""
    found: set[str] = set()
    for text in texts:
        for word in fold(text or "").split():
            found.update(word[at : at + _PIECE] for at in range(max(1, len(word) - _PIECE + 1)))
            found.update(word)
    return sorted(found)


def query(text: str) -> dict[str, object]:
    """Write the filter for documents that hold `pieces` under `search.pieces` and the folded text under `search.text`."""
    words = fold(text).split()
    keys = sorted({word[at : at + _PIECE] for word in words for at in range(max(1, len(word) - _PIECE + 1))})
    return {
        "search.pieces": {"$all": keys},
        "$and": [{"search.text": {"$regex": re.escape(word)}} for word in words],
    }
