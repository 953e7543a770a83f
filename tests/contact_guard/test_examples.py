"""The labelled lines: what must be found and what must pass."""

from pathlib import Path

import pytest

from shared.contact_guard import scoring
from shared.contact_guard.scoring import Score

DATA = Path(__file__).parent / "data"


def scored(*names: str) -> Score:
    lines = [
        line for name in names for line in scoring.read_lines((DATA / name).read_text("utf-8").splitlines())
    ]
    return scoring.score(lines)


@pytest.mark.parametrize("name", ["messages", "sequences", "filenames"])
def test_judges_every_shared_example_rightly(name: str) -> None:
    result = scored(f"shared/{name}.jsonl")

    assert [line.id for line, _ in result.wrong] == []


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("own.jsonl", id="frames in sixteen languages"),
        pytest.param("hard/messages.jsonl", id="disguises and trade talk"),
        pytest.param("tried/messages.jsonl", id="lines written to get through"),
        pytest.param("tried/second.jsonl", id="more lines written to get through"),
        pytest.param("tried/third.jsonl", id="lines in the manner of the shared ones"),
        pytest.param("tried/fourth.jsonl", id="more lines in the manner of the shared ones"),
        pytest.param("tried/filenames.jsonl", id="file names written to get through"),
        pytest.param("unseen/messages.jsonl", id="lines set aside before the rules"),
        pytest.param("unseen/filenames.jsonl", id="file names set aside"),
        pytest.param("unseen2/messages.jsonl", id="second part set aside"),
    ],
)
def test_meets_the_bar(name: str) -> None:
    overall = scored(name).overall

    assert overall.recall is not None
    assert overall.recall >= 0.97
    assert overall.false_positive_rate is not None
    assert overall.false_positive_rate <= 0.01


@pytest.mark.parametrize("name", ["unseen/sequences.jsonl", "hard/sequences.jsonl", "tried/sequences.jsonl"])
def test_finds_split_identifiers_and_passes_every_innocent_series(name: str) -> None:
    overall = scored(name).overall

    assert overall.recall is not None
    assert overall.recall >= 0.9
    assert overall.wrongly_blocked == 0


def test_labels_enough_lines_in_enough_languages() -> None:
    lines = [
        line
        for name in ("own.jsonl", "hard/messages.jsonl", "unseen/messages.jsonl", "unseen2/messages.jsonl")
        for line in scoring.read_lines((DATA / name).read_text("utf-8").splitlines())
    ]

    assert len(lines) >= 1500
    assert len({line.lang for line in lines}) >= 12
