"""An upload is read once it is confirmed, and never by a guess."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest

from application.commands.read_upload import ReadUpload, ReadUploadHandler
from application.comparison import ComparedConversation, Comparison
from application.ports.chat_reader import AmbiguousFormatError, Recognition
from application.preview import Previewer
from domain.message import Conversation, Message
from domain.transcript import Transcript
from domain.upload import Upload
from infrastructure.readers.registry import Readers
from tests.support.archive import Ledger
from tests.support.chats import receive
from tests.support.memory_blobs import MemoryBlobStore
from tests.support.memory_previews import MemoryPreviews
from tests.support.shared_ledger import own_ledger, recorded_in, shared_ledger

__all__ = ["own_ledger", "shared_ledger"]

CLEAR = b"[31/01/24, 10:00:00] Ada: one\n[01/02/24, 10:00:00] Bob: two\n"
OPEN = b"[03/04/24, 10:00:00] Ada: one\n[05/04/24, 11:00:00] Bob: two\n"


@dataclass
class Counting:
    """Counts what it is given, as a comparison does."""

    passes: int = 0

    @contextmanager
    def comparing(self, workspace_id: UUID, format: str, **decided: object) -> Iterator[Pass]:
        self.passes += 1
        yield Pass()


@dataclass
class Pass:
    messages: int = 0

    def add(self, messages: Sequence[Message], conversations: Mapping[str, Conversation]) -> None:
        self.messages += len(messages)

    def result(self) -> Comparison:
        one = ComparedConversation(
            id="Room",
            title="Room",
            rule="so",
            merges_into=None,
            fresh=self.messages,
            edited=0,
            vanished=0,
            known=0,
        )
        return Comparison(conversations=(one,))


@dataclass
class Desk:
    ledger: Ledger
    content: bytes = CLEAR
    is_confirmed: bool = False
    readers: Any = field(default_factory=Readers)
    during: Callable[[Desk], None] | None = None  # while it is being inspected
    blobs: MemoryBlobStore = field(default_factory=MemoryBlobStore)
    previews: MemoryPreviews = field(default_factory=MemoryPreviews)
    comparer: Counting = field(default_factory=Counting)

    def __post_init__(self) -> None:
        self.id = receive(self.ledger, self.blobs, self.content, is_confirmed=self.is_confirmed).id

    def read(self) -> None:
        handler = ReadUploadHandler(
            self.ledger.archive,
            self.blobs,
            self.readers,
            self.ledger.pseudonyms,
            previewer=Previewer(self.comparer),
            previews=self.previews,
        )
        handler(ReadUpload(upload_id=self.id), should_stop=self.look_up)

    def look_up(self) -> bool:
        if self.during is not None:
            act, self.during = self.during, None
            act(self)
        return False

    def amend(self, change: Callable[[Upload], None]) -> None:
        upload = self.upload
        change(upload)
        self.ledger.record(upload)

    @property
    def upload(self) -> Upload:
        return self.ledger.archive.load(Upload, self.id)

    @property
    def preview(self) -> Mapping[str, Any] | None:
        return self.previews.kept.get(self.id)

    def messages(self) -> int:
        found = recorded_in(self.ledger, self.ledger.workspace_id, Transcript.Recorded)
        return sum(len(recorded.event.slots) for recorded in found)


def test_nothing_is_recorded_as_messages_before_it_is_confirmed(own_ledger: Ledger) -> None:
    desk = Desk(own_ledger)
    desk.read()
    desk.read()

    assert (desk.upload.stage, desk.upload.questions) == ("inspected", ("confirmation",))
    assert (desk.messages(), desk.comparer.passes) == (0, 1)
    assert desk.preview is not None
    assert (desk.preview["format"], desk.preview["messages"]) == ("whatsapp", 2)
    assert desk.preview["comparison"]["fresh"] == 2
    desk.amend(Upload.confirm)
    desk.read()
    assert (desk.upload.stage, desk.messages(), desk.preview) == ("read", 2, None)


def test_what_is_confirmed_beforehand_and_clear_is_read_at_once_and_compared_with_nothing(
    own_ledger: Ledger,
) -> None:
    desk = Desk(own_ledger, is_confirmed=True)
    desk.read()

    assert (desk.upload.stage, desk.messages(), desk.comparer.passes) == ("read", 2, 0)


def test_an_open_date_order_holds_back_even_what_is_confirmed(own_ledger: Ledger) -> None:
    desk = Desk(own_ledger, OPEN, is_confirmed=True)
    desk.read()

    assert (desk.upload.questions, desk.messages()) == (("date_order",), 0)
    assert desk.preview is not None
    assert desk.preview["dates"]["possible"] == ["dmy", "mdy"]
    assert desk.preview["dates"]["decided_by"] is None
    assert desk.preview["comparison"]["fresh"] == 2
    first = desk.preview["samples"][0]
    assert [(one["order"], one["at"][:10]) for one in first["readings"]] == [
        ("dmy", "2024-04-03"),
        ("mdy", "2024-03-04"),
    ]
    desk.amend(lambda upload: upload.confirm({"date_order": "mdy"}))
    desk.read()
    assert (desk.upload.stage, desk.messages()) == ("read", 2)
    assert (
        recorded_in(own_ledger, own_ledger.workspace_id, Upload.Inspected)[-1].event.date_order
        == "mdy"
    )


def test_two_formats_that_claim_a_file_equally_hold_it_back(own_ledger: Ledger) -> None:
    desk = Desk(own_ledger, is_confirmed=True, readers=Torn())
    desk.read()

    assert (desk.upload.stage, desk.upload.questions) == ("inspected", ("format",))
    assert desk.preview is not None
    assert [one["format"] for one in desk.preview["candidates"]] == ["whatsapp", "text"]
    desk.amend(lambda upload: upload.confirm({"format": "text"}))
    desk.read()
    assert (desk.upload.stage, desk.upload.format, desk.messages()) == ("read", "text", 2)


class Torn(Readers):
    def recognise(self, export: Any) -> Any:
        claims = [Recognition(name, 0.5, f"it looks like {name}") for name in ("whatsapp", "text")]
        raise AmbiguousFormatError(file=export.name, claims=claims)


def test_looking_again_with_other_options_replaces_the_preview(own_ledger: Ledger) -> None:
    desk = Desk(own_ledger)
    desk.read()
    desk.amend(lambda upload: upload.request_inspection({"timezone": "Asia/Tokyo"}))
    desk.read()

    assert desk.preview is not None
    assert (desk.preview["timezone"], desk.preview["zones"]) == ("Asia/Tokyo", {"stated": 2})
    assert (desk.upload.questions, desk.messages()) == (("confirmation",), 0)


def test_options_under_which_nothing_can_be_read_are_told_and_taken_back(
    own_ledger: Ledger,
) -> None:
    desk = Desk(own_ledger)
    desk.read()
    desk.amend(lambda upload: upload.request_inspection({"format": "telegram"}))
    desk.read()
    assert (desk.upload.stage, desk.preview) == ("rejected", None)

    desk.amend(lambda upload: upload.request_inspection({"format": "whatsapp"}))
    desk.read()
    assert desk.upload.questions == ("confirmation",)


@pytest.mark.parametrize(
    ("change", "stage", "questions"),
    [
        (Upload.confirm, "read", ()),
        (Upload.withdraw, "withdrawn", ()),
        (lambda upload: upload.confirm({"timezone": "Asia/Tokyo"}), "received", ()),
        (lambda upload: upload.request_inspection(), "inspected", ("confirmation",)),
    ],
    ids=["confirmed", "withdrawn", "confirmed with other options", "to be looked at again"],
)
def test_what_somebody_says_while_it_is_being_inspected_counts(
    own_ledger: Ledger, change: Callable[[Upload], None], stage: str, questions: tuple[str, ...]
) -> None:
    desk = Desk(own_ledger, during=lambda desk: desk.amend(change))
    desk.read()

    assert (desk.upload.stage, desk.upload.questions) == (stage, questions)
    assert (desk.preview is not None) == bool(questions)


def test_one_that_is_to_be_looked_at_again_is_not_read_by_the_job_that_runs(
    own_ledger: Ledger,
) -> None:
    desk = Desk(
        own_ledger,
        is_confirmed=True,
        during=lambda desk: desk.amend(lambda upload: upload.request_inspection()),
    )
    desk.read()

    assert (desk.messages(), desk.upload.questions) == (0, ("confirmation",))
