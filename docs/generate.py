"""Write the documents that are generated from the code; with `--check`, fail if a committed one differs.

docs/openapi/<application>.json   the HTTP API of the gateway and of each service
docs/asyncapi/<service>.yaml      what each application publishes and hears on the broker
docs/events.md                    the catalog of events
docs/settings.md                  every setting of every application
docs/integrators/*.json           what a quoting system must send: JSON Schema and an example
"""

import inspect
import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml
from fastapi import FastAPI
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import PydanticUndefined

from docs.examples import EXAMPLES
from shared.events.base import CloudEvent, Fact
from shared.events.catalog import EVENTS
from shared.events.orders import QuoteAccepted
from shared.messaging import CONTENT_TYPE, queue_for
from shared.messaging import EVENTS as EXCHANGE
from shared.settings import Settings

HERE = Path(__file__).parent
APPLICATIONS = ("gateway", "orders", "chat", "reviews", "notifications")
_STAND_IN = {
    "mongo_url": "mongodb://localhost/",
    "amqp_url": "amqp://localhost/",
    "service_secret": "x" * 32,
    "s3_endpoint": "http://localhost:9000",
    "s3_access_key": "x",
    "s3_secret_key": "x",
}


def main_of(name: str) -> Any:
    return import_module("gateway.main" if name == "gateway" else f"services.{name}.main")


def settings_of(name: str) -> type[Settings]:
    settings: type[Settings] = main_of(name).Settings
    return settings


def app_of(name: str) -> FastAPI:
    settings = settings_of(name)
    required = {field: value for field, value in _STAND_IN.items() if field in settings.model_fields}
    app: FastAPI = main_of(name).create_app(settings.model_validate(required))
    return app


def openapi(name: str) -> str:
    return json.dumps(app_of(name).openapi(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def publisher_of(fact: type[Fact]) -> str:
    return fact.source.rsplit("/", 1)[-1]


def consumers_of(fact: type[Fact]) -> list[str]:
    """List who hears an event: the services' queues, and the gateway where the live stream shows it."""
    heard = []
    for name in APPLICATIONS[1:]:
        router = import_module(f"services.{name}.consumers").router
        if queue_for(name, fact).name in {subscriber.queue.name for subscriber in router.subscribers}:
            heard.append(name)
    return heard


def schema_of(fact: type[Fact]) -> dict[str, Any]:
    """Write the JSON Schema of a whole event, as it stands on the broker."""
    schema = CloudEvent.__class_getitem__(fact).model_json_schema(
        mode="serialization", schema_generator=_OfFields
    )
    schema["properties"]["type"] = {"const": fact.type}
    return schema


class _OfFields(GenerateJsonSchema):
    """The envelope leaves out what is absent by a function, of which a schema could say nothing."""

    def ser_schema(self, schema: Any) -> Any:
        return None if schema["type"] == "function-wrap" else super().ser_schema(schema)


def inlined(schema: Any, defs: dict[str, Any] | None = None) -> Any:
    """Put definitions where they are used: tools disagree on what `#` means in a document inside another."""
    if isinstance(schema, list):
        return [inlined(each, defs) for each in schema]
    if not isinstance(schema, dict):
        return schema
    defs = schema.get("$defs", {}) if defs is None else defs
    own = {name: inlined(value, defs) for name, value in schema.items() if name not in {"$defs", "$ref"}}
    if "$ref" not in schema:
        return own
    return inlined(defs[schema["$ref"].removeprefix("#/$defs/")], defs) | own


def asyncapi(name: str) -> str:
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for fact in EVENTS:
        sends, hears = publisher_of(fact) == name, name in consumers_of(fact)
        if not (sends or hears):
            continue
        channels[fact.type] = {
            "address": fact.type,
            "description": inspect.getdoc(fact),
            "messages": {fact.__name__: _message(fact)},
            "bindings": {
                "amqp": {
                    "is": "routingKey",
                    "exchange": {"name": EXCHANGE.name, "type": "topic", "durable": True},
                }
            },
        }
        reference = {"$ref": f"#/channels/{fact.type}"}
        if sends:
            operations[f"publish_{fact.type}"] = {"action": "send", "channel": reference}
        if hears:
            queue = {"name": queue_for(name, fact).name, "durable": True}
            operations[f"hear_{fact.type}"] = {
                "action": "receive",
                "channel": reference,
                "bindings": {"amqp": {"ack": True}},
                "x-queue": queue,
            }
    document = {
        "asyncapi": "3.0.0",
        "info": {
            "title": f"millrace {name}",
            "version": "1",
            "description": "Events as CloudEvents 1.0 in structured JSON mode, at least once, on one topic exchange.",
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": channels,
        "operations": operations,
    }
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)


def sent_by_others(fact: type[Fact]) -> str:
    """Write the JSON Schema by which a system outside can check what it sends."""
    schema = CloudEvent.__class_getitem__(fact).model_json_schema(mode="validation")
    schema["properties"]["type"] = {"const": fact.type}
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:millrace:event:{fact.type}",
        "title": fact.type,
        "description": inspect.getdoc(fact),
    }
    return json.dumps(head | schema | {"title": fact.type}, indent=2, ensure_ascii=False) + "\n"


def example_of(fact: type[Fact]) -> str:
    return json.dumps(json.loads(EXAMPLES[fact].model_dump_json()), indent=2, ensure_ascii=False) + "\n"


def _message(fact: type[Fact]) -> dict[str, Any]:
    return {
        "name": fact.type,
        "title": fact.__name__,
        "contentType": CONTENT_TYPE,
        "payload": inlined(schema_of(fact)),
        "examples": [{"name": fact.type, "payload": json.loads(EXAMPLES[fact].model_dump_json())}],
    }


def events() -> str:
    lines = [
        "# Events",
        "",
        "Generated from `shared/events/catalog.py`; do not edit. The schemas with examples are in `asyncapi/`.",
        "",
        "| event | meaning | published by | heard by |",
        "|---|---|---|---|",
    ]
    for fact in EVENTS:
        meaning = (inspect.getdoc(fact) or "").split("\n\n")[0].replace("\n", " ")
        heard = ", ".join(consumers_of(fact)) or "–"
        lines.append(f"| `{fact.type}` | {meaning} | {publisher_of(fact)} | {heard} |")
    lines.append("")
    for fact in EVENTS:
        lines += [f"## `{fact.type}`", "", "| field of `data` | type |", "|---|---|"]
        schema = fact.model_json_schema(mode="serialization")
        lines += [
            f"| `{name}` | {_type_name(of)}{'' if fact.model_fields[name].is_required() else ', optional'} |"
            for name, of in schema["properties"].items()
        ]
        lines.append("")
    return "\n".join(lines)


def settings() -> str:
    lines = [
        "# Settings",
        "",
        "Generated from the applications; do not edit. Every setting is an environment variable; one without a",
        "default must be set. A missing or wrong one stops the start with one line that names it.",
        "",
        "| variable | of | default | meaning |",
        "|---|---|---|---|",
    ]
    found: dict[tuple[str, str, str], list[str]] = {}
    for name in APPLICATIONS:
        for field_name, field in settings_of(name).model_fields.items():
            default = "–" if field.default is PydanticUndefined else f"`{_default(field.default)}`"
            row = (f"`MILLRACE_{field_name.upper()}`", default, field.description or "")
            found.setdefault(row, []).append(name)
    for (variable, default, meaning), names in found.items():
        of = "all" if len(names) == len(APPLICATIONS) else ", ".join(names)
        lines.append(f"| {variable} | {of} | {default} | {meaning} |")
    return "\n".join(lines) + "\n"


def _default(value: Any) -> str:
    if hasattr(value, "total_seconds"):
        seconds = int(value.total_seconds())
        for size, form in ((86400, "P{}D"), (3600, "PT{}H"), (60, "PT{}M")):
            if seconds % size == 0:
                return form.format(seconds // size)
        return f"PT{value.total_seconds():g}S"
    return "" if value is None else str(value)


def _type_name(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_type_name(option) for option in schema["anyOf"])
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[-1])
    if "items" in schema:
        return f"list of {_type_name(schema['items'])}"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    return str(schema.get("format") or schema.get("const") or schema.get("type", "anything"))


def documents() -> dict[Path, str]:
    """Make every generated document anew."""
    made = {HERE / "openapi" / f"{name}.json": openapi(name) for name in APPLICATIONS}
    made |= {HERE / "asyncapi" / f"{name}.yaml": asyncapi(name) for name in APPLICATIONS}
    quote = f"{QuoteAccepted.type}.{{}}.json"
    made |= {
        HERE / "integrators" / quote.format("schema"): sent_by_others(QuoteAccepted),
        HERE / "integrators" / quote.format("example"): example_of(QuoteAccepted),
    }
    return made | {HERE / "events.md": events(), HERE / "settings.md": settings()}


def main() -> int:
    differing = [
        path for path, text in documents().items() if not path.exists() or path.read_text("utf-8") != text
    ]
    if "--check" in sys.argv:
        for path in differing:
            print(f"{path.relative_to(HERE.parent)} is out of date: run `make docs`")
        return 1 if differing else 0
    for path, text in documents().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
