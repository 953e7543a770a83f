"""An event as CloudEvents 1.0 writes it, with a frozen payload."""

from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)


def rfc3339(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("needs a time zone")
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is before or after all the dates there are") from error


Instant = Annotated[
    datetime, AfterValidator(_aware), PlainSerializer(rfc3339, return_type=str, when_used="json")
]
"""An instant: RFC 3339 in UTC with `Z` in JSON."""


class Fact(BaseModel):
    """What an event tells: its `data`. A subclass names its type and who publishes it.

    Unknown fields are ignored when read, so that an old consumer survives a new optional field.
    """

    model_config = ConfigDict(frozen=True)

    type: ClassVar[str]
    source: ClassVar[str]

    @property
    def subject(self) -> str | None:
        """Name what the event is about: the order's id wherever there is an order."""
        raise NotImplementedError

    @property
    def sequence(self) -> int | None:
        """Order the events of one subject: `None` where no order is promised."""
        return None


FactT = TypeVar("FactT", bound=Fact)


class CloudEvent(BaseModel, Generic[FactT]):
    """The envelope, in structured JSON mode."""

    model_config = ConfigDict(frozen=True)

    specversion: Literal["1.0"] = "1.0"
    id: Annotated[str, Field(min_length=1)]
    source: Annotated[str, Field(min_length=1)]
    type: Annotated[str, Field(min_length=1)]
    subject: str | None = None
    time: Instant
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: str | None = None
    sequence: int | None = None
    correlationid: str | None = None
    traceparent: str | None = None
    data: FactT

    @model_validator(mode="after")
    def _is_of_the_expected_type(self) -> "CloudEvent[FactT]":
        if self.type != self.data.type:
            raise ValueError(f"type is {self.type!r}, expected {self.data.type!r}")
        return self

    @model_serializer(mode="wrap")
    def _leave_out_absent_attributes(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in handler(self).items() if value is not None}


def seal(
    fact: FactT, *, event_id: str, now: datetime, correlation_id: str | None, traceparent: str | None
) -> CloudEvent[FactT]:
    """Put a fact into its envelope."""
    envelope: type[CloudEvent[FactT]] = _envelope(type(fact))
    return envelope(
        id=event_id,
        source=fact.source,
        type=fact.type,
        subject=fact.subject,
        time=now,
        dataschema=f"urn:millrace:event:{fact.type}",
        sequence=fact.sequence,
        correlationid=correlation_id,
        traceparent=traceparent,
        data=fact,
    )


@cache
def _envelope(fact: type[Fact]) -> Any:
    # Pydantic forgets a model that nobody holds, and then makes it anew for each event.
    return CloudEvent.__class_getitem__(fact)
