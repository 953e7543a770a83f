"""The score and the commands that print it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.guard import app
from shared.contact_guard import scoring

RUN = CliRunner()


def rows(*lines: object) -> str:
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def test_the_interval_of_a_perfect_score_is_not_a_point() -> None:
    low, high = scoring.interval(120, 120)

    assert 0.96 < low < 0.98
    assert high == 1.0
    assert scoring.interval(0, 0) == (0.0, 1.0)


def test_answers_texts_messages_and_file_names_line_by_line() -> None:
    given = rows(
        {"id": "a", "text": "call +1 202 555 0143"},
        {"id": "b", "messages": ["my cell is", "646", "555", "0177"]},
        {"id": "c", "filename": "IMG_20241118_093012.jpg"},
    )

    result = RUN.invoke(app, ["check", "--jsonl"], input=given)

    first, second, third = map(json.loads, result.stdout.splitlines())
    assert first["id"] == "a"
    assert first["blocked"] is True
    assert first["findings"] == [{"kind": "phone", "start": 5, "end": 20, "rule": "phone.shape"}]
    assert (second["blocked"], second["message"]) == (True, 3)
    assert third == {"id": "c", "blocked": False, "findings": []}


@pytest.mark.parametrize("bad", ["{", "[]", '{"id": "x"}', '{"text": 3}', '{"text": "a", "filename": "b"}'])
def test_names_the_line_that_cannot_be_read(bad: str) -> None:
    result = RUN.invoke(app, ["check", "--jsonl"], input=rows({"id": "a", "text": "ok"}) + bad + "\n")

    assert result.exit_code == 2
    assert "line 2" in result.stderr


def test_judges_plain_text_too() -> None:
    result = RUN.invoke(app, ["check"], input="mail a.b@example.com\nor call 202-555-0143")

    assert "email" in result.stdout
    assert "'202-555-0143'" in result.stdout


def test_prints_rates_with_intervals_and_the_misses(tmp_path: Path) -> None:
    file = tmp_path / "lines.jsonl"
    file.write_text(
        rows(
            {"id": "a", "text": "call +1 202 555 0143", "label": "block", "category": "phone", "lang": "en"},
            {"id": "b", "text": "nothing to see", "label": "block", "category": "riddle", "lang": "en"},
            {"id": "c", "text": "12 pcs", "label": "allow", "category": "quantity", "lang": "de"},
        ),
        "utf-8",
    )

    result = RUN.invoke(app, ["score", str(file)])

    assert result.exit_code == 1
    assert "0.500 [0.095, 0.905] 1/2" in result.stdout
    assert "b [en riddle] missed: 'nothing to see'" in result.stdout
    assert "under the bar" in result.stderr


def test_refuses_to_score_lines_without_labels(tmp_path: Path) -> None:
    file = tmp_path / "lines.jsonl"
    file.write_text(rows({"id": "a", "text": "hello"}), "utf-8")

    result = RUN.invoke(app, ["score", str(file)])

    assert result.exit_code == 2
    assert "a has no label" in result.stderr
