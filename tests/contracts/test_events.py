"""Within a version an event's schema only grows, by optional fields."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from docs.examples import EXAMPLES
from docs.generate import schema_of
from shared.events.base import Fact
from shared.events.catalog import EVENTS

FROZEN = Path(__file__).parent / "schemas"


@pytest.mark.parametrize("fact", EVENTS, ids=lambda fact: fact.type)
def test_a_schema_keeps_what_it_promised(fact: type[Fact]) -> None:
    path = FROZEN / f"{fact.type}.json"
    if not path.exists():  # a new event: what it promises from now on is written here, to be committed
        path.write_text(
            json.dumps(schema_of(fact), indent=1, ensure_ascii=False, sort_keys=True) + "\n", "utf-8"
        )
        pytest.fail(f"{path.name} was missing and has been written; commit it")

    broken = list(_broken(json.loads(path.read_text("utf-8")), schema_of(fact), ""))

    assert broken == [], "publish a new version of the event instead"


@pytest.mark.parametrize("fact", EVENTS, ids=lambda fact: fact.type)
def test_the_example_fits_the_frozen_schema(fact: type[Fact]) -> None:
    schema = json.loads((FROZEN / f"{fact.type}.json").read_text("utf-8"))
    event = json.loads(EXAMPLES[fact].model_dump_json())

    Draft202012Validator(schema).validate(event)

    assert event["type"] == fact.type
    assert ("sequence" in event) == (
        fact.type.split(".")[0] in {"order", "message"} and "blocked" not in fact.type
    )


def _broken(old: Any, new: Any, at: str) -> Any:
    """Tell where a schema takes back what it promised: a property, its being there, its type or a value."""
    if isinstance(old, dict) and isinstance(new, dict):
        if gone := set(old.get("required", [])) - set(new.get("required", [])):
            yield f"{at}: no longer always there: {sorted(gone)}"
        for key in ("properties", "$defs"):
            for name, before in old.get(key, {}).items():
                if name not in new.get(key, {}):
                    yield f"{at}/{key}/{name} is gone"
                else:
                    yield from _broken(before, new[key][name], f"{at}/{key}/{name}")
        for key in ("type", "const", "format", "$ref"):
            if key in old and old[key] != new.get(key):
                yield f"{at}/{key}: {old[key]!r} became {new.get(key)!r}"
        if "items" in old:
            yield from _broken(old["items"], new.get("items", {}), f"{at}/items")
