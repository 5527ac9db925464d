"""The row of an upload tells how far it has come; its log tells how it got there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from application.context import SYSTEM
from domain.transcript import Transcript, TranscriptEmbedding
from domain.upload import RefusedUpload, Upload
from infrastructure.projections import registry
from infrastructure.projections.rebuild import ProjectionRebuilder
from infrastructure.projections.runner import ProjectionRunner
from projections.uploads.changes import CHANGED
from projections.uploads.projection import UploadsReadModel
from projections.uploads.queries import LogLineRow, UploadRow, log_lines, upload, uploads
from projections.uploads.words import size_in_words
from tests.support.archive import Ledger

MODEL = "test-model@0/p1"
HELD_BACK = (
    "Held back: it is read once somebody says that it may be read and in which order its dates are."
)


class UploadJourney:
    """Takes an upload through its stages as the commands do, and looks at what is shown."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.runner = ProjectionRunner(ledger.pool, ledger.reader, [UploadsReadModel()])
        self.runner.ensure_all()
        self.upload = Upload.receive(
            workspace_id=ledger.workspace_id,
            blob="b" * 64,
            size=3_670_016,
            sha256="a" * 64,
            filename="team.zip",
            options={},
        )
        ledger.record(self.upload)

    def record(self, *aggregates: Any) -> int:
        return self.ledger.record(*aggregates or [self.upload], actor_id=SYSTEM)

    def inspect(self, **changes: Any) -> None:
        facts: dict[str, Any] = {
            "format": "whatsapp",
            "reader_version": 1,
            "reason": "lines begin with a time",
            "timezone": None,
            "date_order": "dmy",
            "conversations": 1,
            "messages": 700,
            "system": 3,
            "authors": 12,
            "first_at": "2024-01-02T03:04:05+00:00",
            "last_at": "2024-02-02T03:04:05+00:00",
            "unknown_keys": {},
            "is_complete": True,
            "warnings": [],
        }
        self.upload.record_inspected(**(facts | changes))
        self.record()

    def start_reading(self, from_batch: int = 0) -> None:
        self.upload.start_reading(from_batch=from_batch)
        self.record()

    def record_batch(self, batch: int, messages: int, texts: int) -> None:
        conversation, author = str(uuid4()), str(uuid4())
        self.record(
            Transcript.record(
                upload_id=self.upload.id,
                batch=batch,
                format="whatsapp",
                texts=texts,
                conversations=[conversation],
                authors=[author],
                slots=[[0, 0, 1_700_000_000_000_000 + i, "message"] for i in range(messages)],
                blocks={conversation: {"title": "Team"}, author: {"name": "Ada"}},
            )
        )

    def embed_batch(self, batch: int, embedded: int, reused: int, model: str = MODEL) -> None:
        self.record(
            TranscriptEmbedding.record(
                upload_id=self.upload.id,
                batch=batch,
                model=model,
                dimensions=1,
                embedded=embedded,
                reused=reused,
                counts={},
                vectors={},
            )
        )

    def read(self) -> None:
        self.inspect()
        self.start_reading()
        self.record_batch(0, 500, 450)
        self.record_batch(1, 203, 200)
        self.upload.record_read(batches=2, messages=703)
        self.record()

    def embed(self) -> None:
        self.embed_batch(0, 400, 50)
        self.embed_batch(1, 150, 50)
        self.upload.finish_embedding(model=MODEL, embedded=550, reused=100)
        self.record()

    def fail(self, *, attempt: int, is_final: bool) -> None:
        self.upload.fail(
            stage="reading", reason="The disk is full.", attempt=attempt, is_final=is_final
        )
        self.record()

    def shown(self, upload_id: UUID | None = None) -> UploadRow:
        self.runner.advance("uploads")
        with self.ledger.pool.connection() as connection:
            assert registry.failures(connection) == []
            found = upload(connection, self.ledger.workspace_id, upload_id or self.upload.id)
        assert found is not None
        return found

    def log(self, **options: Any) -> list[LogLineRow]:
        self.runner.advance("uploads")
        with self.ledger.pool.connection() as connection:
            return log_lines(connection, self.ledger.workspace_id, self.upload.id, **options)


@pytest.fixture
def journey(ledger: Ledger) -> UploadJourney:
    return UploadJourney(ledger)


def test_a_received_upload_is_shown_with_its_name_and_size(journey: UploadJourney) -> None:
    shown = journey.shown()

    assert (shown.stage, shown.filename, shown.size) == ("received", "team.zip", 3_670_016)
    assert shown.sha256 == "a" * 64
    assert shown.messages is None
    assert shown.received_at == shown.updated_at
    assert shown.position == 1


def test_an_inspected_upload_shows_what_is_in_it(journey: UploadJourney) -> None:
    warnings = [{"file": "chat.txt", "line": 7, "reason": "a NUL \x00 in a line"}]
    journey.inspect(warnings=warnings, is_complete=False)

    shown = journey.shown()

    assert (shown.stage, shown.format) == ("inspected", "whatsapp")
    assert (shown.messages, shown.system, shown.conversations, shown.authors) == (700, 3, 1, 12)
    assert shown.first_at == datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert shown.is_complete is False
    assert shown.warnings == [{"file": "chat.txt", "line": 7, "reason": "a NUL \ufffd in a line"}]


def test_counts_grow_with_every_batch_that_is_read_and_embedded(journey: UploadJourney) -> None:
    journey.inspect()
    journey.start_reading()
    journey.record_batch(0, 500, 450)
    shown = journey.shown()
    assert (shown.stage, shown.batches_recorded, shown.messages_recorded) == ("reading", 1, 500)

    journey.record_batch(1, 203, 200)
    journey.upload.record_read(batches=2, messages=703)
    journey.record()
    journey.embed_batch(0, 400, 50)
    shown = journey.shown()
    assert (shown.stage, shown.batches, shown.messages_recorded) == ("read", 2, 703)
    assert (shown.texts_embedded, shown.texts) == (450, 650)

    journey.embed_batch(1, 150, 50)
    journey.upload.finish_embedding(model=MODEL, embedded=550, reused=100)
    journey.record()
    shown = journey.shown()
    assert (shown.stage, shown.texts_embedded, shown.texts) == ("searchable", 650, 650)


def test_vectors_of_another_model_do_not_count_twice(journey: UploadJourney) -> None:
    journey.read()
    journey.embed()
    journey.embed_batch(0, 450, 0, model="other@1/p1")

    assert journey.shown().texts_embedded == 650


def test_a_failure_that_is_tried_again_shows_its_reason_but_not_as_failed(
    journey: UploadJourney,
) -> None:
    journey.inspect()
    journey.start_reading()
    journey.fail(attempt=1, is_final=False)
    shown = journey.shown()
    assert (shown.stage, shown.error, shown.attempts) == ("reading", "The disk is full.", 1)

    journey.start_reading()
    assert journey.shown().error is None


def test_a_final_failure_shows_until_a_retry_is_asked_for(journey: UploadJourney) -> None:
    journey.inspect()
    journey.fail(attempt=5, is_final=True)
    shown = journey.shown()
    assert (shown.stage, shown.error, shown.attempts) == ("failed", "The disk is full.", 5)

    journey.upload.request_retry()
    journey.record()
    shown = journey.shown()
    assert (shown.stage, shown.error) == ("inspected", None)


def test_a_rejected_upload_starts_over_when_it_is_tried_again(journey: UploadJourney) -> None:
    journey.upload.reject("team.zip: no chat export")
    journey.record()
    assert journey.shown().stage == "rejected"
    assert journey.shown().error == "team.zip: no chat export"

    journey.upload.request_retry()
    journey.record()
    assert journey.shown().stage == "received"


def test_an_upload_that_is_held_back_shows_what_it_waits_for(journey: UploadJourney) -> None:
    journey.upload.request_inspection({"timezone": "Europe/Rome"})
    journey.inspect()
    journey.upload.hold_back(("date_order",))
    journey.record()

    assert (journey.shown().stage, journey.shown().questions) == (
        "inspected",
        ["confirmation", "date_order"],
    )
    journey.upload.request_inspection({"date_order": "mdy"})
    journey.record()
    assert (journey.shown().stage, journey.shown().questions) == ("received", [])
    journey.inspect()
    journey.upload.hold_back(())
    journey.upload.confirm()
    journey.record()
    assert (journey.shown().stage, journey.shown().questions) == ("inspected", [])
    assert [line.text for line in journey.log() if "Recognised" not in line.text][1:] == [
        "To be inspected, with timezone Europe/Rome.",
        HELD_BACK,
        "To be inspected, with date order mdy.",
        "Held back: it is read once somebody says that it may be read.",
        "Confirmed, with date order mdy.",
    ]


def test_a_withdrawn_upload_stays_withdrawn_whatever_still_runs(journey: UploadJourney) -> None:
    journey.inspect()
    journey.start_reading()
    journey.upload.withdraw()
    journey.record()
    journey.record_batch(0, 500, 450)
    journey.fail(attempt=1, is_final=True)

    assert journey.shown().stage == "withdrawn"


def test_a_refused_upload_is_shown_too(journey: UploadJourney) -> None:
    refused = RefusedUpload.refuse(
        id=uuid4(), filename="huge.zip", received=9_000, reason="larger than 2 GB"
    )
    journey.record(refused)

    shown = journey.shown(refused.id)

    assert (shown.stage, shown.filename, shown.size) == ("refused", "huge.zip", 9_000)
    assert (shown.error, shown.sha256) == ("larger than 2 GB", None)


def test_the_log_tells_in_plain_words_what_happened(journey: UploadJourney) -> None:
    journey.upload.receive_again("copy.zip")
    journey.record()
    journey.read()
    journey.start_reading(from_batch=1)
    journey.fail(attempt=1, is_final=False)
    journey.fail(attempt=2, is_final=True)
    journey.upload.request_retry()
    journey.record()
    journey.embed()
    journey.upload.withdraw()
    journey.record()

    lines = journey.log()

    assert [(line.level, line.text) for line in lines] == [
        ("info", "Received «team.zip», 3.5 MB."),
        ("info", "The same file came once more, as «copy.zip»."),
        ("info", "Recognised as whatsapp: 700 messages of 12 people in 1 conversation."),
        ("info", "Reading started."),
        ("info", "Read: 703 messages in 2 batches."),
        ("info", "Reading goes on with batch 2."),
        ("warning", "Reading failed (attempt 1): The disk is full. It will be tried again."),
        ("error", "Reading failed (attempt 2): The disk is full. Given up."),
        ("info", "Another attempt was asked for."),
        ("info", "Searchable by meaning: 550 texts embedded, 100 known already."),
        ("info", "Withdrawn."),
    ]
    assert [line.position for line in lines] == sorted(line.position for line in lines)
    assert journey.log(after=lines[3].position, limit=2) == lines[4:6]


def test_rebuilding_gives_the_rows_that_following_gave(journey: UploadJourney) -> None:
    journey.read()
    journey.shown()  # so that the live rows come from several pages
    journey.fail(attempt=1, is_final=True)
    journey.shown()
    journey.embed()
    before, log = journey.shown(), journey.log()

    ProjectionRebuilder(journey.runner).rebuild("uploads")

    assert journey.shown() == before
    assert journey.log() == log


def test_a_workspace_sees_its_own_uploads_only_latest_first(journey: UploadJourney) -> None:
    ledger = journey.ledger
    theirs = uuid4()
    other = Upload.receive(
        workspace_id=theirs, blob="c" * 64, size=1, sha256="d" * 64, filename="x", options={}
    )
    ledger.record(other, workspace_id=theirs)
    second = Upload.receive(
        workspace_id=ledger.workspace_id,
        blob="e" * 64,
        size=1,
        sha256="f" * 64,
        filename="y",
        options={},
    )
    ledger.record(second)
    journey.runner.advance("uploads")

    with ledger.pool.connection() as connection:
        ours = uploads(connection, ledger.workspace_id)
        assert [row.upload_id for row in ours] == [second.id, journey.upload.id]
        assert len(uploads(connection, ledger.workspace_id, limit=1)) == 1
        assert upload(connection, ledger.workspace_id, other.id) is None
        assert log_lines(connection, ledger.workspace_id, other.id) == []
        assert len(log_lines(connection, theirs, other.id)) == 1


def test_an_erased_file_keeps_its_place_without_its_name(journey: UploadJourney) -> None:
    journey.inspect(warnings=[{"file": "Ada.txt", "line": 1, "reason": "odd"}])
    journey.ledger.keyring.destroy(journey.upload.id)

    shown = journey.shown()

    assert (shown.filename, shown.sha256, shown.warnings) == ("[erased]", "[erased]", [])
    assert shown.messages == 700
    assert journey.log()[0].text == "Received «[erased]», 3.5 MB."


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1_023, "1,023 bytes"),
        (1_024, "1.0 KB"),
        (3_670_016, "3.5 MB"),
        (5 * 2**30, "5.0 GB"),
        (3 * 2**40, "3.0 TB"),
    ],
)
def test_a_size_is_told_in_the_unit_that_fits(size: int, words: str) -> None:
    assert size_in_words(size) == words


def test_what_changed_in_a_workspace_is_found_by_an_index(ledger: Ledger) -> None:
    """Many who follow ask for it, ten times a second."""
    UploadJourney(ledger)
    with ledger.pool.connection() as connection, connection.transaction():
        connection.execute("SET LOCAL enable_seqscan = off")
        connection.execute("SET LOCAL enable_sort = off")
        values = {"workspace": ledger.workspace_id, "after": 0, "limit": 100, "upload": None}
        plan = connection.execute(f"EXPLAIN {CHANGED}", values).fetchall()
    text = "\n".join(row[0] for row in plan)
    assert "Sort" not in text
    assert "upload_workspace_id_position" in text
