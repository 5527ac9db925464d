"""Receiving an export: once, completely or not at all, and nothing without its event."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import ProgrammingError

from application.archive import Accepted, CommandIdReusedError, NotFoundError
from application.commands.create_workspace import CreateWorkspace, CreateWorkspaceHandler
from application.commands.receive_upload import (
    ReceiveUpload,
    ReceiveUploadHandler,
    UploadRefusedError,
)
from application.commands.retry_upload import RetryUpload, RetryUploadHandler
from application.context import Context
from application.uploads import UploadOptionsError, clean_filename
from domain.upload import NothingToRetryError, RefusedUpload, Upload
from domain.workspace import Workspace, WorkspaceNameError
from tests.support.archive import Ledger, open_ledger
from tests.support.memory_blobs import MemoryBlobStore
from tests.support.shared_ledger import own_ledger, recorded_in, shared_ledger

__all__ = ["own_ledger", "shared_ledger"]


LIMIT = 1000
KINDS = (
    Upload.Received,
    Upload.ReceivedAgain,
    Upload.Rejected,
    Upload.Failed,
    Upload.RetryRequested,
    Upload.Withdrawn,
    RefusedUpload.Refused,
)
CHAT = b"[1/2/24, 10:00] Ada: hello"


class Desk:
    """A ledger, blobs, and the handlers on top of them."""

    def __init__(self, ledger: Ledger, blobs: MemoryBlobStore | None = None) -> None:
        self.ledger = ledger
        self.blobs = blobs or MemoryBlobStore()
        self.receive = ReceiveUploadHandler(
            ledger.archive, self.blobs, max_bytes=LIMIT, formats={"whatsapp", "slack"}
        )
        self.retry = RetryUploadHandler(ledger.archive)
        self.create_workspace = CreateWorkspaceHandler(ledger.archive)

    def send(
        self, content: bytes = CHAT, *, filename: str = "chat.txt", **changes: Any
    ) -> Accepted:
        options = changes.pop("options", {})
        command = ReceiveUpload(filename=filename, options=options)
        chunks = [content[:7], content[7:]] if content else []
        return self.receive(command, chunks, self.ledger.context(**changes))

    def upload(self, accepted: Accepted) -> Upload:
        return self.ledger.archive.load(Upload, UUID(accepted.result["upload_id"]))

    def events(self) -> list[Any]:
        ledger = self.ledger
        found = recorded_in(ledger, ledger.workspace_id, *KINDS)
        return [recorded.event for recorded in found]


@pytest.fixture
def desk(own_ledger: Ledger) -> Desk:
    return Desk(own_ledger)


def test_an_upload_is_received_with_its_blob(desk: Desk) -> None:
    accepted = desk.send(options={"timezone": "Europe/Berlin", "format": "whatsapp", "columns": {}})
    upload = desk.upload(accepted)
    assert accepted.result["again"] is False
    assert accepted.result["sha256"] == upload.sha256
    assert (upload.size, upload.filename) == (len(CHAT), "chat.txt")
    assert upload.options == {"timezone": "Europe/Berlin", "format": "whatsapp"}
    assert upload.workspace_id == desk.ledger.workspace_id
    assert desk.blobs.open(upload.blob).read() == CHAT
    assert accepted.position == desk.ledger.head()


def test_the_same_bytes_again_are_the_same_upload(desk: Desk) -> None:
    first, second = desk.send(), desk.send(filename="copy.txt")
    assert second.result == {**first.result, "again": True}
    assert [type(event) for event in desk.events()] == [Upload.Received, Upload.ReceivedAgain]
    assert len(desk.blobs.blobs) == 1


def test_the_same_bytes_in_another_workspace_are_another_upload(desk: Desk) -> None:
    first, second = desk.send(), desk.send(workspace_id=uuid4())
    assert second.result["again"] is False
    assert first.result["upload_id"] != second.result["upload_id"]


def test_a_repeated_command_gets_the_first_answer(desk: Desk) -> None:
    command_id = uuid4()
    first, second = desk.send(command_id=command_id), desk.send(command_id=command_id)
    assert first == second
    assert len(desk.events()) == 1


def test_a_command_id_is_good_for_one_file(desk: Desk) -> None:
    command_id = uuid4()
    desk.send(command_id=command_id)
    with pytest.raises(CommandIdReusedError, match="take a new one"):
        desk.send(b"another file", command_id=command_id)
    assert len(desk.events()) == 1
    assert len(desk.blobs.blobs) == 1


def test_a_command_id_is_good_for_one_command_in_one_workspace(desk: Desk) -> None:
    """Nobody gets an answer that was meant for another workspace."""
    command_id = uuid4()
    accepted = desk.send(command_id=command_id)
    retry = RetryUpload(upload_id=desk.upload(accepted).id)
    with pytest.raises(CommandIdReusedError, match="take a new one"):
        desk.retry(retry, desk.ledger.context(command_id=command_id))
    with pytest.raises(CommandIdReusedError, match="take a new one"):
        desk.send(command_id=command_id, workspace_id=uuid4())
    assert [type(event) for event in desk.events()] == [Upload.Received]


def test_bytes_whose_event_cannot_be_recorded_do_not_stay(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise ProgrammingError("the log is not to be written")

    with monkeypatch.context() as patch:
        patch.setattr(desk.ledger.archive.event_log, "insert_events", refuse)
        with pytest.raises(ProgrammingError):
            desk.send()
        assert desk.blobs.blobs == {}
    desk.send()
    with monkeypatch.context() as patch:
        patch.setattr(desk.ledger.archive.event_log, "insert_events", refuse)
        with pytest.raises(ProgrammingError):
            desk.send()
    assert len(desk.blobs.blobs) == 1


def test_bytes_stay_whose_event_was_recorded_but_not_confirmed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = desk.ledger.archive.event_log
    insert = log.insert_events

    def lose_answer(*arguments: Any, **more: Any) -> Any:
        insert(*arguments, **more)
        raise ProgrammingError("who knows")

    monkeypatch.setattr(log, "insert_events", lose_answer)
    with pytest.raises(ProgrammingError):
        desk.send()
    assert len(desk.blobs.blobs) == 1


def test_other_options_for_a_file_that_needs_none_are_said_to_be_ignored(desk: Desk) -> None:
    desk.send(options={"timezone": "Europe/Berlin"})
    same = desk.send(options={"timezone": "Europe/Berlin"})
    none = desk.send()
    other = desk.send(options={"timezone": "Europe/Rome"})
    said = ["options_ignored" in each.result for each in (same, none, other)]
    assert said == [False, False, True]


def test_what_was_read_in_part_takes_no_other_options(desk: Desk) -> None:
    upload = desk.upload(desk.send())
    upload.start_reading(from_batch=0)
    upload.fail(stage="reading", reason="out of memory", attempt=5, is_final=True)
    desk.ledger.record(upload)
    with pytest.raises(UploadOptionsError, match="without other options"):
        desk.send(options={"timezone": "Europe/Rome"})
    desk.send()
    assert isinstance(desk.events()[-1], Upload.RetryRequested)


def test_the_stored_answer_holds_no_hash_of_the_file(desk: Desk) -> None:
    command_id = uuid4()
    desk.send(command_id=command_id)
    first = desk.ledger.archive.event_log.first_answer(command_id)
    assert first is not None
    assert first.result.keys() == {"upload_id", "again"}


@pytest.mark.parametrize("how", ["failed", "rejected"])
def test_what_failed_is_tried_again_when_it_comes_again(desk: Desk, how: str) -> None:
    upload = desk.upload(desk.send())
    if how == "failed":
        upload.fail(stage="reading", reason="out of memory", attempt=1, is_final=True)
    else:
        upload.reject("not a chat export")
    desk.ledger.record(upload)
    desk.send()
    kinds = [type(event) for event in desk.events()][-2:]
    assert kinds == [Upload.ReceivedAgain, Upload.RetryRequested]


def test_what_was_withdrawn_comes_again_as_a_new_upload(desk: Desk) -> None:
    upload = desk.upload(desk.send())
    upload.withdraw()
    desk.ledger.record(upload)
    desk.blobs.delete(upload.blob)
    again = desk.send()
    event = desk.events()[-1]

    assert (again.result["again"], again.result["after_withdrawal_of"]) == (False, str(upload.id))
    assert again.result["upload_id"] == str(event.originator_id) != str(upload.id)
    assert (event.TOPIC, event.after) == (Upload.Received.TOPIC, str(upload.id))
    assert desk.blobs.exists(upload.blob)
    assert desk.send().result["upload_id"] == again.result["upload_id"]
    assert type(desk.events()[-1]) is Upload.ReceivedAgain


def test_a_command_repeated_after_the_withdrawal_gets_its_first_answer(desk: Desk) -> None:
    """It did what it says, once; to send the file anew is another command."""
    command_id = uuid4()
    first = desk.send(command_id=command_id)
    upload = desk.upload(first)
    upload.withdraw()
    desk.ledger.record(upload)
    recorded = len(desk.events())

    assert desk.send(command_id=command_id).result == first.result
    assert len(desk.events()) == recorded
    assert desk.blobs.open_writers == 0


@pytest.mark.parametrize(
    ("content", "kind", "received"), [(b"", "empty", 0), (b"x" * (LIMIT + 1), "too_large", 7)]
)
def test_a_refusal_is_a_fact(desk: Desk, content: bytes, kind: str, received: int) -> None:
    with pytest.raises(UploadRefusedError, match=r"^chat\.txt: it is ") as caught:
        desk.send(content)
    [event] = desk.events()
    assert caught.value.kind == kind
    assert (event.received, event.filename) == (received, "chat.txt")
    assert event.reason in str(caught.value)
    assert (desk.blobs.blobs, desk.blobs.open_writers) == ({}, 0)


def test_a_full_disk_is_a_refusal(desk: Desk) -> None:
    desk.blobs.room = 10
    with pytest.raises(UploadRefusedError, match="disk is full") as caught:
        desk.send()
    assert caught.value.kind == "no_room"
    assert isinstance(desk.events()[-1], RefusedUpload.Refused)
    desk.blobs.room = None
    assert desk.send().result["again"] is False


def test_a_refused_command_may_be_repeated(desk: Desk) -> None:
    command_id = uuid4()
    desk.blobs.room = 10
    with pytest.raises(UploadRefusedError):
        desk.send(command_id=command_id)
    desk.blobs.room = None
    assert desk.send(command_id=command_id).result["again"] is False


def test_too_many_announced_bytes_are_refused_before_any_comes(desk: Desk) -> None:
    with pytest.raises(UploadRefusedError) as caught:
        desk.receive.begin(
            ReceiveUpload(filename="big.zip"), desk.ledger.context(), announced=LIMIT + 1
        )
    assert caught.value.kind == "too_large"
    assert desk.events()[-1].received == 0


def test_a_source_that_breaks_leaves_its_fact_and_nothing_else(desk: Desk) -> None:
    def broken() -> Iterator[bytes]:
        yield b"12345"
        raise OSError("the stick was pulled")

    with pytest.raises(OSError, match="stick"):
        desk.receive(ReceiveUpload(filename="a.txt"), broken(), desk.ledger.context())
    [event] = desk.events()
    assert event.reason == "it was cut off after 5 bytes"
    assert (desk.blobs.blobs, desk.blobs.open_writers) == ({}, 0)


def test_cutting_off_what_is_settled_changes_nothing(desk: Desk) -> None:
    with desk.receive.begin(ReceiveUpload(filename="a"), desk.ledger.context()) as receiving:
        receiving.write(CHAT)
        receiving.finish()
        receiving.cut_off("too late")
    assert len(desk.events()) == 1
    with pytest.raises(ValueError, match="settled"):
        receiving.write(b"more")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"timezone": "Europe/Atlantis"}, "IANA"),
        ({"timezone": "../../etc/passwd"}, "IANA"),
        ({"timezone": "Europe"}, "IANA"),
        ({"date_order": "ydm"}, "ymd, dmy, mdy"),
        ({"format": "fax"}, "slack, whatsapp"),
        ({"colour": "red"}, "no option 'colour'"),
        ({"columns": {str(number): "x" for number in range(51)}}, "at most 50"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_once(
    desk: Desk, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(UploadOptionsError, match=says):
        desk.send(options=options)
    assert desk.events() == []


def test_two_processes_that_receive_the_same_bytes_agree(desk: Desk) -> None:
    with open_ledger(desk.ledger.url) as opened:
        other = replace(opened, workspace_id=desk.ledger.workspace_id)
        desks = [desk, Desk(other, desk.blobs)] * 4
        start = threading.Barrier(len(desks))
        answers: list[Accepted] = []

        def send(each: Desk) -> None:
            start.wait()
            answers.append(each.send())

        threads = [threading.Thread(target=send, args=(each,)) for each in desks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(answers) == len(desks)
    assert sorted(answer.result["again"] for answer in answers) == [False, *[True] * 7]
    assert len({answer.result["upload_id"] for answer in answers}) == 1
    kinds = [type(event) for event in desk.events()]
    assert kinds == [Upload.Received, *[Upload.ReceivedAgain] * 7]


@pytest.mark.parametrize(
    ("given", "clean"),
    [
        ("chat.txt", "chat.txt"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ada\\Chat mit Grace.zip", "Chat mit Grace.zip"),
        ("/", "unnamed"),
        ("..", "unnamed"),
        ("", "unnamed"),
        ("a\x00b\nc\x1b[31m.txt", "abc[31m.txt"),
        ("evil\u202etxt.exe", "eviltxt.exe"),
        ("\ud800half.txt", "half.txt"),
        ("  two   spaces\t.txt ", "two spaces.txt"),
        ("Gru\u0308ße \U0001f468\u200d\U0001f469.json", "Grüße \U0001f468\u200d\U0001f469.json"),
        ("x" * 300 + ".json", "x" * 250 + ".json"),
        ("x" * 300, "x" * 255),
        ("x." + "y" * 300, "x." + "y" * 253),
    ],
)
def test_a_filename_is_shown_and_never_a_path(given: str, clean: str) -> None:
    assert clean_filename(given) == clean


def test_retrying_stays_inside_the_workspace(desk: Desk) -> None:
    upload = desk.upload(desk.send())
    outsider = desk.ledger.context(workspace_id=uuid4())
    with pytest.raises(NotFoundError):
        desk.retry(RetryUpload(upload_id=upload.id), outsider)
    with pytest.raises(NotFoundError):
        desk.retry(RetryUpload(upload_id=uuid4()), desk.ledger.context())


def test_what_is_not_searchable_yet_is_tried_again(desk: Desk) -> None:
    """Also where no failure is known: its job may have been discarded."""
    upload = desk.upload(desk.send())
    retry = RetryUpload(upload_id=upload.id)
    desk.retry(retry, desk.ledger.context())
    assert isinstance(desk.events()[-1], Upload.RetryRequested)
    upload = desk.ledger.archive.load(Upload, upload.id)
    upload.finish_embedding(model="m", embedded=1, reused=0)
    desk.ledger.record(upload)
    with pytest.raises(NothingToRetryError):
        desk.retry(retry, desk.ledger.context())


def test_a_workspace_is_created_by_whoever_names_it_first(desk: Desk) -> None:
    context = Context(actor_id=uuid4(), workspace_id=None)
    first = desk.create_workspace(CreateWorkspace(name=" Team A "), context)
    second = desk.create_workspace(CreateWorkspace(name="team a"), context)
    assert first.result == {
        "workspace_id": str(Workspace.create_id("Team A")),
        "name": "Team A",
        "is_new": True,
    }
    assert second.result == {**first.result, "is_new": False}
    assert second.position == first.position
    with pytest.raises(WorkspaceNameError):
        desk.create_workspace(CreateWorkspace(name="\n"), replace(context, workspace_id=uuid4()))
