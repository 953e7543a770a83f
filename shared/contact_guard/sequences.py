# ruff: noqa: PLR0911 - one decision a line, in the order in which they count
"""Identifiers split over several messages of one sender."""

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared.contact_guard import numerals, shapes, text, trade
from shared.contact_guard.finding import Finding
from shared.contact_guard.numerals import Group, Run
from shared.contact_guard.text import View
from shared.contact_guard.tokens import Token, tokenize, unleet
from shared.contact_guard.vocabulary import Role

_MOST = 4
_LONGEST_FRAGMENT = 9
_FEW_WORDS = 3
_SERIES = 3
_MOST_STEP = 10
_OPEN_END = re.compile(r"[\w.+-]*@\s*$|(?:^|\s)www\.?$|^\S{1,30}\.$|[\w-]\.$")
_PIECE = re.compile(r"[\w.@:/-]{1,30}", re.ASCII)
_AMOUNT = re.compile(r"[x×%$€£¥=,]|\d\.\d{1,2}$")
# What the shape alone says of a number, without a word that asks to call it.
_UNSURE = frozenset(("phone.formatted", "phone.possible"))
_OPEN_START = re.compile(r"^\s*[@.]\s*\w")

_INSIDE = Role.THEN | Role.FILL | Role.PLUS | Role.CALL | Role.CALL_WEAK

Detect = Callable[[View], list[Finding]]


def find(previous: Sequence[str], raw: str, detect: Detect) -> list[Finding]:
    """Find what this message completes; the places are in this message."""
    earlier = [message for message in previous[-_MOST:] if message.strip()]
    if not earlier:
        return []
    return _joined(earlier, raw, detect) or _digits(earlier, raw)


def _joined(earlier: Sequence[str], raw: str, detect: Detect) -> list[Finding]:
    """Read the messages as one text, and the fragments among them without the work talk between."""
    fragments = [message for message in earlier if _is_fragment(message)]
    for messages in (earlier, fragments) if len(fragments) < len(earlier) else (earlier,):
        for tight in (False, True):
            head = _glued([*messages, raw], tight=tight)
            if head is None:
                continue
            found = [f for f in detect(text.read(head + raw)) if f.end > len(head)]
            found = [f for f in found if f.kind != "phone" or f.start >= len(head)]
            if found:
                return [
                    Finding(f.kind, max(f.start - len(head), 0), f.end - len(head), f"split.{f.rule}")
                    for f in found
                ]
    return []


def _glued(messages: Sequence[str], *, tight: bool) -> str | None:
    """Give the text before the last message; `tight` leaves nothing between pieces of one word."""
    head = ""
    glued = False
    for message, following in itertools.pairwise(messages):
        close = tight and (
            _open(message, following) or bool(_PIECE.fullmatch(message) and _PIECE.fullmatch(following))
        )
        glued = glued or close
        head += message + ("" if close else "\n")
    return head if head and (glued or not tight) else None


def _open(message: str, following: str) -> bool:
    return bool(_OPEN_END.search(message) or _OPEN_START.match(following))


def _is_fragment(message: str) -> bool:
    return len(message.split()) <= _FEW_WORDS


@dataclass(frozen=True, slots=True)
class _Part:
    """A message that is hardly more than digits."""

    run: Run
    role: int


def _digits(earlier: Sequence[str], raw: str) -> list[Finding]:
    """Put together the messages that are hardly more than digits."""
    last = _bare(raw)
    if last is None:
        return []
    parts = [last]
    said = last.role
    label = False
    for message in reversed(earlier):
        part = _bare(message)
        if part is None:
            tokens = tokenize(text.read(message).norm)
            for token in tokens:
                said |= token.role
            if not parts[0].run.plus and _announces_trade(tokens):
                label = True
            continue
        parts.insert(0, part)
    if label or _counts(parts):
        return []
    for first in range(len(parts) - 1):
        kind_rule = _judge(parts[first:], said)
        if kind_rule:
            view = text.read(raw)
            start, end = view.span(last.run.start, last.run.end)
            return [Finding("messenger" if said & Role.MESSENGER else "phone", start, end, kind_rule)]
    return []


def _counts(parts: Sequence[_Part]) -> bool:
    """Tell whether the numbers go on by the same small step: boxes, pages and lines that somebody counts."""
    digits = [part.run.digits for part in parts]
    if len(digits) < _SERIES or any(each.startswith("0") for each in digits):
        return False
    steps = {int(after) - int(before) for before, after in itertools.pairwise(digits)}
    return len(steps) == 1 and 0 < abs(steps.pop()) <= _MOST_STEP


def _announces_trade(tokens: Sequence[Token]) -> bool:
    """Tell whether a message ends by naming a number of the trade: "DHL number is"."""
    for token in reversed(tokens):
        if token.role & Role.LABEL:
            return not token.role & (Role.CALL | Role.MESSENGER)
        if token.word[0].isalpha() and not token.role & (Role.NUMBER | Role.LINK | Role.DIGITS):
            return False
    return False


def explains(previous: Sequence[str], raw: str, finding: Finding) -> bool:
    """Tell whether the messages before make a number one of the trade: "UPS is", "1Z 999 AA1", "01 2345 6784"."""
    if not previous or finding.rule not in _UNSURE:
        return False
    head = text.read(previous[-1].strip() + "\n").norm
    if _announces_trade(tokenize(head)):
        return True
    norm = head + text.read(raw).norm
    return any(start < len(head) for start, _ in trade.measures(norm, len(head), len(norm)))


def _bare(message: str) -> _Part | None:
    view = unleet(text.read(message))
    tokens = tokenize(view.norm)
    groups = numerals.groups(view, tokens)
    if not groups or trade.measures(view.norm, 0, len(view.norm)):
        return None
    digits = sum(len(group.digits) for group, _ in groups)
    if digits > _LONGEST_FRAGMENT:
        return None
    written = [group for group, _ in groups if not group.spelled]
    role = 0
    words = 0
    for token in tokens:
        if token.digits or token.role & Role.DIGITS:
            continue
        between = bool(written) and written[0].end <= token.start and token.end <= written[-1].start
        if between and token.word[0].isalpha() and not token.role & _INSIDE:
            return None  # "555 on truck 2" are two numbers
        role |= token.role
        if token.word[0].isalpha() and not token.role & (
            Role.CALL | Role.CALL_WEAK | Role.FILL | Role.LINK | Role.PLUS | Role.MESSENGER
        ):
            words += 1
    spelled = all(group.spelled for group, _ in groups)
    if role & (Role.LABEL | Role.UNIT) and not role & Role.CALL:
        return None
    if (words > 1 and not role & Role.CALL) or (_AMOUNT.search(view.norm) and not spelled):
        return None
    return _Part(Run(tuple(group for group, _ in groups), groups[0][1]), role)


def _judge(parts: Sequence[_Part], said: int) -> str | None:
    groups: list[Group] = []
    offset = 0
    for part in parts:
        groups.extend(
            Group(group.start + offset, group.end + offset, group.digits, group.spelled, group.styled)
            for group in part.run.groups
        )
        offset += part.run.end + 1
    run = Run(tuple(groups), parts[0].run.plus)
    length = len(run.digits)
    if not 7 <= length <= 13:  # noqa: PLR2004 - the lengths of phone numbers
        return None
    shape = shapes.shape_of(run)
    if run.plus and (shape < shapes.SURE or length < 10):  # noqa: PLR2004
        return None  # not yet complete
    if said & (Role.CALL | Role.MESSENGER | Role.DIAL):
        return "split.announced"
    if all(_is_round(part.run.digits) for part in parts):
        return None
    if shape >= shapes.FORMATTED:
        return "split.shape"
    if length >= 9 and not run.counts_up and (run.spelled or all(_spread(part.run) for part in parts)):  # noqa: PLR2004
        return "split.disguised"
    return None


def _spread(run: Run) -> bool:
    return len(run.groups) > 1 and all(len(group.digits) == 1 for group in run.groups)


def _is_round(digits: str) -> bool:
    return digits.endswith("0") and not digits.startswith("0")
