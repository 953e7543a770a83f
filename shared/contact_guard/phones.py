# ruff: noqa: C901, PLR0911, PLR0912, PLR0915, PLR2004, SIM102 - one decision a line, in the order in which they count; the numbers are lengths and distances
"""Phone numbers: what shape a run of digits has, and what the words around it say it is."""

import bisect
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import phonenumbers

from shared.contact_guard import messengers, numerals, trade
from shared.contact_guard.finding import Finding, Kind
from shared.contact_guard.numerals import Group, Run
from shared.contact_guard.text import View
from shared.contact_guard.tokens import Token
from shared.contact_guard.vocabulary import Role, roles_of

_SHORTEST, _LONGEST = 7, 15
SURE, FORMATTED, _POSSIBLE = 3, 2, 1

_CHINESE_MOBILE = re.compile(r"(?:0?0?86)?1[3-9]\d{9}")
_NANP = re.compile(r"1?[2-9]\d{2}[2-9]\d{6}")
# Mobile numbers that are told by their first digits, even without separators.
_MOBILE = re.compile(
    r"07[1-9]\d{8}|0[67]\d{8}|0[789]0\d{8}|01[016789]\d{7,8}|05\d{9}|04\d{8}|05\d{8}|0[35789]\d{8}|08\d{8,10}|01[567]\d{8,9}|09\d{8,9}"
)
_COUNTRY = re.compile(
    r"(?:1[2-9]\d{9}|7[3-9]\d{9}|20\d{9,10}|27\d{9}|3[0-469]\d{9,10}|4[0134678]\d{9,10}|49\d{10,11}|5[1-8]\d{9,11}|6[0-6]\d{8,10}|8[124]\d{8,10}|861\d{10}|9[0-58]\d{9,10}|9[67]\d{9,10}|852\d{8}|886\d{8,9}|88\d{10}|3[5-8]\d\d{8,9}|42\d{10})"
)
_SHAPES = (
    re.compile(r"1 [2-9]\d\d [2-9]\d\d \d{4}|[2-9]\d\d [2-9]\d\d \d{4}"),
    re.compile(r"[78] [3489]\d\d \d{3} \d\d \d\d|[78] [3489]\d\d \d{3} \d{4}|8 [3489]\d\d \d{7}"),
    re.compile(r"[1-9]\d 9\d{4} \d{4}"),
    re.compile(r"[48]00 \d{3} ?\d{4}|800 \d{3} \d{3}"),
    re.compile(r"0[67](?: \d\d){4}|0[1-9](?: \d\d){4}"),
    re.compile(r"0\d{1,4}(?: \d{2,5})* \d{3,8}"),
    re.compile(r"0\d{2,3} \d{3} \d\d \d\d|0 5\d\d \d{3} (?:\d{4}|\d\d \d\d)"),
    re.compile(r"00[1-9]\d{0,2}(?: \d{2,12})+"),
)
_FILE_ENDING = re.compile(
    r"(?:[_-]\w{1,12})?\.(?:pdf|docx?|xlsx?|csv|txt|zip|rar|7z|jpe?g|png|gif|webp|heic|tiff?|step|stp|iges|igs|dwg|dxf|sldprt|sldasm|stl|x_t|prt|mp4|mov)\b"
)
_FAR = 5
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
_NO = frozenset(("no", "nr", "num", "number", "nbr"))
_DIGIT = re.compile(r"\d")
_SENTENCE_END = frozenset(".!?;\n")


@dataclass(frozen=True, slots=True)
class _Words:
    """What the neighborhood says: how many words away the nearest of each kind stands; 99 is nowhere."""

    call: int = 99
    weak: int = 99
    beside: bool = False
    label: int = 99
    label_after: int = 99
    said_after: bool = False
    dial: bool = False
    unit: bool = False
    messenger: messengers.Messenger | None = None
    messenger_at: int = 99


def find(view: View, tokens: Sequence[Token], cues: int, passed: Sequence[tuple[int, int]]) -> list[Finding]:
    """Find phone numbers, and numbers given as a messenger's."""
    if not cues & Role.DIGITS and len(_DIGIT.findall(view.norm)) < _SHORTEST - 2:
        return []
    findings = _short_ids(view, tokens) if cues & Role.MESSENGER else []
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
    if sum(len(group.digits) for group in groups) >= _SHORTEST:
        yield Run(tuple(groups), plus, area, listed)


def _judge(view: View, tokens: Sequence[Token], run: Run, cues: int) -> tuple[Kind, str] | None:
    norm = view.norm
    before = norm[run.start - 1 : run.start]
    glued = (before.isalpha() and before.isascii()) or before == "_"
    words = _look_around(view, tokens, run)
    shape = shape_of(run)
    if (
        words.unit
        and not words.dial
        and not run.spread
        and not (shape and words.call == 0 and not all(map(is_round, run.groups)))
    ):
        if all(map(is_round, run.groups)):
            return None
        if len(run.groups) == 1:
            return None
        run = Run(run.groups[:-1], run.plus, run.area, run.listed)
        if len(run.digits) < _SHORTEST:
            return None
        shape = shape_of(run)
    digits = run.digits
    if glued and words.call > 0 and words.messenger_at > 0 and not run.spelled:
        return None
    if (
        norm[run.end : run.end + 1].isalpha()
        and norm[run.end : run.end + 1].isascii()
        and not run.spelled
        and shape < SURE
    ):
        return None
    labelled = words.label == 0 or (words.label_after == 0 and (shape < SURE or words.said_after))
    if labelled and not words.dial and not (run.plus and shape == SURE):
        return None
    kind: Kind = words.messenger.kind if words.messenger and words.messenger_at <= 4 else "phone"
    if len(digits) > _LONGEST:
        return _within(run, words, kind)
    if _FILE_ENDING.match(norm, run.end) and words.call > 0:
        return None
    if shape == SURE:
        return kind, "phone.shape"
    if words.dial and len(digits) >= _SHORTEST:
        return kind, "phone.dial"
    nearest_label = min(words.label, words.label_after if words.label_after == 0 else 99)
    if words.messenger and words.messenger_at <= 6:
        version = words.messenger_at == 0 and glued and shape < SURE  # "v10.0.19045" and "wx200"
        if not words.messenger.shy or run.plus or (shape and not version):
            return kind, f"{words.messenger.key}.number"
    if words.call < min(nearest_label, 9):
        return kind, "phone.announced"
    beside = words.beside and nearest_label > 2 and not all(map(is_round, run.groups))
    if beside and (shape or len(digits) <= 8):
        return kind, "phone.announced"
    if run.disguised and not run.counts_up and not (run.listed and shape < SURE):
        two_words = shape < FORMATTED and len(digits) <= 8 and "," in norm[run.start : run.end]
        if (shape and not two_words) or len(digits) >= 9 or words.weak < 9 or cues & Role.CALL:
            return kind, "phone.disguised"
    if shape == FORMATTED and words.weak < nearest_label:
        return kind, "phone.formatted"
    if nearest_label <= 3:
        return None
    if shape == FORMATTED:
        return kind, "phone.formatted"
    proven = trade.known(digits)
    wanted = words.weak <= 1 or (not proven and (words.weak <= 3 or cues & Role.CALL))
    if shape == _POSSIBLE and len(digits) >= 9 and wanted:
        return kind, "phone.possible"
    return None


def _within(run: Run, words: _Words, kind: Kind) -> tuple[Kind, str] | None:
    """Judge a run that is too long for one number: it may hold one."""
    groups = run.groups
    if len(groups) > 3 and len({len(group.digits) for group in groups}) == 1 and words.call > 0:
        return None  # a list of sizes
    for first in range(len(groups)):
        for last in range(first + 1, min(first + 8, len(groups)) + 1):
            part = Run(groups[first:last], run.plus and first == 0)
            if first > 0 and last < len(groups) and words.call > 0:
                continue
            if _SHORTEST <= len(part.digits) <= _LONGEST and (
                shape_of(part) >= FORMATTED or (shape_of(part) and words.call < 9)
            ):
                return kind, "phone.within"
    return None


def shape_of(run: Run) -> int:
    """Say how sure the digits and their groups alone are: `SURE`, `FORMATTED`, `_POSSIBLE` or 0."""
    digits = run.digits
    if not _SHORTEST <= len(digits) <= _LONGEST:
        return 0
    if run.plus and len(digits) >= 8 and _possible("+" + digits):
        return SURE
    if digits.startswith("00") and len(digits) >= 11 and digits[2] != "0" and _possible("+" + digits[2:]):
        return SURE if not trade.known(digits) else FORMATTED
    if _CHINESE_MOBILE.fullmatch(digits):
        return SURE
    grouped = " ".join(group.digits for group in run.groups)
    if run.area and (_NANP.fullmatch(digits) or digits.startswith("0")) and len(digits) >= 9:
        return FORMATTED
    if (
        len(run.groups) > 1
        and 9 <= len(digits) <= 13
        and not run.spread
        and not all(map(is_round, run.groups))
    ):
        if any(shape.fullmatch(grouped) for shape in _SHAPES):
            return FORMATTED
    if _MOBILE.fullmatch(digits):
        return FORMATTED if not trade.known(digits) and run.groups[0].digits != "0" else _POSSIBLE
    if (
        _NANP.fullmatch(digits)
        or (digits.startswith("0") and 9 <= len(digits) <= 12)
        or _COUNTRY.fullmatch(digits)
    ):
        grouped_by_country = len(run.groups) > 1 and len(digits) >= 11 and _COUNTRY.fullmatch(digits)
        return FORMATTED if grouped_by_country and _is_country(run.groups[0].digits) else _POSSIBLE
    if 8 <= len(digits) <= 11 and digits[0] in "23456789":
        return _POSSIBLE
    return 0


def is_round(group: Group) -> bool:
    """Tell whether digits are an amount rather than a part of a number: 500, 1200."""
    return group.digits.endswith("0") and not group.digits.startswith("0")


def _is_country(digits: str) -> bool:
    return int(digits) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE


def _possible(number: str) -> bool:
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(number, None))
    except phonenumbers.NumberParseException:
        return False


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


def _look_around(view: View, tokens: Sequence[Token], run: Run) -> _Words:
    norm = view.norm
    first = bisect.bisect_right(tokens, run.start, key=lambda token: token.end)
    last = first
    while last < len(tokens) and tokens[last].start < run.end:
        last += 1
    call = weak = label = label_after = messenger_at = 99
    messenger: messengers.Messenger | None = None
    dial = unit = hash_sign = False
    distance = 0
    ended = False
    for token in reversed(tokens[max(0, first - 14) : first]):
        role = token.role
        if role & Role.CALL:
            call = min(call, distance)
        if role & Role.MESSENGER and messenger is None:
            found = messengers.named(token.word)
            version = token.end != run.start and norm[token.end].isdigit()  # "v2.2024-11-18"
            if found and not (found.shy and version):
                messenger, messenger_at = found, distance
        if role & Role.CALL_WEAK:
            weak = min(weak, distance)
        if role & Role.LABEL and not role & Role.CALL:
            label = min(label, distance + (4 if ended else 0))
        if role & Role.DIAL:
            dial = dial or distance <= 3
        if token.word == "#" and token.end == tokens[first - 1].end and token.end == run.start:
            hash_sign = True
        if _ends_sentence(norm, token):
            distance += 2
            ended = True
        elif (
            token.word[0].isalpha() and not token.digits and not role & (Role.NUMBER | Role.LINK)
        ) or role & Role.LABEL:
            distance += 1
    beside = weak == 0
    if (
        norm[run.end : run.end + 2].lstrip().startswith("(")
        and last + 2 < len(tokens)
        and tokens[last + 2].word == ")"
    ):
        dial = bool(tokens[last + 1].role & (Role.CALL | Role.CALL_WEAK | Role.MESSENGER))
    if hash_sign and call > 0 and weak > 0:
        label = 0
    if _numbered(view, tokens, first):
        label = 0
    distance = 0
    said = meant = False
    punctuated = False
    for offset, token in enumerate(tokens[last : last + 14]):
        role = token.role
        if offset == 0 and role & Role.UNIT and not role & (Role.CALL | Role.LINK):
            unit = True
        meant = meant or bool(role & Role.IS)
        if role & Role.DIAL or (role & Role.MINE and distance <= (_FAR if meant else 1)):
            dial = True
        if role & Role.CALL:
            call = min(call, distance + 1)
        if role & Role.CALL_WEAK:
            weak = min(weak, distance)
        if role & Role.MESSENGER and messenger is None:
            found = messengers.named(token.word)
            if found and not (found.shy and norm[token.end : token.end + 1].isdigit()):
                messenger, messenger_at = found, distance + 1
        if role & Role.LABEL and not role & Role.CALL and not punctuated:
            label_after = min(label_after, distance)
        said = said or (label_after == 99 and bool(role & Role.IS))
        if token.word[0].isalpha() and not role & (Role.NUMBER | Role.LINK):
            distance += 1
        elif _ends_sentence(norm, token):
            distance += 2
        punctuated = punctuated or token.word in ",.;:!?()"
    return _Words(call, weak, beside, label, label_after, said, dial, unit, messenger, messenger_at)


_MEETING = re.compile(r"\d{3}[ -]?\d{3,4}[ -]?\d{3,4}(?:[ -]?\d{2,3})?(?!\d)")
_QQ = re.compile(r"[1-9]\d{4,10}(?![\d\-])")
_NEAR = 8
_SHORTEST_AFTER_SHY = 8  # "Q: 12500 pcs?" is a question


def _short_ids(view: View, tokens: Sequence[Token]) -> list[Finding]:
    """Find numbers that are no phone's but a messenger's: QQ numbers, meeting ids."""
    findings = []
    for place, token in enumerate(tokens):
        if not token.role & Role.MESSENGER:
            continue
        messenger = messengers.named(token.word)
        if messenger is None or messenger.number not in ("qq", "meeting"):
            continue
        pattern = _QQ if messenger.number == "qq" else _MEETING
        for offset, near in enumerate(tokens[place + 1 : place + _NEAR]):
            if near.digits and near.word.isdigit():
                match = pattern.match(view.norm, near.start)
                if match and messenger.shy and len(near.word) < _SHORTEST_AFTER_SHY:
                    break
                glued = view.norm[near.start - 1] == "-" and offset == 1
                if match and not glued:
                    first, last = view.span(*match.span())
                    findings.append(Finding(messenger.kind, first, last, f"{messenger.key}.id"))
                break
            if not (
                near.role & (Role.LINK | Role.ID | Role.MESSENGER | Role.NUMBER | Role.MEETING)
                or not near.word[0].isalnum()
            ):
                break
    return findings


def _assembled(view: View, tokens: Sequence[Token], cues: int) -> list[Finding]:
    """Find a number whose parts stand all over a text that asks to put them together."""
    groups = [token for token in tokens if token.digits]
    digits = "".join(token.digits for token in groups)
    if (
        not cues & (Role.CALL | Role.CALL_WEAK | Role.DIAL)
        or not _SHORTEST <= len(digits) <= _LONGEST
        or len(groups) < 2
    ):
        return []
    first, last = view.span(groups[0].start, groups[-1].end)
    return [Finding("phone", first, last, "phone.assembled")]
