"""What is generated is current, and what is public is described."""

import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator, ValidationError

from docs import generate
from docs.examples import EXAMPLES
from shared.events.base import Fact
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


@pytest.mark.parametrize("fact", EVENTS, ids=lambda fact: fact.type)
def test_the_published_schema_of_an_event_describes_its_envelope_and_data(fact: type[Fact]) -> None:
    documents = [
        yaml.safe_load(path.read_text("utf-8")) for path in (ROOT / "docs" / "asyncapi").glob("*.yaml")
    ]
    channel, *_ = [
        document["channels"][fact.type] for document in documents if fact.type in document["channels"]
    ]
    (message,) = channel["messages"].values()

    payload = message["payload"]

    assert set(payload["required"]) >= {"id", "source", "type", "time", "data"}
    assert payload["properties"]["type"] == {"const": fact.type}
    assert set(payload["properties"]["data"]["properties"]) == set(fact.model_fields)
    assert "$ref" not in str(payload), "it stands alone"
    for example in message["examples"]:
        Draft202012Validator(payload).validate(example["payload"])
        with pytest.raises(ValidationError):
            Draft202012Validator(payload).validate(example["payload"] | {"data": {}})


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
