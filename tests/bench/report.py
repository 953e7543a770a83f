"""What was measured, as a table for people (Markdown), for programs (JSON) and as a picture (SVG)."""

import json
import platform
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from importlib.metadata import version
from math import log10
from pathlib import Path
from typing import Any, Literal

import psutil

PACKAGES = (
    "fastapi",
    "faststream",
    "aio-pika",
    "aiohttp",
    "motor",
    "pymongo",
    "pydantic",
    "uvicorn",
    "uvloop",
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One measurement: one value a round, and the reference's beside it where there is one."""

    name: str
    unit: str
    suite: list[float]
    reference: list[float] = field(default_factory=list)
    against: str = ""
    goal: float | None = None
    """Of the ratio where there is a reference, else of the value."""
    better: Literal["more", "less"] = "more"
    note: str = ""

    @property
    def ratios(self) -> list[float]:
        if not self.reference:
            return []
        return [ours / theirs for ours, theirs in zip(self.suite, self.reference, strict=True)]

    @property
    def measured(self) -> float:
        """What the goal is about."""
        return statistics.median(self.ratios or self.suite)

    @property
    def is_met(self) -> bool | None:
        if self.goal is None:
            return None
        return self.measured >= self.goal if self.better == "more" else self.measured <= self.goal


def table(rows: Sequence[Row]) -> str:
    lines = [
        "| scenario | unit | suite | reference | ratio | goal | met |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        sign = {"more": "≥", "less": "≤"}[row.better]
        goal = "" if row.goal is None else f"{sign} {row.goal:g}{'' if row.ratios else f' {row.unit}'}"
        met = {None: "", True: "yes", False: "**no**"}[row.is_met]
        cells = (
            row.name + (f" ({row.note})" if row.note else ""),
            row.unit,
            _spread(row.suite),
            _spread(row.reference) + (f" {row.against}" if row.against else ""),
            _spread(row.ratios),
            goal,
            met,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def costs_table(costs: dict[str, Any]) -> str:
    programs = list(dict.fromkeys(program for cost in costs.values() for program in cost.milliseconds))
    lines = [
        f"| a call, and all that follows from it | {' | '.join(programs)} | together | database commands |",
        f"|---|{'---:|' * (len(programs) + 2)}",
    ]
    for name, cost in costs.items():
        each = [f"{cost.milliseconds.get(program, 0):.1f}" for program in programs]
        total = sum(cost.milliseconds.values())
        lines.append(f"| {name} | {' | '.join(each)} | {total:.1f} | {cost.commands:.1f} |")
    return "\n".join(lines)


def _spread(values: list[float]) -> str:
    if not values:
        return ""
    middle = _short(statistics.median(values))
    return middle if len(values) == 1 else f"{middle} ({_short(min(values))} – {_short(max(values))})"


def _short(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def machine() -> dict[str, Any]:
    ask = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(ask, capture_output=True, text=True, check=False)
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip(),
        "processors": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
    }


def picture(rows: Sequence[Row]) -> str:
    """Draw how far each ratio is from its goal: the goal is the line in the middle, better is right of it."""
    shown = [row for row in rows if row.goal and row.measured]
    height, left, width = 26, 430, 860
    scale = (width - left) / 2
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width + 90}" height="{height * len(shown) + 50}" '
            'font-family="sans-serif" font-size="13">'
        ),
        f'<rect width="{width + 90}" height="{height * len(shown) + 50}" fill="white"/>',
        f'<text x="{left + scale}" y="18" text-anchor="middle" fill="#444">goal</text>',
        f'<text x="{width}" y="18" text-anchor="end" fill="#444">ten times better</text>',
        f'<text x="{left}" y="18" fill="#444">ten times worse</text>',
    ]
    for number, row in enumerate(shown):
        assert row.goal is not None
        score = row.measured / row.goal if row.better == "more" else row.goal / row.measured
        end = left + scale * (1 + max(-1.0, min(1.0, log10(score))))
        middle, y = left + scale, 28 + number * height
        color = "#2a7d4f" if row.is_met else "#b4442f"
        parts += [
            f'<text x="{left - 10}" y="{y + 15}" text-anchor="end" fill="#222">{escape(row.name)}</text>',
            f'<rect x="{min(middle, end):.1f}" y="{y + 3}" width="{abs(end - middle):.1f}" height="16" fill="{color}"/>',
            f'<text x="{max(middle, end) + 6:.1f}" y="{y + 15}" fill="#222">{_short(row.measured)}</text>',
        ]
    bottom = 28 + len(shown) * height
    parts.append(f'<line x1="{left + scale}" y1="24" x2="{left + scale}" y2="{bottom}" stroke="#222"/>')
    return "\n".join([*parts, "</svg>", ""])


def write(
    folder: Path, *, name: str, title: str, rows: Sequence[Row], costs: dict[str, Any], facts: dict[str, Any]
) -> None:
    """Write `<name>.md`, `<name>.json` and `<name>.svg`."""
    folder.mkdir(parents=True, exist_ok=True)
    where = machine()
    about = where | facts
    text = [
        f"# {title}",
        "",
        f"Written by `make bench` at {where['at']} (commit {where['commit']}), on {where['processors']} processors and "
        f"{where['memory_gib']} GiB, {where['system']}, Python {where['python']}; "
        + ", ".join(f"{package} {number}" for package, number in where["packages"].items())
        + ".",
        "",
        *(f"- {key}: {value}" for key, value in facts.items()),
        "",
        (
            "Each value is the median of the rounds, with the least and the greatest behind it; a round runs the suite and its "
            "reference one after the other, and a ratio is of the two in one round. Load and all servers share the processors."
        ),
        "",
        table(rows),
        "",
        f"![how far each is from its goal]({name}.svg)",
        "",
    ]
    if costs:
        text += [
            "## What a call costs",
            "",
            "Milliseconds of processor time in each program.",
            "",
            costs_table(costs),
            "",
        ]
    (folder / f"{name}.md").write_text("\n".join(text), "utf-8")
    found = {
        "about": about,
        "rows": [vars(row) | {"ratios": row.ratios, "met": row.is_met} for row in rows],
        "costs": {key: vars(cost) for key, cost in costs.items()},
    }
    (folder / f"{name}.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")
    (folder / f"{name}.svg").write_text(picture(rows), "utf-8")
