# ruff: noqa: C901 - one branch for each kind of key
"""The words that decide, by role and language. A language is one TOML file beside this one.

A word ending in `*` stands for every word that begins so. Words of scripts written without spaces are found
inside longer runs. All words are folded like the texts are, so accents need no second spelling.
"""

import functools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from shared.contact_guard import text


class Role:
    """What a word says about the identifiers around it: bits, added up in one number.

    Plain numbers, because the bits of an `IntFlag` are ten times slower and every word is asked.
    """

    CALL = 1 << 0  # announces a phone number
    CALL_WEAK = 1 << 1  # may announce one: "ring", "cell", "office"
    RING = 1 << 48  # announces one right behind it: "text 415…"
    ASKING = 1 << 49  # "questions on the order: 030…" tells no order's number
    PERSON = 1 << 50  # somebody to turn to: "the order desk", "Frau Lenz"
    DIAL = 1 << 2  # says that the digits are for dialling, whatever they were called
    MINE = 1 << 40  # says so if it stands right behind them: "(my cell)"
    THEN = 1 << 42  # says that the number goes on
    MY = 1 << 43
    NOT = 1 << 44  # says that what follows is not used
    IS = 1 << 41  # a label behind a number names it only with "is" between
    LABEL = 1 << 3  # announces a number of the trade
    UNIT = 1 << 4  # makes the number before it a quantity
    NUMBER = 1 << 5  # may stand between a label and its number
    LINK = 1 << 6  # may stand between a messenger and its handle
    ID = 1 << 7  # says that a handle follows, even one that is a plain word
    ADD = 1 << 8  # asks to be added somewhere, without naming the messenger
    MAIL = 1 << 9
    SITE = 1 << 10
    AT = 1 << 11  # "at": the sign only if a domain follows
    AT_SURE = 1 << 12  # "at-sign": never anything else
    DOT = 1 << 13
    DOT_COM = 1 << 47
    UNDERSCORE = 1 << 14
    DASH = 1 << 15
    SLASH = 1 << 16
    FILL = 1 << 17  # may stand between the spelled parts of an address
    PLUS = 1 << 18
    BACKWARDS = 1 << 19
    ASSEMBLE = 1 << 20  # asks to put scattered digits together
    MEETING = 1 << 21
    COMMON = 1 << 22  # an ordinary word: no handle, no name of a domain
    FIND = 1 << 46  # asks to look somebody up, among other things
    SHY = 1 << 45  # a messenger's name that is also a word; set by `messengers.py`
    MESSENGER = 1 << 23  # set by `messengers.py`
    PART = 1 << 24  # of a phrase, and nothing by itself
    DIGITS = 1 << 25  # a spelled number; its values are in `Vocabulary.values`


# Letters whose scripts are written without spaces, or whose words grow endings and particles.
DENSE = "\u0e00-\u0e7f\u3005-\u3007\u3021-\u3029\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\U00020000-\U0002fa1f"
# Vowel signs are no letters to `re`, so the scripts that have them are named.
_SIGNS = "\u0900-\u0963\u0966-\u0dff"
TOKEN = re.compile(rf"\d+|[{DENSE}]+|(?:[^\W\d_{DENSE}]|[{_SIGNS}])+|[^\s\w]|_")


def is_dense(char: str) -> bool:
    """Tell whether a letter belongs to a script whose words are found inside runs of letters."""
    return (
        "\u0e00" <= char <= "\u0e7f"
        or "\u3005" <= char <= "\u30ff"
        or "\u3400" <= char <= "\u9fff"
        or "\uac00" <= char <= "\ud7af"
        or char >= "\U00020000"
    )


@dataclass(frozen=True, slots=True)
class Value:
    """What a number word is worth in one language; `times` for words that repeat or multiply."""

    language: str
    worth: int = 0
    repeats: int = 0
    hundred: bool = False


@dataclass(slots=True)
class Vocabulary:
    """All words, ready for look-up. Filled once, at import."""

    words: dict[str, int] = field(default_factory=dict)
    prefixes: dict[str, int] = field(default_factory=dict)
    phrases: dict[tuple[str, str], dict[tuple[str, ...], int]] = field(default_factory=dict)
    phrase_starts: set[str] = field(default_factory=set)
    dense: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    values: dict[str, tuple[Value, ...]] = field(default_factory=dict)

    def add(self, word: str, role: int) -> None:
        """Give a word, a phrase or a beginning of words one more role."""
        folded = text.read(word).norm.strip()
        parts = TOKEN.findall(folded)
        if len(parts) == 1 and is_dense(folded[0]):
            self._add_dense(folded, role)
        elif folded.endswith("*"):
            stem = folded[:-1]
            self.prefixes[stem] = self.prefixes.get(stem, 0) | role
        elif len(parts) == 1:
            self.words[folded] = self.words.get(folded, 0) | role
        else:
            self.phrase_starts.add(parts[0])
            same_start = self.phrases.setdefault((parts[0], parts[1]), {})
            same_start[tuple(parts[2:])] = same_start.get(tuple(parts[2:]), 0) | role
            for part in parts:
                if is_dense(part[0]):
                    self._add_dense(part, Role.PART)

    def _add_dense(self, word: str, role: int) -> None:
        same_start = self.dense.setdefault(word[0], [])
        for place, (known, roles) in enumerate(same_start):
            if known == word:
                same_start[place] = (word, roles | role)
                return
        same_start.append((word, role))
        same_start.sort(key=lambda entry: -len(entry[0]))

    def add_value(self, word: str, value: Value) -> None:
        """Make a word a number word of one language."""
        folded = text.read(word).norm
        self.add(word, Role.DIGITS)
        self.values[folded] = (*self.values.get(folded, ()), value)


@functools.lru_cache(maxsize=16384)
def roles_of(word: str) -> int:
    """Look a folded word up, whole or by its beginning."""
    found = VOCABULARY.words.get(word, 0)
    for length in range(len(word), 3, -1):
        stem = VOCABULARY.prefixes.get(word[:length])
        if stem:
            return found | stem
    return found


_ROLE_OF_KEY = {
    "call": Role.CALL,
    "call_weak": Role.CALL_WEAK,
    "ring": Role.RING,
    "asking": Role.ASKING,
    "person": Role.PERSON,
    "dial": Role.DIAL,
    "mine": Role.MINE,
    "is": Role.IS,
    "then": Role.THEN,
    "my": Role.MY,
    "not": Role.NOT,
    "label": Role.LABEL,
    "unit": Role.UNIT,
    "number": Role.NUMBER,
    "link": Role.LINK,
    "id": Role.ID,
    "add": Role.ADD,
    "find": Role.FIND,
    "mail": Role.MAIL,
    "site": Role.SITE,
    "at": Role.AT,
    "at_sure": Role.AT_SURE,
    "dot": Role.DOT,
    "dot_com": Role.DOT_COM,
    "underscore": Role.UNDERSCORE,
    "dash": Role.DASH,
    "slash": Role.SLASH,
    "fill": Role.FILL,
    "plus": Role.PLUS,
    "backwards": Role.BACKWARDS,
    "assemble": Role.ASSEMBLE,
    "meeting": Role.MEETING,
    "common": Role.COMMON,
    "neutral": Role.COMMON,
}


def _load() -> Vocabulary:
    vocabulary = Vocabulary()
    folder = resources.files("shared.contact_guard") / "vocabulary"
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".toml"):
            _load_language(
                vocabulary, file.name.removesuffix(".toml"), tomllib.loads(file.read_text("utf-8"))
            )
    _spread_calls(vocabulary)
    return vocabulary


def _load_language(vocabulary: Vocabulary, language: str, words: Mapping[str, Any]) -> None:
    for key, entries in words.items():
        if key == "digits":
            for worth, names in enumerate(entries):
                for name in names:
                    vocabulary.add_value(name, Value(language, worth))
        elif key == "numbers":
            for name, worth in entries.items():
                vocabulary.add_value(name, Value(language, worth))
        elif key == "repeat":
            for name, times in entries.items():
                vocabulary.add_value(name, Value(language, repeats=times))
        elif key == "hundred":
            for name in entries:
                vocabulary.add_value(name, Value(language, 100, hundred=True))
        else:
            for entry in entries:
                vocabulary.add(entry, _ROLE_OF_KEY[key])


@functools.lru_cache(maxsize=4096)
def compound(word: str) -> tuple[str, ...]:
    """Split number words of one language that are written as one: "zerosevenseven", "trecentotrentatre"."""
    if word[:3] not in _number_starts():
        return ()
    for numbers in _numbers_by_language().values():
        parts = _split_number(word, numbers)
        if parts:
            return parts
    return ()


def _split_number(word: str, numbers: frozenset[str]) -> tuple[str, ...]:
    """Split greedily from the left, the longest known word first; () if anything is left."""
    parts: list[str] = []
    place = 0
    while place < len(word):
        length = next((n for n in range(_LONGEST_NUMBER, 1, -1) if word[place : place + n] in numbers), 0)
        if not length:
            return ()
        parts.append(word[place : place + length])
        place += length
    return tuple(parts)


_LONGEST_NUMBER = 16


@functools.cache
def _numbers_by_language() -> dict[str, frozenset[str]]:
    words: dict[str, set[str]] = {}
    for word, values in VOCABULARY.values.items():
        if len(word) > 1:
            for value in values:
                words.setdefault(value.language, set()).add(word)
    return {language: frozenset(known) for language, known in words.items()}


@functools.cache
def _number_starts() -> frozenset[str]:
    return frozenset(word[:3] for word in VOCABULARY.values if len(word) > 2)  # noqa: PLR2004


def _spread_calls(vocabulary: Vocabulary) -> None:
    """Let "我的电话" announce a number as "电话" does, though the longer word hides the shorter."""
    entries = [(word, role) for same_start in vocabulary.dense.values() for word, role in same_start]
    calls = [word for word, role in entries if role & Role.CALL]
    for word, role in entries:
        if not role & (Role.CALL | Role.COMMON) and any(call in word for call in calls):
            vocabulary.add(word, Role.CALL)


VOCABULARY = _load()
