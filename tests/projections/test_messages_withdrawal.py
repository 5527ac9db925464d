"""An upload is withdrawn: the messages are as if only the others had ever come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.message import Edit, Message, Reaction
from domain.transcript import Transcript
from domain.upload import Upload
from projections.contract import RecordedEvent
from projections.messages.projection import MessagesReadModel
from tests.support.archive import Ledger
from tests.support.chats import History, message, split
from tests.support.scratch import Tables, events_of, projected
from tests.support.shared_ledger import own_ledger, shared_ledger

__all__ = ["own_ledger", "shared_ledger"]

EVERYTHING = (
    "message",
    "message_version",
    "sighting",
    "transcript",
    "upload_span",
    "upload_outcome",
    "message_total",
    "conversation_total",
    "author_total",
    "participation",
)
MESSAGE = (
    "conversation_id, message_key, author_id, sent_at, kind, text, text_key, edited_at, reactions, "
    "extra, version, upload_ids, vanished_in, is_mixed"
)
VERSIONS = "m.conversation_id, m.message_key, v.version, v.text, v.superseded_at"
OF_MESSAGE = "JOIN scratch.message AS m USING (workspace_id, message_id)"


@dataclass(slots=True)
class Chat(History):
    withdrawn: set[UUID] = field(default_factory=set)

    def withdraw(self, upload_id: UUID) -> None:
        upload = self.ledger.archive.load(Upload, upload_id)
        upload.withdraw()
        self.ledger.record(upload)
        self.withdrawn.add(upload_id)

    @contextmanager
    def tables(self, page: int = 1_000_000) -> Iterator[Tables]:
        with projected(self.ledger, MessagesReadModel(), page=page) as tables:
            yield tables

    def shown(self, events: Sequence[RecordedEvent] | None = None) -> dict[str, Any]:
        """What readers can tell, without ids and positions."""
        with projected(self.ledger, MessagesReadModel(), events) as tables:
            return {
                "messages": tables.rows("message", MESSAGE, "ORDER BY 1, 2"),
                "versions": tables.rows(f"message_version AS v {OF_MESSAGE}", VERSIONS),
                "spans": tables.rows("upload_span", "upload_id, conversation_id, known > 0"),
                "total": [
                    row for row in tables.rows("message_total", "messages, texts") if any(row)
                ],
                **{
                    name: tables.everything(name)
                    for name in ("conversation_total", "author_total", "participation")
                },
            }

    def as_if(self) -> dict[str, Any]:
        """The same of a log in which the withdrawn uploads never were."""
        kept = [
            recorded
            for recorded in events_of(self.ledger, MessagesReadModel())
            if upload_of(recorded) not in self.withdrawn
        ]
        return self.shown(kept)


def upload_of(recorded: RecordedEvent) -> UUID:
    event = recorded.event
    return UUID(event.upload_id) if isinstance(event, Transcript.Recorded) else event.originator_id


@pytest.fixture
def chat(own_ledger: Ledger) -> Chat:
    return Chat(own_ledger)


def test_what_only_the_withdrawn_upload_had_is_gone_without_a_trace(chat: Chat) -> None:
    said = message(0, "a", edits=(Edit("b", None),), reactions=(Reaction("👍", ("Bob",), 1),))
    upload = chat.upload(said, message(1), message(2, "in", author="Cem", conversation="Other"))
    chat.withdraw(upload)
    with chat.tables() as tables:
        left = {name: rows for name in EVERYTHING if (rows := tables.rows(name, "1"))}
        assert left == {"message_total": [(1,)]}
        assert tables.one("message_total", "messages, texts") == (0, 0)


@pytest.mark.parametrize("which", [0, 1])
def test_what_another_upload_has_too_stays_under_its_id(chat: Chat, which: int) -> None:
    uploads = [chat.upload(message(0), message(1)), chat.upload(message(1), message(2))]
    with chat.tables() as tables:
        before = dict(tables.rows("message", "message_key, message_id"))
    chat.withdraw(uploads[which])
    with chat.tables() as tables:
        after = dict(tables.rows("message", "message_key, message_id"))
        where = dict(tables.rows("message", "message_key, upload_ids"))

    kept = {0: {"k1", "k2"}, 1: {"k0", "k1"}}[which]
    assert after == {key: before[key] for key in kept}
    assert where == {key: [uploads[1 - which]] for key in kept}


def test_an_edit_that_only_the_withdrawn_upload_had_is_undone(chat: Chat) -> None:
    chat.upload(message(0, "first"))
    edit = chat.upload(message(0, "second"))
    chat.upload(message(0, "third"))
    chat.withdraw(edit)
    with chat.tables() as tables:
        assert tables.one("message", "text, version") == ("third", 2)
        assert tables.rows("message_version", "version, text") == [(1, "first")]


def test_nothing_but_the_text_of_the_others_is_found_by_words(chat: Chat) -> None:
    first = chat.upload(message(0, "harbour"))
    chat.upload(message(0, "bakery"))
    chat.withdraw(first)
    with chat.tables() as tables:
        found = "WHERE words @@ to_tsquery('english', '{}')"
        assert tables.rows("message", "text", found.format("harbour")) == []
        assert tables.rows("message", "text", found.format("bakery")) == [("bakery",)]
        assert tables.rows("message_version", "text") == []


def test_what_vanished_only_by_the_withdrawn_upload_has_not_vanished(chat: Chat) -> None:
    chat.upload(*(message(n) for n in range(4)))
    shorter = chat.upload(message(0), message(3))
    chat.withdraw(shorter)
    with chat.tables() as tables:
        assert tables.rows("message", "1", "WHERE vanished_in IS NOT NULL") == []


def test_a_batch_that_comes_after_the_withdrawal_is_left_out(chat: Chat) -> None:
    """A worker that was about to record it could not know."""
    upload = chat.upload(message(0))
    chat.withdraw(upload)
    [late, *_] = split(chat.ledger, upload, [message(n) for n in range(1, 4)], 1)
    named = ("format", "texts", "conversations", "authors", "slots", "blocks")
    facts = {name: vars(late.pending_events[0])[name] for name in named}
    chat.ledger.record(Transcript.record(upload_id=upload, batch=7, **facts))
    with chat.tables() as tables:
        assert tables.rows("message", "1") == []
        assert tables.rows("transcript", "1") == []


@pytest.mark.parametrize("page", [1, 1_000_000])
def test_a_late_batch_leaves_nothing_wherever_its_page_ends(chat: Chat, page: int) -> None:
    """Another upload that is on its page does not bring it back."""
    upload = chat.upload(message(0))
    chat.withdraw(upload)
    [late, *_] = split(chat.ledger, upload, [message(n) for n in range(1, 4)], 1)
    named = ("format", "texts", "conversations", "authors", "slots", "blocks")
    facts = {name: vars(late.pending_events[0])[name] for name in named}
    chat.ledger.record(Transcript.record(upload_id=upload, batch=7, **facts))
    other = chat.upload(message(9))
    with chat.tables(page) as tables:
        assert tables.rows("transcript", "upload_id") == [(other,)]


def test_an_upload_can_be_withdrawn_before_anything_of_it_is_recorded(chat: Chat) -> None:
    upload = Upload.receive(
        workspace_id=chat.ledger.workspace_id,
        blob=uuid4().hex * 2,
        size=1,
        sha256="0" * 64,
        filename="chat.txt",
        options={},
    )
    upload.withdraw()
    chat.ledger.record(upload)
    with chat.tables() as tables:
        assert tables.rows("message", "1") == []


ITEMS = st.builds(
    lambda minute, text, thumbs: message(
        minute,
        text,
        author="Bob" if minute % 2 else "Ada",
        edits=(Edit("draft", None),) if text == "c" else (),
        reactions=(Reaction("👍", (), thumbs),) if thumbs else (),
    ),
    st.integers(0, 5),
    st.sampled_from(["a", "b", "c", ""]),
    st.integers(0, 1),
)
UPLOADS = st.lists(st.lists(ITEMS, min_size=1, max_size=5), min_size=1, max_size=4)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(uploads=UPLOADS, data=st.data())
def test_withdrawing_is_as_if_the_upload_had_never_come(
    shared_ledger: Ledger, uploads: list[list[Message]], data: st.DataObject
) -> None:
    """Whatever the uploads say, in whatever order they go, and wherever pages begin and end."""
    chat = Chat(replace(shared_ledger, workspace_id=uuid4()))
    for items in uploads:
        chat.upload(*items, parts=2)
        standing = [upload for upload in chat.uploads if upload not in chat.withdrawn]
        if data.draw(st.booleans()):
            chat.withdraw(data.draw(st.sampled_from(standing)))

    assert chat.shown() == chat.as_if()
    with chat.tables() as tables:
        whole = tables.everything(*EVERYTHING)
    with chat.tables(page=1) as tables:
        assert tables.everything(*EVERYTHING) == whole
