"""Work is asked for in the transaction that records why: both happen, or neither."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from eventsourcing.persistence import IntegrityError, PersistenceError

from application.ports.jobs import JobRequest
from domain.workspace import Workspace
from tests.support.archive import Ledger, open_ledger
from tests.support.jobs import Lab, open_lab


def ask(event: Any) -> Iterable[JobRequest]:
    if isinstance(event, Workspace.Created):
        yield JobRequest(task="greet", queue="marks", arguments={"name": event.name})


@pytest.fixture
def lab(database_url: str) -> Iterator[Lab]:
    with open_lab(database_url) as opened:
        yield opened


@pytest.fixture
def asking(database_url: str) -> Iterator[Ledger]:
    with open_ledger(database_url, policies=[ask]) as opened:
        yield opened


def names(lab: Lab) -> list[str]:
    return sorted(job["args"]["name"] for job in lab.jobs())


def test_an_event_that_is_stored_already_defers_nothing(lab: Lab, asking: Ledger) -> None:
    asking.record(Workspace.create("One"))
    with pytest.raises(IntegrityError):
        asking.record(Workspace.create("One"))
    assert names(lab) == ["One"]


def test_of_a_group_only_what_was_appended_defers_its_jobs(lab: Lab, asking: Ledger) -> None:
    asking.record(Workspace.create("7"))

    async def record_all() -> list[int | BaseException]:
        return await asyncio.gather(
            *[
                asking.archive.record_async(asking.context(), Workspace.create(str(number)))
                for number in range(10)
            ],
            return_exceptions=True,
        )

    outcomes = asyncio.run(record_all())
    assert [type(outcome).__name__ for outcome in outcomes].count("IntegrityError") == 1
    assert names(lab) == [str(number) for number in range(10)]


def test_without_the_jobs_the_event_is_not_recorded_either(lab: Lab, asking: Ledger) -> None:
    head = asking.head()
    lab.connection.execute("REVOKE INSERT ON jobs.procrastinate_jobs FROM chatledger_app")
    with pytest.raises(PersistenceError, match="permission denied"):
        asking.record(Workspace.create("One"))
    assert asking.head() == head


def test_an_append_with_a_job_outlasts_a_lost_connection(lab: Lab, asking: Ledger) -> None:
    asking.record(Workspace.create("One"))
    lab.connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    asking.record(Workspace.create("Two"))
    assert names(lab) == ["One", "Two"]
