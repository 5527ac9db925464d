"""Commands around a confirmation: repeated, too late, or given by sending the file again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from application.archive import Accepted, NotFoundError
from application.commands.confirm_upload import ConfirmUpload, ConfirmUploadHandler
from application.commands.inspect_upload import InspectUpload, InspectUploadHandler
from application.commands.receive_upload import ReceiveUpload, ReceiveUploadHandler
from application.uploads import UploadOptionsError
from domain.upload import UnansweredError, Upload
from tests.support.archive import Ledger
from tests.support.memory_blobs import MemoryBlobStore
from tests.support.shared_ledger import own_ledger, recorded_in, shared_ledger

__all__ = ["own_ledger", "shared_ledger"]

FORMATS = ("whatsapp", "csv")
QUESTIONS = (Upload.InspectionRequested, Upload.Confirmed, Upload.RetryRequested)


@dataclass
class Desk:
    ledger: Ledger
    blobs: MemoryBlobStore = field(default_factory=MemoryBlobStore)

    def __post_init__(self) -> None:
        archive = self.ledger.archive
        self.receive = ReceiveUploadHandler(archive, self.blobs, max_bytes=100, formats=FORMATS)
        self.inspect = InspectUploadHandler(archive, formats=FORMATS)
        self.confirm = ConfirmUploadHandler(archive, formats=FORMATS)

    def send(self, *, confirm: bool = False, **options: Any) -> Accepted:
        command = ReceiveUpload(filename="chat.txt", options=options, confirm=confirm)
        return self.receive(command, [b"chat"], self.ledger.context())

    def held(self, *questions: str, **options: Any) -> UUID:
        id = UUID(self.send(**options).result["upload_id"])
        self.hold(id, *questions)
        return id

    def hold(self, id: UUID, *questions: str) -> None:
        upload = self.upload(id)
        upload.hold_back(questions)
        self.ledger.record(upload)

    def upload(self, id: UUID) -> Upload:
        return self.ledger.archive.load(Upload, id)

    def said(self) -> list[tuple[str, dict[str, Any]]]:
        found = recorded_in(self.ledger, self.ledger.workspace_id, *QUESTIONS)
        return [(recorded.topic, recorded.event.options) for recorded in found]


@pytest.fixture
def desk(own_ledger: Ledger) -> Desk:
    return Desk(own_ledger)


def test_a_repeated_command_gets_the_first_answer_and_leaves_no_second_event(desk: Desk) -> None:
    id = desk.held()
    context = desk.ledger.context(command_id=uuid4())
    first, second = (desk.confirm(ConfirmUpload(upload_id=id), context) for _ in range(2))

    assert first == second
    assert desk.said() == [("upload.confirmed", {})]


def test_confirming_again_under_another_id_is_harmless(desk: Desk) -> None:
    id = desk.held()
    for _ in range(2):
        desk.confirm(ConfirmUpload(upload_id=id), desk.ledger.context(command_id=uuid4()))

    assert desk.said() == [("upload.confirmed", {})]


def test_a_confirmation_adds_to_what_was_inspected(desk: Desk) -> None:
    """Whoever answers a question need not repeat the rest."""
    id = desk.held("date_order", timezone="Europe/Rome")
    with pytest.raises(UnansweredError):
        desk.confirm(ConfirmUpload(upload_id=id), desk.ledger.context())
    answer = ConfirmUpload(upload_id=id, options={"date_order": "dmy"})
    desk.confirm(answer, desk.ledger.context())

    said = {"timezone": "Europe/Rome", "date_order": "dmy"}
    assert desk.said() == [("upload.confirmed", said)]


def test_an_inspection_takes_the_options_as_they_are_said_now(desk: Desk) -> None:
    id = desk.held(timezone="Europe/Rome")
    for options in (None, {}, {"format": "csv"}):
        desk.inspect(InspectUpload(upload_id=id, options=options), desk.ledger.context())

    assert [options for _, options in desk.said()] == [
        {"timezone": "Europe/Rome"},
        {},
        {"format": "csv"},
    ]


def test_options_that_cannot_be_meant_are_refused(desk: Desk) -> None:
    id = desk.held()
    odd = {"timezone": "Middle-earth/Shire"}
    with pytest.raises(UploadOptionsError, match="IANA"):
        desk.confirm(ConfirmUpload(upload_id=id, options=odd), desk.ledger.context())
    with pytest.raises(UploadOptionsError, match="IANA"):
        desk.inspect(InspectUpload(upload_id=id, options=odd), desk.ledger.context())

    assert desk.said() == []


def test_an_upload_of_another_workspace_is_not_there(desk: Desk) -> None:
    id = desk.held()
    elsewhere = replace(desk.ledger.context(), workspace_id=uuid4())
    with pytest.raises(NotFoundError):
        desk.confirm(ConfirmUpload(upload_id=id), elsewhere)
    with pytest.raises(NotFoundError):
        desk.inspect(InspectUpload(upload_id=id), elsewhere)


@pytest.mark.parametrize(
    ("questions", "again", "said"),
    [
        ((), {}, []),
        ((), {"confirm": True}, [("upload.confirmed", {})]),
        (
            (),
            {"timezone": "Europe/Rome"},
            [("upload.inspection_requested", {"timezone": "Europe/Rome"})],
        ),
        (("date_order",), {"confirm": True}, []),
        (
            ("date_order",),
            {"confirm": True, "date_order": "mdy"},
            [("upload.confirmed", {"date_order": "mdy"})],
        ),
        (
            ("date_order",),
            {"confirm": True, "timezone": "Europe/Rome"},
            [("upload.inspection_requested", {"timezone": "Europe/Rome"})],
        ),
    ],
    ids=[
        "to be shown again",
        "to be read",
        "to be shown otherwise",
        "to be read, without the answer",
        "to be read, with the answer",
        "to be read, with another answer",
    ],
)
def test_what_waits_may_be_answered_by_sending_the_file_again(
    desk: Desk, questions: tuple[str, ...], again: dict[str, Any], said: list[Any]
) -> None:
    id = desk.held(*questions)
    accepted = desk.send(**again)

    assert (UUID(accepted.result["upload_id"]), accepted.result["again"]) == (id, True)
    assert "options_ignored" not in accepted.result
    assert desk.said() == said


def test_a_rejected_one_that_comes_again_to_be_read_is_confirmed_by_that(desk: Desk) -> None:
    id = desk.held()
    upload = desk.upload(id)
    upload.reject("no chat")
    desk.ledger.record(upload)
    desk.send(confirm=True, format="csv")

    assert [topic for topic, _ in desk.said()] == ["upload.retry_requested", "upload.confirmed"]
    assert (desk.upload(id).stage, desk.upload(id).is_confirmed) == ("received", True)
