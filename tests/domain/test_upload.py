"""What an upload allows and refuses."""

from __future__ import annotations

from uuid import uuid4

import pytest

from domain.upload import NothingToRetryError, Upload, UploadWithdrawnError
from domain.workspace import MAX_NAME, Workspace, WorkspaceNameError


def received() -> Upload:
    return Upload.receive(
        workspace_id=uuid4(), blob="b", size=1, sha256="s", filename="chat.txt", options={}
    )


def test_the_same_bytes_in_one_workspace_are_one_upload() -> None:
    workspace, elsewhere = uuid4(), uuid4()

    assert Upload.create_id(workspace, "b") == Upload.create_id(workspace, "b")
    assert Upload.create_id(workspace, "b") != Upload.create_id(elsewhere, "b")


def test_an_upload_goes_from_received_to_searchable() -> None:
    upload = received()
    stages = [upload.stage]
    upload.start_reading(from_batch=0)
    stages.append(upload.stage)
    upload.record_read(batches=2, messages=700)
    stages.append(upload.stage)
    upload.finish_embedding(model="m", embedded=600, reused=100)
    stages.append(upload.stage)

    assert stages == ["received", "reading", "read", "searchable"]


def test_only_what_failed_or_was_rejected_can_be_tried_again() -> None:
    upload = received()
    with pytest.raises(NothingToRetryError):
        upload.request_retry()
    upload.reject("unknown format")
    upload.request_retry()

    assert upload.stage == "received"


def test_nothing_happens_to_a_withdrawn_upload() -> None:
    upload = received()
    upload.withdraw()
    with pytest.raises(UploadWithdrawnError):
        upload.start_reading(from_batch=0)
    with pytest.raises(UploadWithdrawnError):
        upload.receive_again("chat.txt")


@pytest.mark.parametrize("name", ["", "   ", "a\nb", "x" * (MAX_NAME + 1)])
def test_a_workspace_needs_a_printable_name(name: str) -> None:
    with pytest.raises(WorkspaceNameError):
        Workspace.create(name)


def test_names_that_differ_in_case_or_space_are_one_workspace() -> None:
    assert Workspace.create_id("Team A") == Workspace.create_id("  team a ")
