# ruff: noqa: C901, PLR0912, PLR2004 - one hint a line; the numbers are distances in words
"""What the words around a run of digits say of it."""

import bisect
import re
from collections.abc import Sequence
from dataclasses import dataclass

from shared.contact_guard import messengers
from shared.contact_guard.messengers import Messenger
from shared.contact_guard.numerals import Run
from shared.contact_guard.text import View
from shared.contact_guard.tokens import Token
from shared.contact_guard.vocabulary import Role, roles_of

NOWHERE = 99
_AS_FAR = 14
_FAR = 5
_NO = frozenset(("no", "nr", "num", "number", "nbr"))
_SENTENCE_END = frozenset(".!?;\n")


@dataclass(slots=True)
class Words:
    """What the neighborhood says: how many words away the nearest of each kind stands."""

    call: int = NOWHERE
    weak: int = NOWHERE
    person: int = NOWHERE
    beside: bool = False  # a weak hint stands right before it
    label: int = NOWHERE
    label_after: int = NOWHERE
    said_after: bool = False  # "is" stands between the number and the label behind it
    dial: bool = False
    unit: bool = False
    messenger: Messenger | None = None
    messenger_at: int = NOWHERE

    @property
    def nearest_label(self) -> int:
        return min(self.label, self.label_after if self.label_after == 0 else NOWHERE)


def look_around(view: View, tokens: Sequence[Token], run: Run) -> Words:
    """Read the words before and behind a run, the nearest first."""
    first = bisect.bisect_right(tokens, run.start, key=lambda token: token.end)
    last = first
    while last < len(tokens) and tokens[last].start < run.end:
        last += 1
    words = Words()
    _look_back(words, view, tokens, run, first)
    words.beside = words.weak == 0
    if (
        view.norm[run.end : run.end + 2].lstrip().startswith("(")
        and last + 2 < len(tokens)
        and tokens[last + 2].word == ")"
    ):
        words.dial = bool(tokens[last + 1].role & (Role.CALL | Role.CALL_WEAK | Role.MESSENGER))
    _look_ahead(words, view.norm, tokens[last : last + _AS_FAR])
    return words


def _look_back(words: Words, view: View, tokens: Sequence[Token], run: Run, first: int) -> None:
    norm = view.norm
    distance = 0
    ended = hash_sign = False
    for token in reversed(tokens[max(0, first - _AS_FAR) : first]):
        role = token.role
        if role & Role.CALL:
            words.call = min(words.call, distance)
        if role & Role.MESSENGER and words.messenger is None:
            found = messengers.named(token.word)
            version = token.end != run.start and norm[token.end].isdigit()  # "v2.2024-11-18"
            if found and not (found.shy and version):
                words.messenger, words.messenger_at = found, distance
        if role & Role.RING and token is tokens[first - 1]:
            words.call, distance = 0, 1
        if role & Role.CALL_WEAK:
            words.weak = min(words.weak, distance)
        if role & Role.PERSON:
            words.person = min(words.person, distance)
        if role & Role.ASKING and words.label == 0 and tokens[first - 1].word == ":" and not ended:
            words.label = NOWHERE
        if role & Role.LABEL and not role & Role.CALL:
            words.label = min(words.label, distance + (4 if ended else 0))
        if role & Role.DIAL:
            words.dial = words.dial or distance <= 3
        if token.word == "#" and token.end == tokens[first - 1].end and token.end == run.start:
            hash_sign = True
        if _ends_sentence(norm, token):
            distance += 2
            ended = True
        elif (
            token.word[0].isalpha() and not token.digits and not role & (Role.NUMBER | Role.LINK)
        ) or role & Role.LABEL:
            distance += 1
    if (hash_sign and words.call > 0 and words.weak > 0) or _numbered(view, tokens, first):
        words.label = 0


def _look_ahead(words: Words, norm: str, tokens: Sequence[Token]) -> None:
    distance = 0
    meant = punctuated = False
    for offset, token in enumerate(tokens):
        role = token.role
        if offset == 0 and role & Role.UNIT and not role & (Role.CALL | Role.LINK):
            words.unit = True
        meant = meant or bool(role & Role.IS)
        if role & Role.DIAL or (role & Role.MINE and distance <= (_FAR if meant else 1)):
            words.dial = True
        if role & Role.CALL:
            words.call = min(words.call, distance + 1)
        if role & Role.CALL_WEAK:
            words.weak = min(words.weak, distance)
        if role & Role.MESSENGER and words.messenger is None:
            found = messengers.named(token.word)
            if found and not (found.shy and norm[token.end : token.end + 1].isdigit()):
                words.messenger, words.messenger_at = found, distance + 1
        if role & Role.LABEL and not role & Role.CALL and not punctuated:
            words.label_after = min(words.label_after, distance)
        words.said_after = words.said_after or (words.label_after == NOWHERE and bool(role & Role.IS))
        if token.word[0].isalpha() and not role & (Role.NUMBER | Role.LINK):
            distance += 1
        elif _ends_sentence(norm, token):
            distance += 2
        punctuated = punctuated or token.word in ",.;:!?()"


def _ends_sentence(norm: str, token: Token) -> bool:
    if token.word not in _SENTENCE_END or norm[token.end : token.end + 1] not in (" ", "\n", ""):
        return False
    if token.word != ".":
        return True
    # "Art.Nr. 0171", "tel. 0171" and "Cod. 02" go on.
    before = norm[max(0, token.start - 12) : token.start]
    short = re.search(r"[^\W\d_]+$", before)
    return not (
        short
        and len(short.group()) <= 4
        and roles_of(short.group()) & (Role.LABEL | Role.NUMBER | Role.CALL | Role.CALL_WEAK)
    )


def _numbered(view: View, tokens: Sequence[Token], place: int) -> bool:
    """Tell whether "号" or "no." with an unknown word makes the label: 线号, 车号, 票号, "CoC no."."""
    if place > 2 and tokens[place - 1].word == "." and tokens[place - 2].word in _NO:
        place -= 1
    if place < 2:
        return False
    what = tokens[place - 2]
    if tokens[place - 1].word in _NO:
        raw = view.original(what.start, what.end)
        return not what.role & ~Role.COMMON and len(raw) <= _FAR and sum(map(str.isupper, raw)) > 1
    if tokens[place - 1].word != "号":
        return False
    return what.role == 0 and what.end == tokens[place - 1].start and not what.word[-1].isascii()
