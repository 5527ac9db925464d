"""Traces for an OpenTelemetry collector. Where none is configured they cost nothing."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Literal

from infrastructure.discretion import describe

Kind = Literal["server", "internal", "consumer"]
Attributes = Mapping[str, Any]

PATH = "/v1/traces"
EXPORT_SECONDS = 2.0  # for one attempt to reach the collector
DELAY_MILLISECONDS = 1_000  # spans of so long go together
QUEUE = 4_096  # spans; when the collector is away, the oldest are lost
STOP_SECONDS = 1.5
TRACEPARENT = "traceparent"
IDLE: AbstractContextManager[None] = nullcontext()


class Tracing:
    """
    Of this process. Spans are sent by a thread: whoever makes one never waits for the collector.

    Attributes hold what a log line may hold: ids, names that the code gives, numbers.
    """

    def __init__(self, endpoint: str, role: str, version: str) -> None:
        # Imported here: a process without a collector does not need any of it.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        resource = Resource.create(
            {
                "service.name": "chatledger",
                "service.version": version,
                "chatledger.role": role,
            }
        )
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._processor = BatchSpanProcessor(
            OTLPSpanExporter(endpoint + PATH, timeout=EXPORT_SECONDS),
            max_queue_size=QUEUE,
            schedule_delay_millis=DELAY_MILLISECONDS,
        )
        self._provider.add_span_processor(self._processor)
        self._tracer = self._provider.get_tracer("chatledger", version)

    @contextmanager
    def span(
        self, name: str, kind: Kind, parent: str | None, attributes: Attributes
    ) -> Iterator[Any]:
        from opentelemetry.trace import SpanKind, Status, StatusCode

        started = self._tracer.start_as_current_span(
            name,
            context=remote(parent) if parent is not None else None,
            kind=SpanKind[kind.upper()],
            attributes={key: value for key, value in attributes.items() if value is not None},
            # It would record the exception's message, which may quote what somebody wrote.
            record_exception=False,
            set_status_on_exception=False,
        )
        with started as span:
            try:
                yield span
            except Exception as error:
                span.set_status(Status(StatusCode.ERROR, describe(error)))
                raise

    def stop(self) -> None:
        """Send what is left, if that does not take long."""
        last = threading.Thread(target=self._processor.shutdown, daemon=True)
        last.start()
        last.join(STOP_SECONDS)


class Current:
    tracing: Tracing | None = None


def start_tracing(endpoint: str | None, *, role: str, version: str) -> None:
    """From now on, if there is an endpoint: the base URL of a collector. Once a process."""
    if endpoint is None or Current.tracing is not None:
        return
    Current.tracing = Tracing(endpoint, role, version)
    atexit.register(stop_tracing)


def is_tracing() -> bool:
    return Current.tracing is not None


def stop_tracing() -> None:
    """Harmless to repeat. Takes less than two seconds."""
    tracing, Current.tracing = Current.tracing, None
    if tracing is not None:
        tracing.stop()


def span(
    name: str, kind: Kind = "internal", *, parent: str | None = None, **attributes: Any
) -> AbstractContextManager[Any]:
    """
    Around a piece of work: a span of OpenTelemetry's, or None where nothing is traced.

    Args:
        parent: as `traceparent` returned it where the work was asked for; None: the current one.
        attributes: dots are written as two underscores; those that are None are left out.
    """
    if Current.tracing is None:
        return IDLE
    named = {key.replace("__", "."): value for key, value in attributes.items()}
    return Current.tracing.span(name, kind, parent, named)


def traceparent() -> str | None:
    """The current span as W3C writes it, for work that is done later; None: nothing is traced."""
    if Current.tracing is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get(TRACEPARENT)


def remote(parent: str) -> Any:
    """The context of a span elsewhere. What is malformed is no parent."""
    from opentelemetry.context import Context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({TRACEPARENT: parent}, context=Context())
