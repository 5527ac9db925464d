"""Every metric that the code counts while it works, by name. docs/metrics.md explains them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any, Literal, Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    values,
)
from prometheus_client.metrics_core import Metric

QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)  # seconds
SLOW = (0.01, 0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200)  # seconds
SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500)
MAX_NAMES = 100  # distinct operation names that a process tells apart
MAX_NAME = 64  # characters
OTHER = "other"
APPEND_FAILURES = ("conflict", "database_away", "error")


class Metrics:
    """
    The metrics of this process. Labels hold names that the code gives, never what people wrote.

    Args:
        value_class: where prometheus_client keeps a number: in memory, or in a file that other
            processes read.
    """

    def __init__(self, value_class: Any = values.MutexValue) -> None:
        self.registry = CollectorRegistry()
        disable_created_metrics()  # type: ignore[no-untyped-call]
        values.ValueClass = value_class
        self.http = self._histogram(
            "chatledger_http_request_duration_seconds",
            "From the first byte of a request to the last one of its answer.",
            ["method", "route", "status"],
        )
        self.graphql = self._histogram(
            "chatledger_graphql_operation_duration_seconds",
            "Parsing, validation and execution of a query or mutation.",
            ["type", "name"],
        )
        self.graphql_errors = self._counter(
            "chatledger_graphql_errors_total",
            "Errors in answers, by their code.",
            ["type", "code"],
        )
        self.resolvers = self._histogram(
            "chatledger_graphql_resolver_duration_seconds",
            "One root field of an operation, with all that its resolver waits for.",
            ["field"],
        )
        self.subscriptions = self._gauge(
            "chatledger_subscriptions_open",
            "Subscriptions that are being served.",
            ["field"],
            "livesum",
        )
        self.appends = self._histogram(
            "chatledger_append_duration_seconds",
            "From being asked to being durable, of the oldest request of each group.",
        )
        self.group_requests = self._histogram(
            "chatledger_append_group_requests",
            "Requests that were committed together.",
            buckets=SIZES,
        )
        self.group_events = self._histogram(
            "chatledger_append_group_events",
            "Events that were committed together.",
            buckets=SIZES,
        )
        self.append_failures = self._counter(
            "chatledger_append_failures_total",
            "Requests to append that were not carried out.",
            ["reason"],
        )
        for reason in APPEND_FAILURES:  # from the start: a rate misses a series' first count
            self.append_failures.labels(reason)
        self.pages = self._histogram(
            "chatledger_projection_page_duration_seconds",
            "One page of events, in one transaction.",
            ["projection"],
        )
        self.page_events = self._counter(
            "chatledger_projection_events_total", "Events that were digested.", ["projection"]
        )
        self.jobs = self._histogram(
            "chatledger_job_duration_seconds",
            "One attempt at a job, by how it ended.",
            ["task", "outcome"],
            buckets=SLOW,
        )
        self.embedded_texts = self._counter(
            "chatledger_embedded_texts_total", "Texts that a model has embedded.", ["purpose"]
        )
        self.embedding_seconds = self._counter(
            "chatledger_embedding_seconds_total",
            "Time that calls of a model took.",
            ["purpose"],
        )
        self.faiss_vectors = self._gauge(
            "chatledger_faiss_vectors",
            "Vectors in memory, of the process that has the fewest.",
            ["model"],
            "livemin",
        )
        self.faiss_position = self._gauge(
            "chatledger_faiss_position",
            "The log's position that the vectors in memory have reached, of the slowest process.",
            ["model"],
            "livemin",
        )
        self.faiss_bytes = self._gauge(
            "chatledger_faiss_bytes",
            "Memory that vectors, their ids and the keys of their texts take.",
            ["model"],
            "livesum",
        )
        self.messages_in_memory = self._gauge(
            "chatledger_messages_in_memory",
            "Messages whose words and columns are in memory, of the process that has the fewest.",
            [],
            "livemin",
        )
        self.messages_in_memory_bytes = self._gauge(
            "chatledger_messages_in_memory_bytes",
            "Memory that the words and the columns of messages take.",
            [],
            "livesum",
        )
        self.messages_in_memory_position = self._gauge(
            "chatledger_messages_in_memory_position",
            "The log's position that the messages in memory have reached, of the slowest process.",
            [],
            "livemin",
        )
        self.pools = self._gauge(
            "chatledger_pool_connections",
            "Connections to the database, open and idle.",
            ["pool", "state"],
            "livesum",
        )
        self.pool_waiting = self._gauge(
            "chatledger_pool_waiting_requests",
            "Threads and tasks that wait for a connection.",
            ["pool"],
            "livesum",
        )
        self.processes = self._gauge(
            "chatledger_processes", "Processes that run, by what they are for.", ["role"], "livesum"
        )
        self.cpu = self._counter(
            "chatledger_process_cpu_seconds_total", "Processor time that was used.", ["role"]
        )
        self.memory = self._gauge(
            "chatledger_process_resident_memory_bytes", "Memory in use.", ["role"], "livesum"
        )
        self.threads = self._gauge(
            "chatledger_process_threads", "Threads, those of libraries too.", ["role"], "livesum"
        )
        self.files = self._gauge(
            "chatledger_process_open_fds", "Files and connections open.", ["role"], "livesum"
        )

    def _histogram(
        self,
        name: str,
        about: str,
        labels: Sequence[str] = (),
        buckets: Sequence[float] = QUICK,
    ) -> Histogram:
        return Histogram(name, about, labels, buckets=buckets, registry=self.registry)

    def _counter(self, name: str, about: str, labels: Sequence[str] = ()) -> Counter:
        return Counter(name, about, labels, registry=self.registry)

    def _gauge(
        self, name: str, about: str, labels: Sequence[str], mode: Literal["livesum", "livemin"]
    ) -> Gauge:
        return Gauge(name, about, labels, registry=self.registry, multiprocess_mode=mode)


class Names:
    """The first distinct names of a process; those that come later are all one."""

    def __init__(self, most: int = MAX_NAMES) -> None:
        self._most = most
        self._known: set[str] = set()
        self._lock = Lock()

    def bounded(self, name: str) -> str:
        if name in self._known:
            return name
        with self._lock:
            if len(self._known) >= self._most or len(name) > MAX_NAME:
                return OTHER
            self._known.add(name)
        return name


class Counted(Protocol):
    def collect(self) -> list[Metric]: ...


class Own:
    """Of this process. Where its numbers are kept is chosen before the first one is counted."""

    value_class: Any = values.MutexValue
    metrics: Metrics | None = None
    shared_by: int | None = None  # the id of the process that shares them
    shared: Counted | None = None  # where the sums are; None: this process counts for itself
    role = "command"  # what this process is for
    lock = Lock()


def metrics() -> Metrics:
    """Those of this process, made when the first of them is counted."""
    if Own.metrics is None:
        with Own.lock:  # two sets of them would overwrite each other's numbers
            if Own.metrics is None:
                Own.metrics = Metrics(Own.value_class)
    return Own.metrics


@contextmanager
def subscription_open(field: str) -> Iterator[None]:
    """Around a subscription while it is served. `field` as the schema names it."""
    gauge = metrics().subscriptions.labels(field)
    gauge.inc()
    try:
        yield
    finally:
        gauge.dec()
