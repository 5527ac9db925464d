"""The log on a real PostgreSQL: order, append-only, groups, idempotence."""

from __future__ import annotations

import asyncio
import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from eventsourcing.persistence import IntegrityError

from application.ports.event_log import CommandAnswer
from application.ports.jobs import JobRequest
from domain.upload import Upload
from domain.workspace import Workspace
from infrastructure.log.appender import AppenderClosedError
from tests.support.archive import Ledger, connect, open_ledger
from tests.support.searches import some_search

WRITERS = 8
APPENDS = 300  # by each writer


def workspace() -> Workspace:
    return Workspace._create(Workspace.Created, id=uuid4(), name="any")


def upload(ledger: Ledger, name: str = "chat.txt") -> Upload:
    return Upload.receive(
        workspace_id=ledger.workspace_id,
        blob=uuid4().hex * 2,
        size=3,
        sha256="0" * 64,
        filename=name,
        options={},
    )


def write(url: str, start: Any) -> None:
    """One writer process: single events and small groups, as fast as it can."""
    with open_ledger(url, pool_size=2) as ledger:
        start.wait(60)
        for number in range(APPENDS):
            ledger.record(*[workspace() for _ in range(1 + number % 3)])


def test_a_reader_that_tails_the_log_misses_nothing_of_eight_writers(ledger: Ledger) -> None:
    """Positions become visible in order, so `position > last` never leaves one behind."""
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(WRITERS)
    writers = [context.Process(target=write, args=(ledger.url, start)) for _ in range(WRITERS)]
    for writer in writers:
        writer.start()
    seen: list[int] = []
    last = 0
    with connect(ledger.url) as tail:
        while True:
            are_done = not any(writer.is_alive() for writer in writers)
            rows = tail.execute(
                "SELECT notification_id FROM log.archive_events WHERE notification_id > %s "
                "ORDER BY notification_id LIMIT 500",
                (last,),
            ).fetchall()
            seen.extend(row[0] for row in rows)
            last = seen[-1] if seen else 0
            if not rows and are_done:
                break
        stored = [r[0] for r in tail.execute("SELECT notification_id FROM log.archive_events")]
    for writer in writers:
        writer.join()

    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    assert len(stored) == WRITERS * APPENDS * 2
    assert sorted(stored) == seen


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE log.archive_events SET topic = 'x'",
        "DELETE FROM log.archive_events",
        "TRUNCATE log.archive_events",
        "DELETE FROM log.command",
    ],
)
def test_the_log_refuses_changes_from_the_application_and_from_the_owner(
    ledger: Ledger, statement: str
) -> None:
    """The application lacks the right; the owner meets triggers, even as a replica."""
    context = ledger.context(command_id=uuid4())
    ledger.archive.record(context, workspace(), answer=CommandAnswer(name="any"))
    denied = psycopg.errors.InsufficientPrivilege
    with connect(ledger.url) as application, pytest.raises(denied):
        application.execute(statement)
    with psycopg.connect(ledger.url, autocommit=True) as owner:
        owner.execute("SET session_replication_role = replica")
        with pytest.raises(denied, match="append-only"):
            owner.execute(statement)


def test_a_repeated_command_id_returns_the_first_answer(ledger: Ledger) -> None:
    """The second decision is not even taken."""
    context = ledger.context(command_id=uuid4())
    first = ledger.archive.once(context, "create", lambda: ([workspace()], {"id": "first"}))

    def never() -> Any:
        raise AssertionError("decided twice")

    again = ledger.archive.once(context, "create", never)

    assert first == again
    assert first.position == ledger.head()


def test_the_last_event_of_a_stream_says_what_it_belongs_to(ledger: Ledger) -> None:
    log = ledger.archive.event_log
    assert log.last_of(uuid4()) is None
    first, second = uuid4(), uuid4()
    made = upload(ledger)
    ledger.record(made, correlation_id=first)
    made.receive_again("copy.txt")
    position = ledger.record(made, correlation_id=second)
    ledger.record(workspace())
    cause = log.last_of(made.id)
    assert cause is not None
    assert (cause.position, cause.correlation_id) == (position, second)


def test_of_two_equal_commands_at_the_same_time_one_is_carried_out(ledger: Ledger) -> None:
    """Both callers get the same answer, and one event is stored."""
    context = ledger.context(command_id=uuid4())

    def carry_out(number: int) -> Any:
        return ledger.archive.once(context, "create", lambda: ([workspace()], {"by": number}))

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(carry_out, range(8)))

    assert len({(answer.position, answer.result["by"]) for answer in answers}) == 1
    with connect(ledger.url) as connection:
        counted = connection.execute("SELECT count(*) FROM log.archive_events").fetchone()
    assert counted == (1,)


def test_a_conflict_in_a_group_fails_alone(ledger: Ledger) -> None:
    """The others of its group are stored."""
    taken = upload(ledger)
    stored = ledger.mapper.to_recordable(next(iter(taken.collect_events())), ledger.context())
    ledger.archive.event_log.insert_events([stored])

    async def append_three() -> list[Any]:
        log = ledger.archive.event_log
        good = [
            ledger.mapper.to_recordable(next(iter(workspace().collect_events())), ledger.context())
            for _ in range(2)
        ]
        again = ledger.mapper.to_recordable(event_of(stored, ledger), ledger.context())
        return await asyncio.gather(
            log.insert_events_async([good[0]]),
            log.insert_events_async([again]),
            log.insert_events_async([good[1]]),
            return_exceptions=True,
        )

    outcomes = asyncio.run(append_three())

    assert [list, IntegrityError, list] == [type(outcome) for outcome in outcomes]


def event_of(stored: Any, ledger: Ledger) -> Any:
    return ledger.mapper.to_domain_event(stored)


def test_many_clients_share_a_commit(ledger: Ledger) -> None:
    """Far fewer transactions than appends: the point of the group-commit appender."""

    async def append_many() -> None:
        async def client() -> None:
            for _ in range(10):
                await ledger.archive.record_async(ledger.context(), workspace())

        await asyncio.gather(*[client() for _ in range(64)])

    asyncio.run(append_many())
    with connect(ledger.url) as connection:
        events, transactions = connection.execute(
            "SELECT count(*), count(DISTINCT xmin::text) FROM log.archive_events"
        ).fetchone() or (0, 0)

    assert events == 640
    assert transactions <= 320


def test_a_closed_log_writes_what_it_accepted_and_refuses_the_rest(ledger: Ledger) -> None:
    ledger.record(workspace())
    ledger.archive.event_log.close()

    with pytest.raises(AppenderClosedError):
        ledger.record(workspace())
    assert ledger.head() == 1


def test_jobs_are_deferred_with_the_event_or_not_at_all(database_url: str) -> None:
    """A conflicting append leaves no job behind."""

    def policy(event: Any) -> list[JobRequest]:
        return [JobRequest(task="any:task", queue="any", arguments={"n": 1})]

    with open_ledger(database_url, policies=[policy]) as ledger:
        one = workspace()
        twin = Workspace._create(Workspace.Created, id=one.id, name="any")
        ledger.record(one)
        with pytest.raises(IntegrityError):
            ledger.record(twin)
        with connect(database_url) as connection:
            jobs = connection.execute("SELECT task_name FROM jobs.procrastinate_jobs").fetchall()

    assert jobs == [("any:task",)]


def test_what_is_kept_beside_an_event(ledger: Ledger) -> None:
    """Actor, workspace, correlation, causation and command id are columns; the origin is sealed."""
    context = ledger.context(
        command_id=uuid4(), causation_position=7, origin={"channel": "cli", "user": "zoe"}
    )
    ledger.archive.record(context, upload(ledger))
    with connect(ledger.url) as connection:
        page = ledger.reader.page(
            connection, after=0, up_to=ledger.head(), topics=["upload.received"], limit=10
        )
        state = bytes(
            (connection.execute("SELECT state FROM log.archive_events").fetchone() or [b""])[0]
        )

    [recorded] = page.events
    assert context.actor_id == recorded.actor_id
    assert context.workspace_id == recorded.workspace_id
    assert context.correlation_id == recorded.correlation_id
    assert recorded.causation_position == 7
    assert context.command_id == recorded.command_id
    assert recorded.origin == {"channel": "cli", "user": "zoe"}
    assert b"zoe" not in state
    assert b"chat.txt" not in state


def test_a_lost_acknowledgement_is_not_a_conflict(ledger: Ledger, monkeypatch: Any) -> None:
    """The connection breaks after the commit: the retry finds its own events and says where."""
    recorder: Any = ledger.archive.recorder
    write_once = recorder._write_once
    calls = []

    def lose_first_answer(connection: Any, group: Any) -> Any:
        positions = write_once(connection, group)
        calls.append(positions)
        if len(calls) == 1:
            raise psycopg.OperationalError("server closed the connection unexpectedly")
        return positions

    monkeypatch.setattr(recorder, "_write_once", lose_first_answer)
    position = ledger.record(some_search(searcher_id=str(ledger.context().actor_id)))

    assert calls[0] == [[position]]
    assert position == ledger.head()
