"""Pydantic's errors in words for whoever sent the value, and knows nothing of Python."""

from collections.abc import Mapping
from typing import Any


def of(error: Mapping[str, Any]) -> str:
    """Say what is wrong with a value; `error` has to come with its context."""
    kind, facts = error["type"], error.get("ctx", {})
    if kind in {"too_long", "too_short"}:
        # A text whose other checks pydantic cannot see through is a "value" that has "items".
        unit = "character" if facts["field_type"] == "Value" else "item"
        bound, count = ("most", facts["max_length"]) if kind == "too_long" else ("least", facts["min_length"])
        return f"Should have at {bound} {count} {unit}{'' if count == 1 else 's'}"
    if kind in {"tuple_type", "list_type"}:
        return "Input should be a list"
    if kind in {"model_type", "model_attributes_type"}:
        return "Input should be an object"
    message: str = error["msg"]
    return message.removeprefix("Value error, ")
