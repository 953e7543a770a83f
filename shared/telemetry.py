"""JSON logs on stdout, the request id that ties log lines and events together, and traces."""

import logging
import sys
from contextvars import ContextVar
from typing import Any, Final

import orjson
import structlog
from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from shared.ids import new_id

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The request that caused what runs now: a caller's `X-Request-ID`, an event's `correlationid`."""

tracer: Final = trace.get_tracer("millrace")


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
    structlog.contextvars.bind_contextvars(service=name)
    for chatty in ("aio_pika", "aiormq", "pymongo", "urllib3", "aiohttp.access"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
    if otlp_endpoint:
        provider = TracerProvider(resource=Resource.create({"service.name": f"millrace-{name}"}))
        provider.add_span_processor(
            BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{otlp_endpoint.rstrip('/')}/v1/traces"))
        )
        trace.set_tracer_provider(provider)


def traceparent() -> str | None:
    """Write the current span as a W3C `traceparent`; `None` when nothing is traced."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier.get("traceparent")


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
