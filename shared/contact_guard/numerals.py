# ruff: noqa: C901, PLR0912, PLR2004 - the grammar of number words in one place; the numbers are lengths of numbers
"""Runs of digits, however they are written, that could be one number."""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.contact_guard.text import View
from shared.contact_guard.tokens import Token
from shared.contact_guard.vocabulary import TOKEN, VOCABULARY, Role, Value, roles_of

_SHORTEST = 7
_LONGEST_GAP = 3
_LONGEST_GROUP = 24
_LONGEST_CHAIN = 20
_GAP = re.compile(r"[ \t.\-()/·•_~*|]{0,3}")
_WORD_GAP = re.compile(r"[ \t.\-()/·•_~*,、|에のと]{0,4}")
_LOOKS_LIKE_DIGIT = str.maketrans("oilо", "0110")
_LETTERS_LIKE_DIGITS = re.compile(r"[oо]{1,4}|[oilо]{1,3}")
_CODE_LETTERS = 2
_COUNTRY_DIGITS = 3
_EXTENSIONS = frozenset(("x", "ext", "extn", "ex"))


@dataclass(frozen=True, slots=True)
class Group:
    """Digits that stand together.

    `spelled` if they were words, `styled` if they were circles and the like, `lettered` if O stood for 0.
    """

    start: int
    end: int
    digits: str
    spelled: bool = False
    styled: bool = False
    lettered: bool = False


BREAK = Group(-1, -1, "")


@dataclass(frozen=True, slots=True)
class Run:
    """Groups of digits with nothing but separators between them."""

    groups: tuple[Group, ...]
    plus: bool
    area: bool = False  # the first group stands in brackets
    listed: bool = False  # signs of a list stand between groups

    @property
    def digits(self) -> str:
        return "".join(group.digits for group in self.groups)

    @property
    def start(self) -> int:
        return self.groups[0].start

    @property
    def end(self) -> int:
        return self.groups[-1].end

    @property
    def disguised(self) -> bool:
        """Tell whether the digits are spelled, drawn or spread out one by one."""
        return (
            self.spelled or self.styled or self.spread or self.chained or any(g.lettered for g in self.groups)
        )

    @property
    def chained(self) -> bool:
        """Tell whether words like "then" join the groups."""
        return any(
            right.start - left.end > _LONGEST_GAP + 1 for left, right in itertools.pairwise(self.groups)
        )

    @property
    def spelled(self) -> bool:
        return any(group.spelled for group in self.groups)

    @property
    def styled(self) -> bool:
        return sum(len(group.digits) for group in self.groups if group.styled) > len(self.digits) // 2

    @property
    def spread(self) -> bool:
        singles = sum(len(group.digits) == 1 for group in self.groups)
        return singles >= 6 and singles >= len(self.groups) - 1

    @property
    def counts_up(self) -> bool:
        """Tell whether the digits only count up, as the balloons of a drawing do."""
        digits = self.digits
        return len(digits) > 3 and all(
            int(b) - int(a) == 1 or (a == "9" and b == "1") for a, b in itertools.pairwise(digits)
        )


def groups(view: View, tokens: Sequence[Token]) -> list[tuple[Group, bool]]:
    """Give every group of digits, with whether a plus stands before it."""
    return [(group, signed) for group, signed in _groups(view, tokens) if group is not BREAK]


def runs(view: View, tokens: Sequence[Token]) -> Iterator[Run]:
    """Give the runs of seven digits or more."""
    norm = view.norm
    together: list[Group] = []
    length = 0
    plus = False
    for group, signed in _groups(view, tokens):
        if together and not signed and group is not BREAK and _joins(norm, together[-1], group):
            together.append(group)
            length += len(group.digits)
            continue
        if length >= _SHORTEST:
            yield _run(norm, together, plus=plus)
        together, length, plus = ([], 0, False) if group is BREAK else ([group], len(group.digits), signed)
    if length >= _SHORTEST:
        yield _run(norm, together, plus=plus)


def _run(norm: str, together: list[Group], *, plus: bool) -> Run:
    first = together[0]
    area = norm[first.start - 1 : first.start] == "(" and norm[first.end : first.end + 1] == ")"
    listed = "、" in norm[first.start : together[-1].end]
    return Run(tuple(together), plus, area, listed)


def _joins(norm: str, left: Group, right: Group) -> bool:
    gap = norm[left.end : right.start]
    if len(gap) > _LONGEST_GAP + 1:
        return len(gap) < _LONGEST_CHAIN and _is_chain(gap)
    if "(" in gap and ")" not in gap and len(left.digits) > _COUNTRY_DIGITS and not right.spelled:
        return False  # "646-555-0172 (24/7)"
    return bool((_WORD_GAP if left.spelled or right.spelled else _GAP).fullmatch(gap))


def _is_chain(gap: str) -> bool:
    """Tell whether a gap says only that the number goes on: ", then "."""
    words = TOKEN.findall(gap)
    chained = False
    for word in words:
        role = roles_of(word)
        if role & Role.THEN:
            chained = True
        elif word not in ",.-:" and not role & Role.FILL:
            return False
    return chained


def _groups(view: View, tokens: Sequence[Token]) -> Iterator[tuple[Group, bool]]:
    """Give each group of digits and whether a plus stands before it."""
    norm = view.norm
    place = 0
    total = len(tokens)
    while place < total:
        token = tokens[place]
        if token.role & Role.DIGITS and not token.digits:
            digits, used = _spelled(norm, tokens, place)
            if digits and not (used == 1 and _is_just_a_word(tokens, place)):
                last = tokens[place + used - 1]
                yield Group(token.start, last.end, digits, spelled=True), _signed(norm, tokens, place)
            place += max(used, 1)
            continue
        if token.digits and (len(token.digits) > _LONGEST_GROUP or _is_code(tokens, place)):
            yield BREAK, False
        elif token.digits:
            spelled = not token.word[0].isascii()
            styled = not spelled and _is_styled(view, token)
            yield Group(token.start, token.end, token.digits, spelled, styled), _signed(norm, tokens, place)
        elif (
            _LETTERS_LIKE_DIGITS.fullmatch(token.word)
            and not token.role & Role.LABEL
            and _touches_digits(norm, token)
        ):
            yield Group(token.start, token.end, token.word.translate(_LOOKS_LIKE_DIGIT), lettered=True), False
        place += 1


def _touches_digits(norm: str, token: Token) -> bool:
    """Tell whether letters like "o" and "l" stand where digits would: "2O2", "555-Ol43", "138 oooo 1234"."""
    before, after = norm[max(0, token.start - 2) : token.start], norm[token.end : token.end + 2]
    if before[-1:].isalpha() or after[:1].isalpha():
        return False
    left = before[-1:].isdigit() or (len(before) > 1 and before[0].isdigit() and before[1] in " -.*")
    right = after[:1].isdigit() or (len(after) > 1 and after[1].isdigit() and after[0] in " -.*")
    return right if "o" not in token.word else left or right


def _is_code(tokens: Sequence[Token], place: int) -> bool:
    """Tell whether letters that are glued to the digits make them a code: X125, 316L, 12mm."""
    token = tokens[place]
    if place and tokens[place - 1].end == token.start:
        word = tokens[place - 1]
        if (
            word.word[0].isascii()
            and word.word[0].isalpha()
            and (word.role & Role.SHY or not word.role & _MAY_TOUCH)
            and not _LETTERS_LIKE_DIGITS.fullmatch(word.word)
        ):
            return True
    if place + 1 < len(tokens) and tokens[place + 1].start == token.end:
        word = tokens[place + 1]
        if (
            word.word[0].isascii()
            and word.word[0].isalpha()
            and not word.role & _MAY_TOUCH
            and word.word not in _EXTENSIONS
        ):
            return (
                len(word.word) <= _CODE_LETTERS and not _LETTERS_LIKE_DIGITS.fullmatch(word.word)
            ) or bool(word.role & Role.UNIT)
    return False


_MAY_TOUCH = Role.DIGITS | Role.CALL | Role.CALL_WEAK | Role.MESSENGER


def _signed(norm: str, tokens: Sequence[Token], place: int) -> bool:
    before = place - 1
    while before >= 0 and tokens[before].word == "(":
        before -= 1
    if before < 0:
        return False
    sign = tokens[before]
    if sign.word != "+" and not sign.role & Role.PLUS:
        return False
    # In "2+3" and "lot 5 + 6000" the sign adds; in "tel+49" and " +49" it begins a number.
    return sign.word != "+" or not norm[sign.start - 1 : sign.start].isdigit()


def _is_styled(view: View, token: Token) -> bool:
    raw = view.original(token.start, token.end)
    if raw == token.word:
        return False
    if len(raw) == len(token.word):
        return not all(char.isdecimal() and not "\U0001d7ce" <= char <= "\U0001d7ff" for char in raw)
    return "\u20e3" in raw or "\ufe0f" in raw or not any(char.isdecimal() for char in raw)


def _spelled(norm: str, tokens: Sequence[Token], place: int) -> tuple[str, int]:
    """Read number words from here on as one group; give its digits and how many tokens it took."""
    language_values = VOCABULARY.values.get(tokens[place].word, ())
    for first in language_values:
        digits, used = _spelled_in(first.language, norm, tokens, place)
        if digits:
            return digits, used
    return "", 1


def _is_just_a_word(tokens: Sequence[Token], place: int) -> bool:
    """Tell whether a number word of one language is a plain word of another: "once", "on", "do".

    Such a word counts only beside another number word of its own language.
    """
    token = tokens[place]
    if token.role == Role.DIGITS and len(token.word) > 2:
        return False
    languages = {value.language for value in VOCABULARY.values.get(token.word, ())}
    if "en" in languages and not token.role & Role.COMMON:
        return False
    for near in (*tokens[max(0, place - 2) : place], *tokens[place + 1 : place + 3]):
        if near.role & Role.DIGITS and any(
            v.language in languages for v in VOCABULARY.values.get(near.word, ())
        ):
            return False
    return True


def _value(token: Token, language: str) -> Value | None:
    for value in VOCABULARY.values.get(token.word, ()):
        if value.language == language:
            return value
    return None


def _spelled_in(language: str, norm: str, tokens: Sequence[Token], place: int) -> tuple[str, int]:
    first = _value(tokens[place], language)
    if first is None:
        return "", 1
    following = tokens[place + 1 : place + 5]
    if first.repeats:
        if not following:
            return "", 1
        again = following[0]
        if again.word == "-" and len(following) > 1:
            again = following[1]
        value = _value(again, language)
        single = (
            again.digits
            if len(again.digits) == 1
            else str(value.worth)
            if value and not value.repeats
            else ""
        )
        used = 2 if again is following[0] else 3
        return (single * first.repeats, used) if len(single) == 1 else ("", 1)
    total = first.worth
    smallest = _magnitude(total)
    used = 1
    end = tokens[place].end
    for ahead, token in enumerate(following, start=1):
        if token.word == "-" or (token.word in _AND and total >= 20):
            if norm[end : token.start].strip() == "":
                end = token.end
                continue
            break
        value = _value(token, language)
        if (
            value is None
            or value.repeats
            or norm[end : token.start].strip(" ")
            or total == 0
            or value.worth == 0
        ):
            break
        if value.hundred and 0 < total < 100:
            total *= 100
            smallest = 100
        elif total == 4 and value.worth == 20 and language == "fr":
            total, smallest = 80, 20
        elif total in (60, 80) and language == "fr" and 10 <= value.worth < 20:
            total += value.worth
            smallest = 1
        elif value.worth < smallest and smallest >= 10:
            total += value.worth
            smallest = _magnitude(value.worth)
        else:
            break
        end = token.end
        used = ahead + 1
    return str(total), used


_AND = frozenset(("y", "e", "et", "i", "и", "und", "and"))


def _magnitude(worth: int) -> int:
    if worth >= 100:
        return 100
    if worth >= 20:
        return 10
    return 1
