"""The metrics of all processes and of the database, in the text form that Prometheus reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib import metadata

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric

from infrastructure.jobs.worker_settings import LANES
from infrastructure.monitoring.database import DatabaseState, DatabaseStates
from infrastructure.observability.metrics import Counted
from infrastructure.observability.sampling import Sampler

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
STATUSES = ("todo", "doing", "failed")


class Exposition:
    """Built anew for each scrape; blocks, for at most as long as `DatabaseStates` does."""

    def __init__(self, counted: Counted, states: DatabaseStates, sampler: Sampler) -> None:
        self._counted = counted
        self._states = states
        self._sampler = sampler

    def text(self) -> bytes:
        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)

    def collect(self) -> list[Metric]:
        self._sampler.sample()
        counted = self._counted.collect()
        state = self._states.state()
        found = [*counted, build_info(), up(state)]
        if state is not None:
            found += [*of_projections(state), *of_jobs(state), faiss_lag(state, counted)]
            found += messages_lag(state, counted)
        return found


def build_info() -> Metric:
    info = InfoMetricFamily("chatledger_build", "What runs here.")
    info.add_metric([], {"version": own_version()})
    return info


def own_version() -> str:
    try:
        return metadata.version("chatledger")
    except metadata.PackageNotFoundError:
        return "unknown"


def up(state: DatabaseState | None) -> Metric:
    name, about = "chatledger_database_up", "Whether the database answered, 0 or 1."
    return GaugeMetricFamily(name, about, value=float(state is not None))


def of_projections(state: DatabaseState) -> Iterable[Metric]:
    yield GaugeMetricFamily(
        "chatledger_log_position", "The position of the last event.", value=state.head
    )
    for name, about, values in (
        (
            "chatledger_projection_position",
            "Everything up to this position is in the read model.",
            [version.position for version in state.read],
        ),
        (
            "chatledger_projection_lag_events",
            "Events that are not in the read model yet, at most.",
            [version.lag_events for version in state.read],
        ),
        (
            "chatledger_projection_lag_seconds",
            "Since the first event that is not in the read model was recorded; 0: up to date.",
            [version.lag_seconds for version in state.read],
        ),
        (
            "chatledger_projection_halted",
            "Whether an event that it cannot digest has stopped it, 0 or 1.",
            [float(version.status == "halted") for version in state.read],
        ),
    ):
        family = GaugeMetricFamily(name, about, labels=["projection"])
        for version, value in zip(state.read, values, strict=True):
            family.add_metric([version.name], value)
        yield family


def of_jobs(state: DatabaseState) -> Iterable[Metric]:
    jobs = GaugeMetricFamily(
        "chatledger_jobs", "Jobs that wait, run or have failed.", labels=["queue", "status"]
    )
    oldest = GaugeMetricFamily(
        "chatledger_jobs_oldest_waiting_seconds",
        "How long the job that was due first has been waiting; 0: none waits.",
        labels=["queue"],
    )
    numbers = {(queue, status): 0 for queue in LANES for status in STATUSES}
    waits = dict.fromkeys(LANES, 0.0)
    for gauge in state.queues:
        numbers[gauge.queue, gauge.status] = gauge.jobs
        waits[gauge.queue] = max(waits.get(gauge.queue, 0.0), gauge.oldest_waiting_seconds or 0.0)
    for (queue, status), number in sorted(numbers.items()):
        jobs.add_metric([queue, status], number)
    for queue, seconds in sorted(waits.items()):
        oldest.add_metric([queue], seconds)
    yield jobs
    yield oldest
    yield GaugeMetricFamily(
        "chatledger_queues_served",
        "Queues that a worker with a heartbeat works on, counted once for each worker.",
        value=state.workers,
    )


def faiss_lag(state: DatabaseState, counted: Sequence[Metric]) -> Metric:
    family = GaugeMetricFamily(
        "chatledger_faiss_lag_positions",
        "How far the vectors in memory are behind their read model, of the slowest process.",
        labels=["model"],
    )
    target = next((v.position for v in state.read if v.name == "vectors"), 0)
    for metric in counted:
        if metric.name == "chatledger_faiss_position":
            for sample in metric.samples:
                family.add_metric([sample.labels["model"]], max(0.0, target - sample.value))
    return family


def messages_lag(state: DatabaseState, counted: Sequence[Metric]) -> Iterator[Metric]:
    target = next((v.position for v in state.read if v.name == "messages"), 0)
    for metric in counted:
        for sample in metric.samples:
            if metric.name == "chatledger_messages_in_memory_position":
                yield GaugeMetricFamily(
                    "chatledger_messages_in_memory_lag_positions",
                    "How far the messages in memory are behind their read model, of the slowest "
                    "process.",
                    value=max(0.0, target - sample.value),
                )
