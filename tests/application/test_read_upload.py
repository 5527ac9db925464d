"""Reading an upload: what is recorded, whatever stops it, and what is said of a bad file."""

from __future__ import annotations

import errno
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import pytest

from application.commands.read_upload import (
    MAX_WARNINGS,
    ReaderChangedError,
    ReadingDiffersError,
    ReadUpload,
    ReadUploadHandler,
)
from application.commands.record_upload_failure import (
    RecordUploadFailure,
    RecordUploadFailureHandler,
)
from application.ports.blobs import BlobMissingError
from application.ports.chat_reader import ReadItem, ReadWarning, UnreadableExportError
from application.ports.jobs import Stopped
from application.preview import Previewer
from application.transcription import MAX_BATCH_CHARACTERS, Transcriber, batches
from domain.transcript import Transcript
from domain.upload import Upload
from tests.support.archive import Ledger
from tests.support.chats import ListReader, OneReader, message, receive, room
from tests.support.memory_blobs import MemoryBlobStore
from tests.support.memory_previews import MemoryPreviews
from tests.support.shared_ledger import own_ledger, recorded_in, shared_ledger

__all__ = ["own_ledger", "shared_ledger"]

BROKEN = ReadWarning("chat.txt", 7, "the file ends in the middle of a message", is_fatal=True)


def never() -> bool:
    return False


def stopping_after(questions: int) -> Callable[[], bool]:
    """Says no so many times, and yes from then on."""
    asked = itertools.count()
    return lambda: next(asked) >= questions


@dataclass
class Desk:
    """One upload and the handler that reads it."""

    ledger: Ledger
    items: list[ReadItem | Exception]
    blobs: MemoryBlobStore = field(default_factory=MemoryBlobStore)

    def __post_init__(self) -> None:
        self.reader = ListReader(self.items)
        self.registry = OneReader(self.reader)
        self.id = receive(self.ledger, self.blobs).id

    def read(self, should_stop: Callable[[], bool] = never) -> None:
        handler = ReadUploadHandler(
            self.ledger.archive,
            self.blobs,
            self.registry,
            self.ledger.pseudonyms,
            previewer=Previewer(),
            previews=MemoryPreviews(),
        )
        handler(ReadUpload(upload_id=self.id), should_stop=should_stop)

    @property
    def upload(self) -> Upload:
        return self.ledger.archive.load(Upload, self.id)

    def events(self, *kinds: Any) -> list[Any]:
        found = recorded_in(self.ledger, self.ledger.workspace_id, *kinds)
        return [recorded.event for recorded in found]

    def transcripts(self) -> list[tuple[Any, ...]]:
        return [content(event) for event in self.events(Transcript.Recorded)]

    def made(self) -> list[Transcript]:
        """What one undisturbed run records."""
        workspace_id = self.ledger.workspace_id
        transcriber = Transcriber(
            self.ledger.pseudonyms, workspace_id=workspace_id, format=self.reader.format
        )
        read = [item for item in self.items if not isinstance(item, Exception)]
        return [
            transcriber.transcribe(self.id, number, batch, known)
            for number, (batch, known) in enumerate(batches(read))
        ]

    def expected(self) -> list[tuple[Any, ...]]:
        return [content(event) for made in self.made() for event in made.collect_events()]


def content(e: Any) -> tuple[Any, ...]:
    """What a transcript says, apart from when it was recorded."""
    return (e.originator_id, e.batch, e.texts, e.conversations, e.authors, e.slots, e.blocks)


def batches_of_one(count: int) -> list[ReadItem | Exception]:
    return [room(), *(message(n, f"{n} " + "x" * MAX_BATCH_CHARACTERS) for n in range(count))]


def test_an_upload_is_inspected_then_read(own_ledger: Ledger) -> None:
    desk = Desk(own_ledger, [room("Team"), *(message(n, f"text {n}") for n in range(501))])
    desk.read()
    [inspected] = desk.events(Upload.Inspected)
    [read] = desk.events(Upload.Read)

    assert (inspected.format, inspected.messages, inspected.is_complete) == ("list", 501, True)
    assert (inspected.reason, inspected.warnings) == ("the test says so", [])
    assert (read.batches, read.messages) == (2, 501)
    assert [len(t[5]) for t in desk.transcripts()] == [500, 1]
    assert (desk.upload.stage, desk.reader.passes) == ("read", 2)


def test_a_repeated_job_changes_nothing(own_ledger: Ledger) -> None:
    desk = Desk(own_ledger, [message(0)])
    desk.read()
    head = own_ledger.head()
    desk.read()

    assert own_ledger.head() == head


@pytest.mark.parametrize("questions", range(5))
def test_a_stopped_run_records_whole_batches_and_the_next_one_the_rest(
    own_ledger: Ledger, questions: int
) -> None:
    desk = Desk(own_ledger, batches_of_one(4))
    with pytest.raises(Stopped):
        desk.read(stopping_after(questions))
    recorded = max(0, questions - 1)  # the first question is the inspection's
    assert len(desk.transcripts()) == recorded
    desk.read()

    [read] = desk.events(Upload.Read)
    started = [event.from_batch for event in desk.events(Upload.ReadingStarted)]
    assert desk.transcripts() == desk.expected()
    assert (read.batches, read.messages) == (4, 4)
    assert started == ([0] if questions == 0 else [0, recorded])
    assert len(desk.events(Upload.Inspected)) == 1


def test_a_run_that_is_stopped_again_and_again_ends_in_the_same_log(own_ledger: Ledger) -> None:
    desk = Desk(own_ledger, [room(), *(message(n, f"text {n}") for n in range(1_200))])
    for questions in (0, 1, 2, 0, 1, 2):
        with pytest.raises(Stopped):
            desk.read(stopping_after(questions))
    desk.read()

    assert desk.transcripts() == desk.expected()
    assert desk.upload.stage == "read"


def test_a_stop_is_heeded_while_recorded_batches_are_passed_over(own_ledger: Ledger) -> None:
    """Reading on to where a killed worker stopped takes long for a large file."""
    desk = Desk(own_ledger, batches_of_one(4))
    with pytest.raises(Stopped):
        desk.read(stopping_after(4))
    seen: list[int] = []
    desk.reader.on_item = seen.append
    with pytest.raises(Stopped):
        desk.read(stopping_after(0))

    assert seen == [0, 1]  # the room and the first message
    assert len(desk.transcripts()) == 3


def test_a_long_inspection_heeds_a_stop(own_ledger: Ledger) -> None:
    desk = Desk(own_ledger, [message(n) for n in range(2_500)])
    seen: list[int] = []
    desk.reader.on_item = seen.append
    with pytest.raises(Stopped):
        desk.read(stopping_after(2))

    assert seen[-1] == 2_000
    assert desk.upload.stage == "received"


def test_a_batch_that_another_worker_recorded_is_passed_over(own_ledger: Ledger) -> None:
    """One that was thought dead goes on: each batch is there once."""
    desk = Desk(own_ledger, batches_of_one(3))

    def interfere(number: int) -> None:
        if desk.reader.passes == 2 and number == 1:
            own_ledger.record(*desk.made()[:2])

    desk.reader.on_item = interfere
    desk.read()

    assert desk.transcripts() == desk.expected()
    assert desk.upload.stage == "read"


def test_a_file_that_cannot_be_read_is_rejected_with_place_and_reason(own_ledger: Ledger) -> None:
    refusal = UnreadableExportError(file="chat.txt", line=3, reason="no line has a time")
    desk = Desk(own_ledger, [refusal])
    desk.read()
    [rejected] = desk.events(Upload.Rejected)

    assert rejected.reason == "chat.txt, line 3: no line has a time"
    assert desk.upload.stage == "rejected"
    assert desk.transcripts() == []
    head = own_ledger.head()
    desk.read()
    assert own_ledger.head() == head


def test_a_file_that_nobody_knows_is_rejected(own_ledger: Ledger) -> None:
    desk = Desk(own_ledger, [])
    desk.registry.refusal = UnreadableExportError(file="chat.txt", reason="no format known here")
    desk.read()

    assert [e.reason for e in desk.events(Upload.Rejected)] == ["chat.txt: no format known here"]


def test_an_export_without_a_message_is_rejected(own_ledger: Ledger) -> None:
    desk = Desk(own_ledger, [room()])
    desk.read()

    assert [e.reason for e in desk.events(Upload.Rejected)] == [
        "chat.txt: a list export without any message"
    ]


def test_an_export_of_system_notices_alone_is_read(own_ledger: Ledger) -> None:
    desk = Desk(own_ledger, [message(0, "joined", author=None, kind="system")])
    desk.read()

    assert desk.upload.stage == "read"
    assert [t[2] for t in desk.transcripts()] == [0]


def test_a_rejected_upload_is_read_after_a_retry_with_other_options(own_ledger: Ledger) -> None:
    desk = Desk(own_ledger, [UnreadableExportError(file="chat.txt", reason="which order?")])
    desk.read()
    desk.reader.items = [message(0)]
    upload = desk.upload
    upload.request_retry({"format": "list"})
    own_ledger.record(upload)
    desk.read()
    [inspected] = desk.events(Upload.Inspected)

    assert inspected.reason == "stated by the uploader"
    assert desk.upload.stage == "read"


def test_a_broken_tail_is_left_out_and_the_upload_says_so(own_ledger: Ledger) -> None:
    desk = Desk(own_ledger, [room(), message(0), message(1), BROKEN])
    desk.read()
    [inspected] = desk.events(Upload.Inspected)

    assert inspected.is_complete is False
    assert inspected.warnings == [
        {
            "file": "chat.txt",
            "line": 7,
            "reason": "the file ends in the middle of a message (reading ended here)",
        }
    ]
    assert [len(t[5]) for t in desk.transcripts()] == [2]
    assert desk.upload.stage == "read"


def test_many_warnings_are_counted_and_never_hide_what_ended_the_reading(
    own_ledger: Ledger,
) -> None:
    small = [ReadWarning("chat.txt", n, "no time") for n in range(2_000)]
    desk = Desk(own_ledger, [room(), message(0), *small, BROKEN])
    desk.read()
    [inspected] = desk.events(Upload.Inspected)
    *listed, fatal, more = inspected.warnings

    assert [w["line"] for w in listed] == list(range(MAX_WARNINGS))
    assert fatal["line"] == 7
    assert more == {
        "file": "chat.txt",
        "line": None,
        "reason": "1900 more warnings are not listed",
    }


def test_a_missing_blob_is_no_fault_of_the_file(own_ledger: Ledger) -> None:
    """It is not rejected: the job fails, and is tried again."""
    desk = Desk(own_ledger, [message(0)])
    desk.reader.on_item = lambda _: desk.blobs.open("gone")  # type: ignore[assignment, return-value]
    with pytest.raises(BlobMissingError):
        desk.read()

    assert desk.upload.stage == "received"


@pytest.mark.parametrize("passes", [1, 2])
def test_a_disk_that_fails_is_no_fault_of_the_file(own_ledger: Ledger, passes: int) -> None:
    """The job fails, and its next attempt records every message."""
    desk = Desk(own_ledger, batches_of_one(3))

    def fail(number: int) -> None:
        if (desk.reader.passes, number) == (passes, 2):
            raise OSError(errno.EIO, "Input/output error")

    desk.reader.on_item = fail
    with pytest.raises(OSError, match="Input/output"):
        desk.read()
    assert desk.upload.stage == ("received" if passes == 1 else "reading")
    desk.read()
    assert desk.upload.stage == "read"
    assert desk.transcripts() == desk.expected()


def test_what_a_newer_reader_rejects_can_be_read_as_another_format(own_ledger: Ledger) -> None:
    desk = Desk(own_ledger, [message(0)])
    with pytest.raises(Stopped):
        desk.read(stopping_after(1))
    desk.reader.version = 2
    desk.reader.items = [UnreadableExportError(file="chat.txt", reason="no such format")]
    desk.read()
    upload = desk.upload
    upload.request_retry({"format": "other"})
    own_ledger.record(upload)
    desk.registry.reader = ListReader([message(0)], format="other")
    desk.read()
    assert (desk.upload.stage, desk.upload.format) == ("read", "other")


def test_a_withdrawn_upload_is_not_read(own_ledger: Ledger) -> None:
    desk = Desk(own_ledger, [message(0)])
    upload = desk.upload
    upload.withdraw()
    own_ledger.record(upload)
    desk.read()

    assert desk.reader.passes == 0


def test_a_second_pass_that_finds_other_messages_does_not_count_as_read(
    own_ledger: Ledger,
) -> None:
    """It is a failure that shows, never an archive that silently lacks something."""
    desk = Desk(own_ledger, [message(0), message(1, author=None, kind="system")])

    def lose_one(number: int) -> None:
        if desk.reader.passes == 1 and number == 1:
            desk.reader.items = [message(0)]  # from the second pass on

    desk.reader.on_item = lose_one
    with pytest.raises(ReadingDiffersError, match="messages read: 1, found by the inspection: 2"):
        desk.read()
    assert desk.upload.stage == "reading"


def test_what_one_version_of_a_reader_began_no_other_one_ends(own_ledger: Ledger) -> None:
    desk = Desk(own_ledger, batches_of_one(3))
    with pytest.raises(Stopped):
        desk.read(stopping_after(2))
    assert len(desk.transcripts()) == 1
    desk.reader.version = 2
    with pytest.raises(ReaderChangedError, match=r"by version 1 .* this is version 2"):
        desk.read()
    assert len(desk.transcripts()) == 1
    desk.reader.version = 1
    desk.read()
    assert desk.transcripts() == desk.expected()


def test_a_newer_reader_inspects_anew_what_nobody_began_to_read(own_ledger: Ledger) -> None:
    desk = Desk(own_ledger, batches_of_one(3))
    with pytest.raises(Stopped):
        desk.read(stopping_after(1))
    desk.reader.version = 2
    desk.reader.items = batches_of_one(2)
    desk.read()
    inspected = [(e.reader_version, e.messages) for e in desk.events(Upload.Inspected)]
    assert inspected == [(1, 3), (2, 2)]
    assert desk.upload.stage == "read"


@pytest.mark.parametrize("moment", [1, 2])
def test_the_same_file_sent_again_does_not_disturb_its_reading(
    own_ledger: Ledger, moment: int
) -> None:
    desk = Desk(own_ledger, batches_of_one(2))

    def send_again(number: int) -> None:
        if (desk.reader.passes, number) == (moment, 1):
            upload = desk.upload
            upload.receive_again("copy.txt")
            own_ledger.record(upload)

    desk.reader.on_item = send_again
    desk.read()
    assert desk.upload.stage == "read"
    assert len(desk.events(Upload.Inspected, Upload.Read, Upload.ReceivedAgain)) == 3


@pytest.mark.parametrize("moment", [1, 2])
def test_reading_ends_quietly_when_the_upload_is_withdrawn(own_ledger: Ledger, moment: int) -> None:
    desk = Desk(own_ledger, batches_of_one(2))

    def withdraw(number: int) -> None:
        if (desk.reader.passes, number) == (moment, 1):
            upload = desk.upload
            upload.withdraw()
            own_ledger.record(upload)

    desk.reader.on_item = withdraw
    desk.read()
    assert desk.upload.stage == "withdrawn"
    assert desk.events(Upload.Read) == []


def test_reading_with_options_that_are_no_longer_meant_leaves_it_to_the_next_job(
    own_ledger: Ledger,
) -> None:
    desk = Desk(own_ledger, [message(0)])

    def change(number: int) -> None:
        if desk.reader.passes == 1:
            upload = desk.upload
            upload.request_retry({"timezone": "Europe/Rome"})
            own_ledger.record(upload)

    desk.reader.on_item = change
    desk.read()
    assert (desk.upload.stage, desk.transcripts()) == ("received", [])
    desk.read()
    assert desk.upload.stage == "read"


def test_what_a_job_records_belongs_to_the_request_that_asked_for_it(own_ledger: Ledger) -> None:
    desk = Desk(own_ledger, [message(0)])
    kinds = (Upload.Received, Upload.Inspected, Upload.ReadingStarted, Transcript.Recorded)
    desk.read()
    received, *rest = recorded_in(own_ledger, own_ledger.workspace_id, *kinds, Upload.Read)
    assert len(rest) == 4
    assert {recorded.correlation_id for recorded in rest} == {received.correlation_id}
    assert {recorded.causation_position for recorded in rest} == {received.position}


@pytest.mark.parametrize("stage", ["searchable", "withdrawn", "read"])
def test_a_late_failure_does_not_undo_what_another_worker_did(
    own_ledger: Ledger, stage: str
) -> None:
    desk = Desk(own_ledger, [message(0)])
    upload = desk.upload
    upload.record_read(batches=1, messages=1)
    if stage == "searchable":
        upload.finish_embedding(model="m", embedded=1, reused=0)
    if stage == "withdrawn":
        upload.withdraw()
    own_ledger.record(upload)
    fail = RecordUploadFailureHandler(own_ledger.archive)
    failure = RecordUploadFailure(
        upload_id=upload.id, stage="reading", reason="no memory", attempt=5, is_final=True
    )
    fail(failure)
    assert desk.upload.has_failed is False
    fail(replace(failure, stage="embedding"))
    assert desk.upload.has_failed is (stage == "read")
    fail(replace(failure, upload_id=uuid4()))


@pytest.mark.parametrize("reading_pass", [1, 2])
def test_a_job_that_is_discarded_while_it_runs_records_no_success_any_more(
    own_ledger: Ledger, reading_pass: int
) -> None:
    """In the middle of the inspection or of the reading, before the job hears of it."""
    desk = Desk(own_ledger, [message(n) for n in range(4)])

    def discard(number: int) -> None:
        if (desk.reader.passes, number) == (reading_pass, 2):
            upload = desk.upload
            upload.fail(stage="reading", reason="discarded", attempt=1, is_final=True)
            own_ledger.record(upload)

    desk.reader.on_item = discard
    desk.read()

    last = list(desk.ledger.archive.events.get(desk.id))[-1]
    assert isinstance(last, Upload.Failed)
    assert desk.upload.stage in {"received", "reading"}
    desk.read()  # its job is tried again
    assert desk.upload.stage == "read"
