"""The log as everybody may see it who may see the log: what happened, and nothing personal."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, ClassVar
from uuid import uuid4

import orjson
import psycopg
import pytest

from application.context import Context
from domain.topics import EVENTS
from domain.upload import Upload
from domain.workspace import Workspace
from infrastructure.log import frames as module
from infrastructure.log.frames import EventFrame, facts_of, frames, frames_before
from tests.support.archive import Ledger
from tests.support.chats import History, message
from tests.support.searches import some_search
from tests.support.shared_ledger import own_ledger, shared_ledger

__all__ = ["own_ledger", "shared_ledger"]

SECRET = "Grandmother's secret recipe"


def upload(ledger: Ledger, name: str = SECRET) -> Upload:
    return Upload.receive(
        workspace_id=ledger.workspace_id,
        blob=uuid4().hex * 2,
        size=3,
        sha256="0" * 64,
        filename=name,
        options={},
    )


def read(ledger: Ledger, **options: Any) -> list[EventFrame]:
    given: dict[str, Any] = {"workspace_id": ledger.workspace_id, "after": 0, "limit": 1000}
    with ledger.pool.connection() as connection:
        return frames(connection, **(given | options))


def read_before(ledger: Ledger, **options: Any) -> list[EventFrame]:
    given: dict[str, Any] = {"workspace_id": ledger.workspace_id, "limit": 1000}
    with ledger.pool.connection() as connection:
        return frames_before(connection, **(given | options))


def positions(found: list[EventFrame]) -> list[int]:
    return [frame.position for frame in found]


def test_a_frame_tells_who_did_what_when_and_why(own_ledger: Ledger) -> None:
    received = upload(own_ledger)
    context: Context = own_ledger.context(
        command_id=uuid4(), causation_position=7, origin={"ip": "203.0.113.9"}
    )
    position = own_ledger.archive.record(context, received)
    [frame] = read(own_ledger)

    assert frame.position == position
    assert (frame.topic, frame.workspace_id) == ("upload.received", own_ledger.workspace_id)
    assert (frame.stream_id, frame.stream_version) == (received.id, 1)
    assert (frame.actor_id, frame.command_id) == (context.actor_id, context.command_id)
    assert (frame.correlation_id, frame.causation_position) == (context.correlation_id, 7)
    assert frame.recorded_at.tzinfo is not None
    assert frame.facts["workspace_id"] == str(own_ledger.workspace_id)
    assert (frame.facts["size"], frame.facts["options"]) == (3, {})
    assert not frame.facts.keys() & {*frame.sealed, "timestamp", "originator_topic", "_origin"}
    assert set(frame.sealed) == {"filename", "sha256", "origin"}


def test_nothing_personal_is_in_it_not_even_as_ciphertext(own_ledger: Ledger) -> None:
    own_ledger.record(upload(own_ledger))
    own_ledger.record(
        some_search(
            searcher_id=str(uuid4()),
            query=SECRET,
            mode="words",
            filters={"author": SECRET},
            position=1,
            hits=[5, 6],
        ),
        origin={"agent": SECRET},
    )
    History(own_ledger).upload(message(0, SECRET), message(1, "another"))
    with own_ledger.pool.connection() as connection:
        rows = connection.execute(
            "SELECT state FROM log.archive_events WHERE workspace_id = %s",
            (own_ledger.workspace_id,),
        ).fetchall()
    found = read(own_ledger)
    said = json.dumps([dict(frame.facts) for frame in found])

    assert len(found) == len(rows) > 3
    assert "secret" not in said
    for ciphertext in sealed_texts([orjson.loads(state) for (state,) in rows]):
        assert ciphertext not in said


def sealed_texts(states: Any) -> set[str]:
    """Every long text of letters without a space: base64, however deep."""
    if isinstance(states, str):
        return {states} if len(states) > 40 and not is_hex(states) else set()
    parts = states.values() if isinstance(states, dict) else states
    return set().union(*map(sealed_texts, parts)) if isinstance(states, dict | list) else set()


def is_hex(text: str) -> bool:
    return set(text) <= set("0123456789abcdef-")


def test_of_a_batch_of_messages_the_numbers_are_told_and_no_message(own_ledger: Ledger) -> None:
    History(own_ledger).upload(*(message(n, f"text {n}") for n in range(400)))
    [frame] = read(own_ledger, topics=["transcript.recorded"])

    assert frame.facts["slots"] == 400
    assert frame.facts["authors"] >= 1
    assert frame.facts["conversations"] == 1
    assert "blocks" in frame.sealed
    assert "blocks" not in frame.facts
    assert len(orjson.dumps(frame.facts)) < 500


def test_every_event_that_there_is_can_be_framed() -> None:
    """Personal fields are known by name, whatever is in them, or missing."""
    for topic, cls in EVENTS.items():
        state = {"timestamp": "2024-01-01T00:00:00+00:00", "class_version": cls.class_version}
        facts, sealed = facts_of(topic, orjson.dumps(state))
        assert facts == {}
        assert set(sealed) == {*cls.personal, *cls.personal_by_subject}


def test_of_an_event_of_a_newer_release_nothing_is_told() -> None:
    assert facts_of("moon.landed", b'{"who": "Ada"}') == ({}, ("*",))


def test_an_older_version_is_told_as_today(monkeypatch: pytest.MonkeyPatch) -> None:
    class Renamed(Workspace.Created):
        class_version = 3
        personal: ClassVar[dict[str, str]] = {"note": "originator_id"}

        @staticmethod
        def upcast_v1_v2(state: dict[str, Any]) -> None:
            state["label"] = state.pop("name")

        @staticmethod
        def upcast_v2_v3(state: dict[str, Any]) -> None:
            state["note"] = state["note"].strip()

    monkeypatch.setitem(EVENTS, "workspace.created", Renamed)

    sealed = {"sealed": "c2Vj", "subject": str(uuid4())}
    for stored in (
        {"name": "x", "note": sealed},
        {"label": "x", "note": sealed, "class_version": 2},
        {"label": "x", "note": sealed, "class_version": 3, "was_personal_once": sealed},
    ):
        assert facts_of("workspace.created", orjson.dumps(stored)) == ({"label": "x"}, ("note",))


def test_they_come_in_order_and_only_those_asked_for(own_ledger: Ledger) -> None:
    mine = [own_ledger.record(upload(own_ledger)) for _ in range(5)]
    again = upload(own_ledger)
    mine.append(own_ledger.record(again))
    again.receive_again(filename="x.txt")
    mine.append(own_ledger.record(again))
    other = replace(own_ledger, workspace_id=uuid4())
    theirs = other.record(upload(other))

    assert positions(read(own_ledger)) == mine
    assert positions(read(own_ledger, after=mine[1], up_to=mine[3])) == mine[2:4]
    assert positions(read(own_ledger, topics=["upload.received_again"])) == mine[-1:]
    assert read(own_ledger, topics=[]) == []
    assert positions(read(own_ledger, limit=2)) == mine[:2]
    assert positions(read(own_ledger, after=mine[-1] - 1, workspace_id=None)) == [mine[-1], theirs]
    assert positions(read_before(own_ledger)) == mine[::-1]
    assert positions(read_before(own_ledger, before=mine[3], limit=2)) == [mine[2], mine[1]]
    assert read_before(own_ledger, before=mine[0]) == []
    assert read(own_ledger, up_to=0) == []


def test_large_events_are_read_piece_by_piece(
    own_ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = [own_ledger.record(upload(own_ledger)) for _ in range(23)]
    for max_bytes in (1, 2_000, 1_000_000):
        for max_rows in (1, 7, 500):
            monkeypatch.setattr(module, "MAX_BYTES", max_bytes)
            monkeypatch.setattr(module, "MAX_ROWS", max_rows)
            assert positions(read(own_ledger)) == recorded
            assert positions(read(own_ledger, limit=22)) == recorded[:22]
            assert positions(read_before(own_ledger)) == recorded[::-1]


def test_a_small_workspace_in_a_long_log_is_found_by_its_index(ledger: Ledger) -> None:
    first = ledger.record(upload(ledger))
    with psycopg.connect(ledger.url, autocommit=True) as owner:
        owner.execute(
            "INSERT INTO log.archive_events (originator_id, originator_version, topic, state, "
            "workspace_id, actor_id, correlation_id) SELECT gen_random_uuid(), 1, "
            "'upload.withdrawn', '{}', '00000000-0000-0000-0000-00000000000a', "
            "gen_random_uuid(), gen_random_uuid() FROM generate_series(1, 50000)"
        )
        owner.execute("ANALYZE log.archive_events")
    last = ledger.record(upload(ledger))
    before = blocks_read(ledger)
    assert positions(read(ledger)) == [first, last]
    assert positions(read_before(ledger)) == [last, first]
    assert blocks_read(ledger) - before < 100  # of more than a thousand


def blocks_read(ledger: Ledger) -> int:
    with psycopg.connect(ledger.url, autocommit=True) as owner:
        owner.execute("SELECT pg_stat_force_next_flush()")
        with ledger.pool.connection() as connection:
            connection.execute("SELECT pg_stat_force_next_flush()")
        row = owner.execute(
            "SELECT heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read "
            "FROM pg_statio_all_tables WHERE schemaname = 'log' AND relname = 'archive_events'"
        ).fetchone()
    return int(row[0]) if row else 0
