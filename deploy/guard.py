"""The `millrace guard` commands: score the contact guard on labelled lines, or ask it about new ones."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from shared.contact_guard import check as find_contacts
from shared.contact_guard import scoring
from shared.contact_guard.scoring import Line, Score, Tally, Verdict

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Score the contact guard, or ask it about texts."
)

_BAD_INPUT = 2


@app.command()
def score(
    files: Annotated[list[Path], typer.Argument(metavar="FILE.jsonl...", exists=True, dir_okay=False)],
    min_recall: Annotated[float, typer.Option(help="Fail below this recall.")] = 0.97,
    max_false_positives: Annotated[float, typer.Option(help="Fail above this false-positive rate.")] = 0.01,
) -> None:
    """Print recall and false-positive rate with 95 % intervals, per language and category, and the misses."""
    try:
        lines = [line for file in files for line in scoring.read_lines(file.read_text("utf-8").splitlines())]
        result = scoring.score(lines)
    except scoring.MalformedLineError as error:
        raise _bad_input(error) from error
    _print_score(result)
    recall, wrong = result.overall.recall, result.overall.false_positive_rate
    if (recall is not None and recall < min_recall) or (wrong is not None and wrong > max_false_positives):
        typer.echo(
            f"under the bar: recall at least {min_recall}, false positives at most {max_false_positives}",
            err=True,
        )
        raise typer.Exit(1)


@app.command()
def check(
    *,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Read and write one JSON object a line.")] = False,
) -> None:
    """Judge what comes on standard input: one plain text, or with --jsonl an object with id and text, messages or filename a line."""
    if not jsonl:
        text = sys.stdin.read()
        for finding in find_contacts(text):
            typer.echo(
                f"{finding.kind} {finding.start}-{finding.end} {finding.rule}: {text[finding.start : finding.end]!r}"
            )
        return
    try:
        for line in scoring.read_lines(sys.stdin):
            typer.echo(json.dumps(_answer(line, scoring.judge(line)), ensure_ascii=False))
            sys.stdout.flush()
    except scoring.MalformedLineError as error:
        raise _bad_input(error) from error


def _bad_input(error: Exception) -> typer.Exit:
    typer.echo(str(error), err=True)
    return typer.Exit(_BAD_INPUT)


def _answer(line: Line, verdict: Verdict) -> dict[str, object]:
    answer: dict[str, object] = {
        "id": line.id,
        "blocked": verdict.blocked,
        "findings": scoring.as_json(verdict.findings),
    }
    if verdict.blocked and len(line.messages) > 1:
        answer["message"] = verdict.message
    return answer


def _print_score(result: Score) -> None:
    typer.echo(f"{'':28} {'recall':>28} {'false positives':>32}")
    typer.echo(_row("all", result.overall))
    for title, tallies in (("language", result.by_lang), ("category", result.by_category)):
        typer.echo(f"\nby {title}")
        _print_tallies(tallies)
    typer.echo(f"\n{len(result.wrong)} judged wrongly")
    for line, verdict in result.wrong:
        why = "missed" if line.blocked else "blocked by " + ", ".join(f.rule for f in verdict.findings)
        typer.echo(f"  {line.id} [{line.lang or '-'} {line.category}] {why}: {' / '.join(line.messages)!r}")


def _print_tallies(tallies: Mapping[str, Tally]) -> None:
    for name in sorted(tallies):
        typer.echo(_row(name, tallies[name]))


def _row(name: str, tally: Tally) -> str:
    found = _rate(tally.found, tally.found + tally.missed)
    wrong = _rate(tally.wrongly_blocked, tally.passed + tally.wrongly_blocked)
    return f"{name:28} {found:>28} {wrong:>32}"


def _rate(hits: int, total: int) -> str:
    if not total:
        return "-"
    low, high = scoring.interval(hits, total)
    return f"{hits / total:.3f} [{low:.3f}, {high:.3f}] {hits}/{total}"


if __name__ == "__main__":
    app()
