# ruff: noqa: PLR2004 - the numbers are lengths and distances
"""Phone numbers: what the shape of a run of digits and the words around it say together."""

import itertools
import re
from collections.abc import Iterator, Sequence

from shared.contact_guard import numerals, short_ids, trade
from shared.contact_guard.finding import Finding, Kind
from shared.contact_guard.numerals import Group, Run
from shared.contact_guard.shapes import FORMATTED, LONGEST, POSSIBLE, SHORTEST, SURE, is_round, shape_of
from shared.contact_guard.surroundings import Words, look_around
from shared.contact_guard.text import View
from shared.contact_guard.tokens import Token
from shared.contact_guard.vocabulary import Role

_FILE_ENDING = re.compile(
    r"(?:[_-]\w{1,12})?\.(?:pdf|docx?|xlsx?|csv|txt|zip|rar|7z|jpe?g|png|gif|webp|heic|tiff?|step|stp|iges|igs|dwg|dxf|sldprt|sldasm|stl|x_t|prt|mp4|mov)\b"
)
_UP_TO = frozenset(
    (
        "to",
        "through",
        "thru",
        "until",
        "till",
        "bis",
        "a",
        "à",
        "al",
        "au",
        "até",
        "fino a",
        "hasta",
        "do",
        "по",
        "до",
        "đến",
        "至",
        "到",
        "から",
        "부터",
        "إلى",
        "s/d",
        "t/m",
    )
)
_DIGIT = re.compile(r"\d")


def find(view: View, tokens: Sequence[Token], cues: int, passed: Sequence[tuple[int, int]]) -> list[Finding]:
    """Find phone numbers, and numbers given as a messenger's."""
    if not cues & Role.DIGITS and len(_DIGIT.findall(view.norm)) < SHORTEST - 2:
        return []
    findings = short_ids.find(view, tokens) if cues & Role.MESSENGER else []
    called = bool(cues & (Role.CALL | Role.CALL_WEAK | Role.MESSENGER))
    runs = list(numerals.runs(view, tokens))
    series = set() if called else _series(runs, view.norm)
    for run in runs:
        if run.start in series:
            continue
        for part in _unmeasured(run, view.norm):
            if any(start < part.end and part.start < end for start, end in passed):
                continue
            verdict = _judge(view, tokens, part, cues)
            if verdict:
                kind, rule = verdict
                first, last = view.span(_with_sign(view.norm, part), part.end)
                findings.append(Finding(kind, first, last, rule))
    if not findings and cues & Role.ASSEMBLE:
        findings.extend(_assembled(view, tokens, cues))
    return findings


def _series(runs: Sequence[Run], norm: str) -> set[int]:
    """Give where numbers stand that only begin and end a series: "serials 0770090001 to 0770090040"."""
    places: set[int] = set()
    for first, last in itertools.pairwise(runs):
        alike = next(
            (n for n, (a, b) in enumerate(zip(first.digits, last.digits, strict=False)) if a != b),
            len(first.digits),
        )
        between = norm[first.end : last.start].strip()
        if (
            between in _UP_TO
            and len(first.digits) == len(last.digits) < alike * 2
            and not first.plus
            and shape_of(first) < SURE
        ):
            places |= {first.start, last.start}
    return places


def _with_sign(norm: str, run: Run) -> int:
    start = run.start
    while start > 0 and norm[start - 1] in "+(":
        start -= 1
    return start


def _unmeasured(run: Run, norm: str) -> Iterator[Run]:
    """Split a run where dates and amounts stand in it, and drop a quantity with its unit at the end."""
    if run.plus and shape_of(run) == SURE:
        yield run
        return
    measures = trade.measures(norm, run.start, run.end)
    groups: list[Group] = []
    for group in run.groups:
        if any(start < group.end and group.start < end for start, end in measures) or _multiplied(
            norm, group
        ):
            begins = groups[:1] == [run.groups[0]]
            yield from _whole(groups, plus=run.plus and begins, area=run.area and begins, listed=run.listed)
            groups = []
        else:
            groups.append(group)
    begins = groups[:1] == [run.groups[0]]
    yield from _whole(groups, plus=run.plus and begins, area=run.area and begins, listed=run.listed)


def _multiplied(norm: str, group: Group) -> bool:
    return bool(re.match(r"\s?[x×]\s?\d", norm[group.end : group.end + 4])) or bool(
        re.search(r"\d\s?[x×]\s?$", norm[max(0, group.start - 4) : group.start])
    )


def _whole(groups: list[Group], *, plus: bool, area: bool, listed: bool) -> Iterator[Run]:
    if sum(len(group.digits) for group in groups) >= SHORTEST:
        yield Run(tuple(groups), plus, area, listed)


def _judge(view: View, tokens: Sequence[Token], run: Run, cues: int) -> tuple[Kind, str] | None:
    norm = view.norm
    words = look_around(view, tokens, run)
    counted = _without_quantity(run, words)
    if counted is None:
        return None
    run = counted
    shape = shape_of(run)
    before = norm[run.start - 1 : run.start]
    glued = (before.isalpha() and before.isascii()) or before == "_"
    if _is_in_a_code(norm, run, words, shape, glued=glued) or _is_labelled(run, words, shape):
        return None
    kind: Kind = words.messenger.kind if words.messenger and words.messenger_at <= 4 else "phone"
    if len(run.digits) > LONGEST:
        return _within(run, words, kind)
    if _FILE_ENDING.match(norm, run.end) and words.call > 0:
        return None
    rule = _announced(run, words, shape, glued=glued) or _recognized(norm, run, words, shape, cues)
    return (kind, rule) if rule else None


def _without_quantity(run: Run, words: Words) -> Run | None:
    """Drop an amount with its unit from the end; nothing may be left."""
    rounds = all(map(is_round, run.groups))
    if not words.unit or words.dial or run.spread or (shape_of(run) and words.call == 0 and not rounds):
        return run
    if rounds or len(run.groups) == 1:
        return None
    rest = Run(run.groups[:-1], run.plus, run.area, run.listed)
    return rest if len(rest.digits) >= SHORTEST else None


def _is_in_a_code(norm: str, run: Run, words: Words, shape: int, *, glued: bool) -> bool:
    """Tell whether letters that touch the digits make them a code: "AB4155550132", "4155550132C"."""
    if run.spelled:
        return False
    after = norm[run.end : run.end + 1]
    followed = after.isalpha() and after.isascii() and shape < SURE
    return followed or (glued and words.call > 0 and words.messenger_at > 0)


def _is_labelled(run: Run, words: Words, shape: int) -> bool:
    """Tell whether the word beside it says that it is a number of the trade, and nothing says otherwise."""
    labelled = words.label == 0 or (words.label_after == 0 and (shape < SURE or words.said_after))
    return labelled and not words.dial and not (run.plus and shape == SURE)


def _announced(run: Run, words: Words, shape: int, *, glued: bool) -> str | None:
    """Name the rule by which the shape or a word proves the number."""
    if shape == SURE:
        return "phone.shape"
    if words.dial:
        return "phone.dial"
    if words.messenger and words.messenger_at <= 6:
        version = words.messenger_at == 0 and glued  # "v10.0.19045" and "wx200"
        if not words.messenger.shy or run.plus or (shape and not version):
            return f"{words.messenger.key}.number"
    if words.call < min(words.nearest_label, 9):
        return "phone.announced"
    beside = words.beside and words.nearest_label > 2 and not all(map(is_round, run.groups))
    return "phone.announced" if beside and (shape or len(run.digits) <= 8) else None


def _recognized(norm: str, run: Run, words: Words, shape: int, cues: int) -> str | None:
    """Name the rule by which the looks alone are enough, where no label is near."""
    length = len(run.digits)
    if run.disguised and not run.counts_up and not (run.listed and shape < SURE):
        two_words = shape < FORMATTED and length <= 8 and "," in norm[run.start : run.end]
        if (shape and not two_words) or length >= 9 or words.weak < 9 or cues & Role.CALL:
            return "phone.disguised"
    if shape == FORMATTED and (
        min(words.weak, words.person) < words.nearest_label or words.nearest_label > 3
    ):
        return "phone.formatted"
    if words.nearest_label <= 3 or shape != POSSIBLE or length < 9:
        return None
    wanted = words.weak <= 1 or (not trade.known(run.digits) and (words.weak <= 3 or cues & Role.CALL))
    return "phone.possible" if wanted else None


def _within(run: Run, words: Words, kind: Kind) -> tuple[Kind, str] | None:
    """Judge a run that is too long for one number: it may hold one."""
    groups = run.groups
    if len(groups) > 3 and len({len(group.digits) for group in groups}) == 1 and words.call > 0:
        return None  # a list of sizes
    for first in range(len(groups)):
        for last in range(first + 1, min(first + 8, len(groups)) + 1):
            part = Run(groups[first:last], run.plus and first == 0)
            if first > 0 and last < len(groups) and words.call > 0:
                continue
            if SHORTEST <= len(part.digits) <= LONGEST and (
                shape_of(part) >= FORMATTED or (shape_of(part) and words.call < 9)
            ):
                return kind, "phone.within"
    return None


def _assembled(view: View, tokens: Sequence[Token], cues: int) -> list[Finding]:
    """Find a number whose parts stand all over a text that asks to put them together."""
    groups = [token for token in tokens if token.digits]
    digits = "".join(token.digits for token in groups)
    if (
        not cues & (Role.CALL | Role.CALL_WEAK | Role.DIAL)
        or not SHORTEST <= len(digits) <= LONGEST
        or len(groups) < 2
    ):
        return []
    first, last = view.span(groups[0].start, groups[-1].end)
    return [Finding("phone", first, last, "phone.assembled")]
