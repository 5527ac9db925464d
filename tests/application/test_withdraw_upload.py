"""Withdrawing: once, in one's own workspace; the bytes go unless somebody sent them again."""

from __future__ import annotations

import threading
from typing import Any
from uuid import UUID, uuid4

import pytest

from application.archive import Accepted, CommandIdReusedError, NotFoundError
from application.commands.delete_withdrawn_blob import (
    DeleteWithdrawnBlob,
    DeleteWithdrawnBlobHandler,
    SweepWithdrawnBlobsHandler,
)
from application.commands.receive_upload import ReceiveUpload, ReceiveUploadHandler
from application.commands.withdraw_upload import WithdrawUpload, WithdrawUploadHandler
from application.policies.delete_withdrawn_blobs import delete_withdrawn_blobs
from application.ports.jobs import Stopped
from domain.upload import Upload, UploadWithdrawnError
from tests.support.archive import Ledger
from tests.support.memory_blobs import MemoryBlobStore
from tests.support.memory_previews import MemoryPreviews
from tests.support.shared_ledger import own_ledger, shared_ledger

__all__ = ["own_ledger", "shared_ledger"]


class Desk:
    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.blobs = MemoryBlobStore()
        self.receive = ReceiveUploadHandler(ledger.archive, self.blobs, max_bytes=100)
        self._withdraw = WithdrawUploadHandler(ledger.archive)
        self._delete = DeleteWithdrawnBlobHandler(ledger.archive, self.blobs, MemoryPreviews())

    def send(self, content: bytes = b"chat") -> Upload:
        accepted = self.receive(
            ReceiveUpload(filename="chat.txt"), [content], self.ledger.context()
        )
        return self.ledger.archive.load(Upload, UUID(accepted.result["upload_id"]))

    def withdraw(self, upload: Upload, **changes: Any) -> Accepted:
        context = self.ledger.context(**changes)
        return self._withdraw(WithdrawUpload(upload_id=upload.id), context)

    def delete(self, upload: Upload) -> None:
        self._delete(DeleteWithdrawnBlob(upload_id=upload.id))

    def sweeper(self, *ids: UUID) -> SweepWithdrawnBlobsHandler:
        return SweepWithdrawnBlobsHandler(lambda: ids, self._delete)

    def sweep(self, *ids: UUID) -> None:
        self.sweeper(*ids)(should_stop=lambda: False)


@pytest.fixture
def desk(own_ledger: Ledger) -> Desk:
    return Desk(own_ledger)


def test_the_bytes_of_a_withdrawn_upload_are_deleted_and_no_others(desk: Desk) -> None:
    gone, kept = desk.send(), desk.send(b"other")
    desk.withdraw(gone)
    desk.delete(gone)
    desk.delete(gone)
    desk.delete(kept)

    assert not desk.blobs.exists(gone.blob)
    assert desk.blobs.exists(kept.blob)


def test_bytes_that_came_again_stay(desk: Desk) -> None:
    """The deletion is a job: it may run long after."""
    first = desk.send()
    desk.withdraw(first)
    second = desk.send()
    desk.delete(first)
    assert desk.blobs.exists(second.blob)
    desk.withdraw(second)
    desk.delete(first)

    assert not desk.blobs.exists(second.blob)
    assert len({first.id, second.id, desk.send().id}) == 3


def test_the_same_bytes_in_another_workspace_stay(desk: Desk) -> None:
    mine = desk.send()
    context = desk.ledger.context(workspace_id=uuid4())
    other = desk.receive(ReceiveUpload(filename="chat.txt"), [b"chat"], context)
    desk.withdraw(mine)
    desk.delete(mine)
    blob = desk.ledger.archive.load(Upload, UUID(other.result["upload_id"])).blob

    assert desk.blobs.exists(blob)


def test_bytes_that_come_while_they_are_deleted_are_not_lost(desk: Desk) -> None:
    """Whichever is first: an upload that is recorded has its bytes."""
    for round_ in range(20):
        content = f"chat {round_}".encode()
        first = desk.send(content)
        desk.withdraw(first)
        threads = [
            threading.Thread(target=desk.delete, args=(first,)),
            threading.Thread(target=desk.send, args=(content,)),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert desk.blobs.exists(first.blob), round_


def test_withdrawing_is_a_command_with_an_answer_of_its_own(desk: Desk) -> None:
    upload, command_id = desk.send(), uuid4()
    first = desk.withdraw(upload, command_id=command_id)

    assert desk.withdraw(upload, command_id=command_id) == first
    with pytest.raises(UploadWithdrawnError):
        desk.withdraw(upload, command_id=uuid4())
    with pytest.raises(CommandIdReusedError):
        desk.withdraw(desk.send(b"other"), command_id=command_id)


def test_another_workspaces_upload_is_not_there(desk: Desk) -> None:
    upload = desk.send()
    with pytest.raises(NotFoundError):
        desk.withdraw(upload, workspace_id=uuid4())

    assert desk.ledger.archive.load(Upload, upload.id).stage == "received"


def test_the_deletion_is_asked_for_with_the_withdrawal_alone(desk: Desk) -> None:
    upload = desk.send()
    assert list(delete_withdrawn_blobs(upload)) == []
    upload.withdraw()
    [event] = upload.collect_events()
    [job] = delete_withdrawn_blobs(event)

    assert job.arguments == {"upload_id": str(upload.id)}


def test_bytes_that_their_own_job_left_are_swept(desk: Desk) -> None:
    """It was discarded, or is not tried again: nobody else would ever delete them."""
    gone, again, kept = desk.send(), desk.send(b"again"), desk.send(b"kept")
    for upload in (gone, again):
        desk.withdraw(upload)
    desk.send(b"again")
    desk.sweep(gone.id, again.id, kept.id)

    assert not desk.blobs.exists(gone.blob)
    assert desk.blobs.exists(again.blob)
    assert desk.blobs.exists(kept.blob)


def test_one_that_cannot_go_keeps_no_other_and_is_tried_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, gone = desk.send(b"stuck"), desk.send(b"gone")
    for upload in (stuck, gone):
        desk.withdraw(upload)
    delete = desk.blobs.delete
    tried: list[str] = []

    def hindered(address: str) -> None:
        tried.append(address)
        if address == stuck.blob and len(tried) < 3:
            raise PermissionError(13, "denied")
        delete(address)

    monkeypatch.setattr(desk.blobs, "delete", hindered)
    sweep = desk.sweeper(stuck.id, gone.id)
    with pytest.raises(PermissionError):
        sweep(should_stop=lambda: False)
    assert not desk.blobs.exists(gone.blob)
    sweep(should_stop=lambda: False)
    sweep(should_stop=lambda: False)

    assert tried == [stuck.blob, gone.blob, stuck.blob]
    assert not desk.blobs.exists(stuck.blob)


def test_a_sweep_stops_when_it_is_asked_to(desk: Desk) -> None:
    upload = desk.send()
    desk.withdraw(upload)
    with pytest.raises(Stopped):
        desk.sweeper(upload.id)(should_stop=lambda: True)

    assert desk.blobs.exists(upload.blob)
