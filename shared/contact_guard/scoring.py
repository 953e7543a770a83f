"""How well the guard does on labelled lines: what it finds, what it misses, what it blocks for nothing."""

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.contact_guard.finding import Context, Finding
from shared.contact_guard.guard import check

_Z = 1.959963984540054  # of a normal distribution, for 95 %
_WINDOW = 4


class MalformedLineError(ValueError):
    """A line that is no labelled or unlabelled example."""


@dataclass(frozen=True, slots=True)
class Line:
    """One example: a text, the messages of one sender in order, or a file name."""

    id: str
    messages: tuple[str, ...]
    is_filename: bool = False
    blocked: bool | None = None
    category: str = ""
    lang: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the guard says to a line; `message` is the place of the message that was blocked."""

    findings: tuple[Finding, ...] = ()
    message: int = 0

    @property
    def blocked(self) -> bool:
        return bool(self.findings)


@dataclass(slots=True)
class Tally:
    """How often the guard was right, for one language or category."""

    found: int = 0
    missed: int = 0
    passed: int = 0
    wrongly_blocked: int = 0

    def add(self, *, should_block: bool, blocked: bool) -> None:
        """Count one line."""
        if should_block:
            self.found += blocked
            self.missed += not blocked
        else:
            self.wrongly_blocked += blocked
            self.passed += not blocked

    @property
    def recall(self) -> float | None:
        """Give the part of contact lines that was found; None without any."""
        total = self.found + self.missed
        return self.found / total if total else None

    @property
    def false_positive_rate(self) -> float | None:
        """Give the part of harmless lines that was blocked; None without any."""
        total = self.passed + self.wrongly_blocked
        return self.wrongly_blocked / total if total else None


@dataclass(slots=True)
class Score:
    """The tallies of a whole file, and the lines that were judged wrongly."""

    overall: Tally = field(default_factory=Tally)
    by_lang: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    by_category: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    wrong: list[tuple[Line, Verdict]] = field(default_factory=list)


def read_lines(rows: Iterable[str]) -> Iterator[Line]:
    """Read examples, one JSON object a row; empty rows are skipped."""
    for number, row in enumerate(rows, start=1):
        if row.strip():
            try:
                yield _line(json.loads(row))
            except (ValueError, TypeError, KeyError) as error:
                raise MalformedLineError(f"line {number}: {error}") from error


def _line(row: Any) -> Line:
    if not isinstance(row, dict):
        raise TypeError("an object is wanted")
    given = [name for name in ("text", "messages", "filename") if name in row]
    if len(given) != 1:
        raise KeyError("exactly one of text, messages and filename is wanted")
    value = row[given[0]]
    messages = tuple(value) if isinstance(value, list) else (value,)
    if not messages or not all(isinstance(message, str) for message in messages):
        raise TypeError(f"{given[0]} holds no text")
    label = row.get("label")
    if label not in (None, "block", "allow"):
        raise ValueError(f"unknown label {label!r}")
    return Line(
        id=str(row.get("id", "")),
        messages=messages,
        is_filename=given[0] == "filename",
        blocked=None if label is None else label == "block",
        category=row.get("category") or given[0],
        lang=row.get("lang") or "",
    )


def judge(line: Line) -> Verdict:
    """Ask the guard about a line; of several messages the first that is blocked decides."""
    for place, message in enumerate(line.messages):
        context = Context(
            previous=line.messages[max(0, place - _WINDOW) : place], is_filename=line.is_filename
        )
        findings = check(message, context=context)
        if findings:
            return Verdict(tuple(findings), place)
    return Verdict()


def score(lines: Iterable[Line]) -> Score:
    """Judge labelled lines and count."""
    result = Score()
    for line in lines:
        if line.blocked is None:
            raise MalformedLineError(f"{line.id or 'a line'} has no label")
        verdict = judge(line)
        for tally in (result.overall, result.by_lang[line.lang or "-"], result.by_category[line.category]):
            tally.add(should_block=line.blocked, blocked=verdict.blocked)
        if verdict.blocked != line.blocked:
            result.wrong.append((line, verdict))
    return result


def interval(hits: int, total: int) -> tuple[float, float]:
    """Give the 95 % confidence interval of a rate (Wilson's, good for rates near 0 and 1)."""
    if total == 0:
        return 0.0, 1.0
    rate = hits / total
    center = rate + _Z**2 / (2 * total)
    spread = _Z * math.sqrt(rate * (1 - rate) / total + _Z**2 / (4 * total**2))
    scale = 1 + _Z**2 / total
    return max(0.0, (center - spread) / scale), min(1.0, (center + spread) / scale)


def as_json(findings: Sequence[Finding]) -> list[dict[str, str | int]]:
    """Give findings as they are written to JSON."""
    return [{"kind": f.kind, "start": f.start, "end": f.end, "rule": f.rule} for f in findings]
