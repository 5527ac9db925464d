"""What an upload allows and refuses."""

from __future__ import annotations

from uuid import uuid4

import pytest

from domain.upload import NothingToRetryError, OptionsSettledError, Upload, UploadWithdrawnError
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


def test_a_rejected_upload_is_tried_again_from_the_start_with_other_options() -> None:
    upload = received()
    upload.reject("unknown format")
    upload.request_retry({"format": "csv"})

    assert (upload.stage, upload.options) == ("received", {"format": "csv"})


def test_what_is_searchable_is_not_tried_again() -> None:
    upload = received()
    upload.finish_embedding(model="m", embedded=1, reused=0)
    with pytest.raises(NothingToRetryError):
        upload.request_retry()


def test_what_was_read_in_part_goes_on_with_the_same_options() -> None:
    """Two readings in one upload would be messages twice, under different times."""
    upload = received()
    upload.start_reading(from_batch=0)
    upload.fail(stage="reading", reason="no memory", attempt=5, is_final=True)
    with pytest.raises(OptionsSettledError, match="without other options"):
        upload.request_retry({"timezone": "Europe/Rome"})
    upload.request_retry({})

    assert (upload.stage, upload.has_failed) == ("reading", False)


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
