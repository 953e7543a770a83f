"""Listen on the broker, and check every event against the committed AsyncAPI documents."""

import json
from pathlib import Path
from typing import Any, Self

import aio_pika
import yaml
from aio_pika.abc import AbstractIncomingMessage
from jsonschema import Draft202012Validator

DOCUMENTS = Path(__file__).parents[2] / "docs" / "asyncapi"


class EventChecker:
    """Reads everything that is published on `millrace.events` as long as its context lasts."""

    def __init__(self, amqp_url: str) -> None:
        self._url = amqp_url
        self._schemas: dict[str, Any] = {}
        for path in DOCUMENTS.glob("*.yaml"):
            for channel in yaml.safe_load(path.read_text("utf-8"))["channels"].values():
                (message,) = channel["messages"].values()
                self._schemas[channel["address"]] = message["payload"]
        self.events: list[Any] = []
        self._known = set[str]()
        self.failures: list[str] = []
        self.checked = 0

    async def __aenter__(self) -> Self:
        self._connection = await aio_pika.connect(self._url)
        channel = await self._connection.channel()
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind("millrace.events", routing_key="#")
        await queue.consume(self._check, no_ack=True)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        await self._connection.close()
        if kind is None:
            assert not self.failures, "\n".join(self.failures)

    def types_of(self, order_id: str) -> list[str]:
        return [event["type"] for event in self.events if event.get("subject") == order_id]

    async def _check(self, message: AbstractIncomingMessage) -> None:
        event = json.loads(message.body)
        # A service that is slow to note what it has published does it again.
        if event["id"] not in self._known:
            self._known.add(event["id"])
            self.events.append(event)
        self.checked += 1
        if message.routing_key not in self._schemas:
            self.failures.append(f"{message.routing_key} is in no AsyncAPI document")
            return
        validator = Draft202012Validator(
            self._schemas[message.routing_key], format_checker=Draft202012Validator.FORMAT_CHECKER
        )
        self.failures += [f"{message.routing_key}: {error.message}" for error in validator.iter_errors(event)]
        if message.content_type != "application/cloudevents+json":
            self.failures.append(f"{message.routing_key} came as {message.content_type}")
        if event["type"] != message.routing_key or message.message_id != event["id"]:
            self.failures.append(f"{message.routing_key}: envelope and message disagree")
