"""What is written for the builders of quoting systems is what the service does."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from shared.events.base import CloudEvent
from shared.events.orders import QuoteAccepted

DOCS = Path(__file__).parents[2] / "docs" / "integrators"
EXAMPLE = json.loads((DOCS / "quote.accepted.v1.example.json").read_text("utf-8"))
SCHEMA = json.loads((DOCS / "quote.accepted.v1.schema.json").read_text("utf-8"))


def changed(**data: Any) -> dict[str, Any]:
    return EXAMPLE | {"data": EXAMPLE["data"] | data}


def without(name: str) -> dict[str, Any]:
    return EXAMPLE | {"data": {key: value for key, value in EXAMPLE["data"].items() if key != name}}


def test_the_example_fits_the_schema_and_is_understood() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator(SCHEMA).validate(EXAMPLE)

    event = CloudEvent[QuoteAccepted].model_validate(EXAMPLE)

    assert event.data.quote_id == EXAMPLE["subject"] == EXAMPLE["data"]["quote_id"]


def test_only_what_the_page_names_as_needed_is_needed() -> None:
    smallest = {key: EXAMPLE[key] for key in ("specversion", "id", "source", "type", "time")}
    smallest["data"] = {
        key: EXAMPLE["data"][key]
        for key in ("quote_id", "buyer_id", "factory_id", "quantity", "unit_price", "deadline")
    } | {"product": {"name": "Hex bolt"}}

    Draft202012Validator(SCHEMA).validate(smallest)

    assert CloudEvent[QuoteAccepted].model_validate(smallest).data.unit == "pcs"


@pytest.mark.parametrize(
    "event",
    [
        EXAMPLE | {"type": "quote.declined.v1"},
        EXAMPLE | {"specversion": "0.3"},
        EXAMPLE | {"id": ""},
        EXAMPLE | {"data": None},
        without("quote_id"),
        without("buyer_id"),
        without("factory_id"),
        without("product"),
        without("quantity"),
        without("unit_price"),
        without("deadline"),
        changed(quote_id=""),
        changed(quote_id="x" * 101),
        changed(product={}),
        changed(product={"name": "x" * 201}),
        changed(quantity=0),
        changed(quantity=10**9 + 1),
        changed(quantity="5000"),
        changed(quantity=1.5),
        changed(unit="x" * 21),
        changed(unit_price={"amount": 3.2, "currency": "USD"}),
        changed(unit_price={"amount": "3,20", "currency": "USD"}),
        changed(unit_price={"amount": "1e3", "currency": "USD"}),
        changed(unit_price={"amount": "3.20"}),
        changed(deadline=20270131),
        changed(accepted_by=7),
    ],
    ids=lambda event: json.dumps(event)[-60:],
)
def test_what_the_schema_refuses_the_service_refuses_too(event: dict[str, Any]) -> None:
    assert not Draft202012Validator(SCHEMA).is_valid(event)

    with pytest.raises(ValidationError):
        CloudEvent[QuoteAccepted].model_validate_json(json.dumps(event))


def test_the_page_names_every_field() -> None:
    page = (DOCS / "quote-accepted.md").read_text("utf-8")

    for name in (*QuoteAccepted.model_fields, "name", "sku", "specification", "amount", "currency"):
        assert f"`{name}`" in page, name
    assert "orders.quote.accepted.v1.dead" in page
