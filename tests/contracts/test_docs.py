"""What is generated is current, and what is public is described."""

import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

from docs import generate
from docs.examples import EXAMPLES
from shared.events.catalog import EVENTS

ROOT = Path(__file__).parents[2]


def test_generated_documents_are_current() -> None:
    differing = [
        str(path.relative_to(ROOT))
        for path, text in generate.documents().items()
        if not path.exists() or path.read_text("utf-8") != text
    ]

    assert differing == [], "run `make docs` and commit what it writes"


def test_every_event_has_a_meaning_and_an_example() -> None:
    assert set(EXAMPLES) == set(EVENTS)
    assert [fact for fact in EVENTS if not inspect.getdoc(fact)] == []


@pytest.mark.parametrize("name", generate.APPLICATIONS)
def test_every_setting_says_what_it_is_for(name: str) -> None:
    fields = generate.settings_of(name).model_fields

    assert [field for field, info in fields.items() if not info.description] == []


def test_a_missing_setting_stops_the_start_with_one_clear_line() -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "MILLRACE_MONGO_URL": "mongodb://x/",
        "MILLRACE_AMQP_URL": "amqp://x/",
    }
    started = subprocess.run(
        [sys.executable, "-m", "services.orders.main"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        check=False,
    )

    assert started.returncode == 2
    assert started.stderr.decode().splitlines() == ["MILLRACE_SERVICE_SECRET: Field required"]
