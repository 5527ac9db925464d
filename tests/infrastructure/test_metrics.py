"""Metrics: what is counted, how processes add up, and what a scrape shows when things are bad."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from application.context import SYSTEM, Context
from domain.workspace import Workspace
from infrastructure.container import Container
from infrastructure.monitoring.exposition import Exposition
from infrastructure.monitoring.scrape import Scrape
from infrastructure.observability.metrics import Metrics, Names, metrics, subscription_open
from infrastructure.observability.sharing import SharedMetrics
from tests.support.archive_fixture import ingest, open_test_container
from tests.support.eventually import eventually
from tests.support.jobs import outage

REPOSITORY = Path(__file__).parents[2]
DOCUMENTED = re.compile(r"^\| `(chatledger_\w+)` \| (\w+)[^|]*\| ([^|]*)\|", re.MULTILINE)


@pytest.fixture
def container(database_url: str, tmp_path: Path) -> Iterator[Container]:
    with open_test_container(database_url, tmp_path) as opened:
        yield opened


def scraped(container: Container) -> Scrape:
    return Scrape(container.exposition.text().decode())


def documented() -> dict[str, tuple[str, set[str]]]:
    text = (REPOSITORY / "docs" / "metrics.md").read_text("utf-8")
    return {
        name: (kind, {label.strip() for label in labels.split(",") if label.strip()})
        for name, kind, labels in DOCUMENTED.findall(text)
    }


def count_of(name: str, **labels: str) -> float:
    """What this process has counted so far: other tests have counted, too."""
    text = "\n".join(
        f"{sample.name} {sample.labels} {sample.value}"
        for family in metrics().registry.collect()
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines())


def use_everything(container: Container) -> None:
    ingest(container)
    container.follower.start()
    container.query_embedder.embed(["hello"])
    own = metrics()
    own.http.labels("GET", "/healthz", "2xx").observe(0.1)
    own.graphql.labels("query", "anonymous").observe(0.1)
    own.graphql_errors.labels("query", "INTERNAL").inc()
    own.resolvers.labels("Query.uploads").observe(0.1)
    own.jobs.labels("uploads:read", "succeeded").observe(0.1)
    own.append_failures.labels("conflict").inc(0)
    with subscription_open("uploadChanged"):
        pass


def test_every_documented_metric_is_in_a_scrape_and_every_metric_is_documented(
    container: Container,
) -> None:
    """With the type and the labels that the table says."""
    use_everything(container)
    families = list(text_string_to_metric_families(container.exposition.text().decode()))
    found = {}
    for family in families:
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        found[name] = (family.type, labels)

    assert found == documented()


def test_every_metric_has_a_help_text_and_a_name_by_the_conventions(container: Container) -> None:
    use_everything(container)
    for family in text_string_to_metric_families(container.exposition.text().decode()):
        assert family.documentation, family.name
        assert re.fullmatch(r"chatledger(_[a-z]+)+", family.name), family.name
        assert not family.name.endswith(("_milliseconds", "_ms", "_kib", "_mib")), family.name


def test_appends_pages_and_embeddings_are_counted(container: Container) -> None:
    names = {
        "events": "chatledger_append_group_events_sum",
        "groups": "chatledger_append_group_requests_count",
        "pages": "chatledger_projection_page_duration_seconds_count",
        "digested": "chatledger_projection_events_total",
        "texts": "chatledger_embedded_texts_total",
    }
    before = {key: count_of(name) for key, name in names.items()}
    done = ingest(container)
    counted = {key: count_of(name) - before[key] for key, name in names.items()}

    assert counted["events"] == done.position
    assert 0 < counted["groups"] <= counted["events"]
    assert counted["pages"] >= len(container.runner.names) - 1
    assert counted["digested"] >= done.position
    assert counted["texts"] > 30


def test_a_scrape_shows_how_far_read_models_and_jobs_are(container: Container) -> None:
    done = ingest(container)
    found = scraped(container)
    assert found.total("chatledger_log_position") == done.position
    assert found.by("chatledger_projection_lag_events", "projection") == dict.fromkeys(
        sorted(container.runner.names), 0.0
    )
    # Nobody works on the jobs here: those that the upload asked for wait.
    assert found.total("chatledger_jobs", queue="reading", status="todo") == 2
    assert found.total("chatledger_jobs", queue="maintenance", status="failed") == 0
    assert found.total("chatledger_jobs_oldest_waiting_seconds", queue="reading") > 0

    time.sleep(1.1)  # two scrapes within a second share an answer
    made = Workspace._create(Workspace.Created, id=Workspace.create_id("late"), name="late")
    container.archive.record(Context(actor_id=SYSTEM, workspace_id=None), made)
    found = scraped(container)
    assert found.total("chatledger_projection_lag_events", projection="uploads") == 1
    assert found.total("chatledger_projection_lag_seconds", projection="uploads") > 0


def test_faiss_is_shown_with_its_lag(container: Container) -> None:
    done = ingest(container)
    with container.pool.connection() as connection:
        container.follower.catch_up(connection)
    vectors, model = len(container.follower), container.follower.model_name
    # Indexes of other models that this process had stay as they were last seen.
    found = eventually(lambda: showing(container, vectors, model))
    assert vectors > 30
    reached = found.total("chatledger_faiss_position", model=model)
    assert 0 < reached <= done.position
    assert found.total("chatledger_faiss_lag_positions", model=model) == 0
    size = found.total("chatledger_faiss_bytes", model=model)
    assert size == container.follower.memory_bytes > 30 * 384


def showing(container: Container, vectors: int, model: str) -> Scrape | None:
    """None: another index of the model has shown itself since, as each does every few seconds."""
    found = scraped(container)
    return found if found.total("chatledger_faiss_vectors", model=model) == vectors else None


def test_the_messages_in_memory_are_shown_with_their_lag(container: Container) -> None:
    done = ingest(container)
    with container.pool.connection() as connection:
        container.words_follower.catch_up(connection)
    follower = container.words_follower
    found = scraped(container)
    assert found.total("chatledger_messages_in_memory") == len(follower) > 30
    assert found.total("chatledger_messages_in_memory_bytes") == follower.memory_bytes > 1_000
    assert 0 < found.total("chatledger_messages_in_memory_position") <= done.position
    assert found.total("chatledger_messages_in_memory_lag_positions") == 0


def test_pools_and_the_process_are_shown(container: Container) -> None:
    with container.pool.connection():
        found = scraped(container)
    pools = found.by("chatledger_pool_connections", "pool")
    assert {"log", "reads"} <= pools.keys()
    opened = found.total("chatledger_pool_connections", pool="reads", state="open")
    idle = found.total("chatledger_pool_connections", pool="reads", state="idle")
    assert opened - idle >= 1
    assert found.total("chatledger_process_resident_memory_bytes") > 10 * 1024 * 1024
    assert found.total("chatledger_process_cpu_seconds_total") > 0
    assert found.total("chatledger_processes") == 1


def test_a_scrape_answers_in_time_when_the_database_is_away(
    container: Container, database_url: str
) -> None:
    assert scraped(container).total("chatledger_database_up") == 1
    time.sleep(1.1)
    with outage(database_url):
        began = time.monotonic()
        found = scraped(container)
        assert time.monotonic() - began < 8  # Prometheus waits for ten
        assert found.total("chatledger_database_up") == 0
        assert found.total("chatledger_process_cpu_seconds_total") > 0
        assert found.by("chatledger_jobs", "queue") == {}
        time.sleep(1.1)
    assert scraped(container).total("chatledger_database_up") == 1


def test_a_scrape_answers_in_time_when_the_database_hangs(
    container: Container, database_url: str
) -> None:
    """A lock that nobody gives up: the statement's limit ends it, and the next look begins anew."""
    assert scraped(container).total("chatledger_database_up") == 1
    time.sleep(1.1)
    with psycopg.connect(database_url) as owner:
        owner.execute("LOCK TABLE projection.projection IN ACCESS EXCLUSIVE MODE")
        for _ in range(2):
            began = time.monotonic()
            assert scraped(container).total("chatledger_database_up") == 0
            assert time.monotonic() - began < 8  # Prometheus waits for ten
    time.sleep(1.1)
    assert scraped(container).total("chatledger_database_up") == 1


def test_the_first_names_are_told_apart_and_the_rest_are_one() -> None:
    names = Names(most=3)
    given = [f"Operation{number}" for number in range(10)]
    assert [names.bounded(name) for name in given] == [*given[:3], *["other"] * 7]
    assert names.bounded("Operation1") == "Operation1"
    assert Names().bounded("x" * 1000) == "other"


COUNTING = """
import sys, time
from pathlib import Path
from infrastructure.observability.sharing import share, counted
from infrastructure.observability.metrics import metrics
share(Path(sys.argv[1]), role=sys.argv[2])
own = metrics()
own.jobs.labels("quick", "succeeded").observe(0.02)
own.page_events.labels("uploads").inc(int(sys.argv[3]))
own.pools.labels("reads", "open").set(5)
own.processes.labels(sys.argv[2]).set(1)
own.faiss_position.labels("m").set(int(sys.argv[3]))
print("counted", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.communicate()


def counting(
    folder: Path, processes: list[subprocess.Popen[str]], role: str, number: int
) -> subprocess.Popen[str]:
    """A process that has counted, and lives until it is told to end."""
    process = subprocess.Popen(
        [sys.executable, "-c", COUNTING, str(folder), role, str(number)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    processes.append(process)
    assert process.stdout is not None
    assert process.stdout.readline() == "counted\n"
    return process


def sums(folder: Path) -> dict[str, float]:
    found: dict[str, float] = {}
    for family in SharedMetrics(folder).collect():
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0) + sample.value
    return found


def test_processes_add_up_and_what_they_counted_outlives_them(
    tmp_path: Path, processes: list[subprocess.Popen[str]]
) -> None:
    counting(tmp_path, processes, "serve", 10)
    second = counting(tmp_path, processes, "worker", 7)
    both = sums(tmp_path)
    assert both["chatledger_projection_events_total"] == 17
    assert both["chatledger_job_duration_seconds_count"] == 2
    assert both["chatledger_pool_connections"] == 10
    assert both["chatledger_processes"] == 2
    assert both["chatledger_faiss_position"] == 7, "of the slowest"

    second.kill()
    second.wait()
    for _ in range(2):  # however often somebody looks
        one = sums(tmp_path)
        assert one["chatledger_projection_events_total"] == 17, "a counter never falls"
        assert one["chatledger_job_duration_seconds_count"] == 2
        assert one["chatledger_job_duration_seconds_sum"] == pytest.approx(0.04)
        assert one["chatledger_pool_connections"] == 5, "its connections are gone"
        assert one["chatledger_processes"] == 1
        assert one["chatledger_faiss_position"] == 10

    third = counting(tmp_path, processes, "worker", 1)
    assert sums(tmp_path)["chatledger_projection_events_total"] == 18
    third.kill()
    third.wait()


def test_files_of_ended_processes_do_not_pile_up(
    tmp_path: Path, processes: list[subprocess.Popen[str]]
) -> None:
    counting(tmp_path, processes, "serve", 1)
    sums(tmp_path)
    before = len(list(tmp_path.rglob("*")))
    for _ in range(4):
        ended = counting(tmp_path, processes, "worker", 1)
        ended.kill()
        ended.wait()
        sums(tmp_path)
    assert sums(tmp_path)["chatledger_projection_events_total"] == 5
    assert len(list(tmp_path.rglob("*"))) <= before + 2, "one file for each kind of sum"


def test_counting_needs_no_more_room_on_the_disk_than_it_has_taken_at_the_start(
    tmp_path: Path, processes: list[subprocess.Popen[str]]
) -> None:
    """A file that grows into a full disk kills its process: so none has to grow."""
    process = counting(tmp_path, processes, "serve", 1)
    files = list(tmp_path.rglob(f"*_{process.pid}.db"))
    assert {path.name.rpartition("_")[0] for path in files} == {
        "counter",
        "histogram",
        "gauge_livesum",
        "gauge_livemin",
    }
    for path in files:
        found = path.stat()
        assert found.st_blocks * 512 >= found.st_size, f"{path.name} has holes"
        used = int.from_bytes(path.read_bytes()[:4], sys.byteorder)
        assert used < found.st_size / 4


def test_when_nobody_runs_any_more_the_numbers_begin_anew(
    tmp_path: Path, processes: list[subprocess.Popen[str]]
) -> None:
    first = counting(tmp_path, processes, "serve", 100)
    first.kill()
    first.wait()
    counting(tmp_path, processes, "serve", 3)
    assert sums(tmp_path)["chatledger_projection_events_total"] == 3


def test_an_exposition_needs_nothing_but_its_parts() -> None:
    """Whatever is missing is missing from the answer, too, and does not break it."""

    class Nothing:
        def collect(self) -> list[Any]:
            return []

        def state(self) -> None:
            return None

        def sample(self) -> None:
            return None

    nothing: Any = Nothing()
    found = Scrape(Exposition(nothing, nothing, nothing).text().decode())
    assert found.total("chatledger_database_up") == 0
    assert found.total("chatledger_build_info") == 1


def test_failures_to_append_are_counted_from_0_on() -> None:
    """A series that appears with its first count is a failure that no `rate()` sees."""
    name = "chatledger_append_failures_total"
    reasons = {
        sample.labels["reason"]: sample.value
        for metric in Metrics().registry.collect()  # of a process that has just begun
        for sample in metric.samples
        if sample.name == name
    }
    assert reasons == {"conflict": 0.0, "database_away": 0.0, "error": 0.0}
