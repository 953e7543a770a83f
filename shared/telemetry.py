"""JSON logs on stdout, the request id that ties log lines and events together, and traces."""

import hashlib
import logging
import re
import secrets
import sys
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import Any, Final

import orjson
import structlog
from opentelemetry import propagate, trace

from shared.ids import new_id

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The request that caused what runs now: a caller's `X-Request-ID`, an event's `correlationid`."""

# What fits into a header, an AMQP property and a log line. Names from outside that do not are no names.
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,128}")

_tracer: Final = trace.get_tracer("millrace")
_TRACEPARENT: Final = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_UNTRACED: Final = nullcontext()
# What came with a request or an event, where this process sends no traces and only hands it on.
_carried: ContextVar[str | None] = ContextVar("carried", default=None)


def set_up(*, name: str, level: str, otlp_endpoint: str | None) -> None:
    """Send every log line of the process to stdout as one JSON object, and traces to a collector if there is one."""
    shared_processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        _add_request,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared_processors, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared_processors,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=_to_json),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    logging.captureWarnings(True)  # or Python writes them beside the JSON, as text
    structlog.contextvars.bind_contextvars(service=name)
    for chatty in ("aio_pika", "aiormq", "pymongo", "urllib3", "aiohttp.access"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
    if otlp_endpoint:
        _send_traces(name, otlp_endpoint)


def _send_traces(name: str, otlp_endpoint: str) -> None:
    # Imported here because it takes 7 MiB of each process, and most send no traces.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    provider = TracerProvider(resource=Resource.create({"service.name": f"millrace-{name}"}))
    provider.add_span_processor(
        BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{otlp_endpoint.rstrip('/')}/v1/traces"))
    )
    trace.set_tracer_provider(provider)


def span(
    name: str, *, parent: str, kind: trace.SpanKind = trace.SpanKind.INTERNAL
) -> AbstractContextManager[Any]:
    """Begin a span, below the one that a `traceparent` names; while nothing is traced, only hand that on."""
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return _Carrying(parent) if _TRACEPARENT.fullmatch(parent) else _UNTRACED
    return _tracer.start_as_current_span(name, context=propagate.extract({"traceparent": parent}), kind=kind)


class _Carrying:
    # OpenTelemetry's own spans that record nothing take fifty times as long, for each event and each call.
    def __init__(self, parent: str) -> None:
        self._parent = parent

    def __enter__(self) -> None:
        self._token = _carried.set(self._parent)

    def __exit__(self, *_: object) -> None:
        _carried.reset(self._token)


def traceparent() -> str | None:
    """Write the current span as a W3C `traceparent`; `None` when nothing is traced."""
    if (carried := _carried.get()) is not None:
        return carried
    if not trace.get_current_span().get_span_context().is_valid:
        return None
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier.get("traceparent")


def cause() -> tuple[str, str]:
    """Name what causes an event, a request or what happens by itself, and write the event's `traceparent`.

    Without a collector nobody here follows the second, and it says so; it lets those who trace what they
    hear on the broker tie together what one request caused.
    """
    name = request_id.get() or new_id()
    if (current := traceparent()) is None:
        trace_id = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
        current = f"00-{trace_id}-{secrets.token_hex(8)}-00"
    return name, current


def take_request_id(given: str | None) -> None:
    """Go on under the name that came with a request or an event, if it can be one."""
    request_id.set(given if given and _REQUEST_ID.fullmatch(given) else None)


def current_request_id() -> str:
    """Name the request that is being served, or begin a new name."""
    if (current := request_id.get()) is None:
        request_id.set(current := new_id())
    return current


def _add_request(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    if (current := request_id.get()) is not None:
        event["request_id"] = current
    return event


def _to_json(event: dict[str, Any], **_: Any) -> str:
    return orjson.dumps(event, default=str).decode()
