"""Messages on a real PostgreSQL: what is new, known, edited, vanished, erased."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.message import Attachment, Edit, Message, Reaction
from domain.transcript import BATCH_SIZE, IDS_PER_POSITION
from projections.messages.projection import MessagesReadModel
from tests.support.archive import Ledger
from tests.support.chats import NOON, History, message, room
from tests.support.scratch import Tables, events_of, projected
from tests.support.shared_ledger import own_ledger, shared_ledger

__all__ = ["own_ledger", "shared_ledger"]

TABLES = ("message", "message_version", "upload_span", "upload_outcome", "message_total")


class Chat(History):
    @contextmanager
    def tables(self, page: int = 1_000_000) -> Iterator[Tables]:
        with projected(self.ledger, MessagesReadModel(), page=page) as tables:
            yield tables

    def outcomes(self) -> list[tuple[int, ...]]:
        """Fresh, known, edited and vanished, of each upload in order."""
        with self.tables() as tables:
            found = tables.rows("upload_outcome", "upload_id, fresh, known, edited, vanished")
        by_upload = {row[0]: row[1:] for row in found}
        return [by_upload[upload] for upload in self.uploads]

    def texts(self) -> list[tuple[str, str, int]]:
        with self.tables() as tables:
            return tables.rows("message", "message_key, text, version")

    def vanished(self) -> list[tuple[str, UUID]]:
        with self.tables() as tables:
            return tables.rows(
                "message", "message_key, vanished_in", "WHERE vanished_in IS NOT NULL"
            )


@pytest.fixture
def chat(own_ledger: Ledger) -> Chat:
    return Chat(own_ledger)


def test_a_new_message_has_every_field_that_was_recorded(chat: Chat) -> None:
    spoken = message(
        3,
        "Ahoy 😀",
        reply_to="k1",
        thread="k0",
        edited_at=NOON,
        reactions=(Reaction("👍", ("Bob",), 2),),
        attachments=(Attachment("a.jpg", None, 7),),
        extra={"pinned": True},
    )
    upload = chat.upload(message(1, "first", author=None, kind="system"), spoken)
    columns = (
        "workspace_id, conversation_id, author_id, message_key, sent_at, precision, zone, kind, "
        "text, text_key, reply_to, thread, edited_at, reactions, attachments, extra, version, "
        "upload_ids, vanished_in, message_id - position * 1024"
    )
    with chat.tables() as tables:
        first, second = tables.rows("message", columns, "ORDER BY message_id")

    workspace = chat.ledger.workspace_id
    assert second == (
        workspace,
        chat.conversation(),
        chat.author("Ada"),
        "k3",
        NOON + timedelta(minutes=3),
        "minute",
        "assumed",
        "message",
        "Ahoy 😀",
        chat.ledger.pseudonyms.text(workspace, "Ahoy 😀"),
        "k1",
        "k0",
        NOON,
        [["👍", [str(chat.author("Bob"))], 2]],
        [["a.jpg", None, 7]],
        {"pinned": True},
        1,
        [upload],
        None,
        1,
    )
    assert (first[2], first[7], first[9], first[-1]) == (None, "system", None, 0)


def test_ids_follow_from_position_and_place_and_leave_room_for_a_batch(chat: Chat) -> None:
    chat.upload(*(message(n) for n in range(BATCH_SIZE)))
    with chat.tables() as tables:
        found = tables.rows("message", "message_id, position, message_key", "ORDER BY message_id")

    assert [row[2] for row in found] == [f"k{n}" for n in range(BATCH_SIZE)]
    assert [row[0] for row in found] == [
        found[0][1] * IDS_PER_POSITION + n for n in range(BATCH_SIZE)
    ]
    assert IDS_PER_POSITION > BATCH_SIZE


def test_an_upload_again_knows_every_message(chat: Chat) -> None:
    """Another file with the same messages: not one row changes but for where it was seen."""
    chat.upload(message(0, "a"), message(1, "b"), message(2, "c"))
    chat.upload(message(0, "a"), message(1, "b"), message(2, "c"))

    assert chat.outcomes() == [(3, 0, 0, 0), (0, 3, 0, 0)]
    assert chat.texts() == [("k0", "a", 1), ("k1", "b", 1), ("k2", "c", 1)]
    with chat.tables() as tables:
        assert tables.rows("message_version", "text") == []
        assert tables.rows("message", "upload_ids") == [(chat.uploads,)] * 3


def test_a_longer_export_brings_what_is_new(chat: Chat) -> None:
    chat.upload(message(0), message(1))
    chat.upload(message(0), message(1), message(2), message(3))

    assert chat.outcomes() == [(2, 0, 0, 0), (2, 2, 0, 0)]


def test_another_text_under_the_same_key_is_an_edit_and_the_old_one_is_kept(chat: Chat) -> None:
    chat.upload(message(0, "at eight"), message(1, "ok"))
    edited_at = datetime(2024, 5, 2, tzinfo=UTC)
    chat.upload(message(0, "at nine", edited_at=edited_at), message(1, "ok"))
    chat.upload(message(0, "at ten", edited_at=edited_at + timedelta(days=1)))

    assert chat.outcomes() == [(2, 0, 0, 0), (0, 1, 1, 0), (0, 0, 1, 0)]
    assert chat.texts() == [("k0", "at ten", 3), ("k1", "ok", 1)]
    with chat.tables() as tables:
        [(first_id,)] = tables.rows("message", "message_id", "WHERE message_key = 'k0'")
        versions = tables.rows("message_version", "message_id, version, text, superseded_at")
        assert tables.one("message", "upload_ids", "WHERE message_key = 'k0'") == (chat.uploads,)
    assert versions == [
        (first_id, 1, "at eight", edited_at),
        (first_id, 2, "at nine", edited_at + timedelta(days=1)),
    ]


def test_words_are_found_in_the_new_text_only(chat: Chat) -> None:
    chat.upload(message(0, "the harbour"))
    chat.upload(message(0, "the bakery"))
    with chat.tables() as tables:
        hits = [
            tables.rows("message", "text", f"WHERE words @@ to_tsquery('english', '{word}')")
            for word in ("harbour", "bakeries")
        ]

    assert hits == [[], [("the bakery",)]]


def test_an_edit_back_is_one_more_version(chat: Chat) -> None:
    """If the source says that it is one: else it is an older export that came later."""
    for day, text in enumerate(("a", "b", "a")):
        at = None if day == 0 else NOON + timedelta(days=day)
        chat.upload(message(0, text, edited_at=at))

    assert chat.texts() == [("k0", "a", 3)]


@pytest.mark.parametrize("dates", [(0, 1, 2), (None, 1, 2), (None, None, None)])
def test_an_older_export_uploaded_later_reverts_nothing(
    chat: Chat, dates: tuple[int | None, ...]
) -> None:
    at = [None if day is None else NOON + timedelta(days=day) for day in dates]
    first, second, third = (
        message(0, text, edited_at=when) for text, when in zip("abc", at, strict=True)
    )
    for said in (first, second, third, first, second):
        chat.upload(said)

    assert chat.texts() == [("k0", "c", 3)]
    assert chat.outcomes()[-2:] == [(0, 1, 0, 0)] * 2
    with chat.tables() as tables:
        assert tables.rows("message_version", "version, text") == [(1, "a"), (2, "b")]
        assert tables.one("message", "upload_ids") == (chat.uploads,)


@pytest.mark.parametrize("page", [1, 1_000])
def test_an_older_export_that_nobody_had_seen_adds_its_versions(chat: Chat, page: int) -> None:
    """Each once, and in whatever order the exports come."""
    at = [NOON + timedelta(days=day) for day in range(4)]
    chat.upload(message(0, "d", edited_at=at[3]))
    chat.upload(message(0, "c", edited_at=at[2], edits=(Edit("a", at[1]),)))
    chat.upload(message(0, "a"))
    chat.upload(message(0, "b", edited_at=at[1]))
    chat.upload(message(0, "e", edited_at=at[3] + timedelta(days=1)))

    assert chat.outcomes() == [(1, 0, 0, 0), *[(0, 1, 0, 0)] * 3, (0, 0, 1, 0)]
    with chat.tables(page=page) as tables:
        assert tables.one("message", "text, version") == ("e", 5)
        assert tables.rows("message_version", "version, text, superseded_at") == [
            (1, "a", at[1]),
            (2, "c", at[3]),
            (3, "b", at[3]),
            (4, "d", at[3] + timedelta(days=1)),
        ]


def test_what_was_deleted_does_not_come_back_with_an_older_export(chat: Chat) -> None:
    """A deletion has no date of its own, and comes after every edit."""
    said = message(0, "regrettable", edited_at=NOON)
    deleted = message(0, "", kind="deleted")
    for item in (said, deleted, said, message(0, "worse")):
        chat.upload(item)

    assert chat.texts() == [("k0", "", 3)]
    with chat.tables() as tables:
        assert tables.one("message", "kind") == ("deleted",)
        assert tables.rows("message_version", "text", "ORDER BY version") == [
            ("regrettable",),
            ("worse",),
        ]


def test_the_exports_own_history_tells_which_is_newer(chat: Chat) -> None:
    chat.upload(message(0, "a"))
    chat.upload(message(0, "b"))
    chat.upload(message(0, "a", edits=(Edit("a", None), Edit("b", None))))

    assert chat.texts() == [("k0", "a", 3)]


def test_the_exports_own_edits_become_versions(chat: Chat) -> None:
    at = datetime(2024, 5, 1, 13, tzinfo=UTC)
    chat.upload(message(0, "third", edits=(Edit("first", at), Edit("second", None))))

    assert chat.texts() == [("k0", "third", 3)]
    assert chat.outcomes() == [(1, 0, 0, 0)]
    with chat.tables() as tables:
        assert tables.rows("message_version", "version, text, superseded_at") == [
            (1, "first", at),
            (2, "second", None),
        ]


def test_edits_between_two_exports_become_versions_too(chat: Chat) -> None:
    """The second export carries what came after the text that the first one had."""
    at = [datetime(2024, 5, 1, 13, minute, tzinfo=UTC) for minute in range(3)]
    chat.upload(message(0, "b", edits=(Edit("a", at[0]),)))
    chat.upload(message(0, "d", edits=(Edit("a", at[0]), Edit("b", at[1]), Edit("c", at[2]))))

    assert chat.texts() == [("k0", "d", 4)]
    assert chat.outcomes()[1] == (0, 0, 1, 0)
    with chat.tables() as tables:
        assert tables.rows("message_version", "version, text, superseded_at") == [
            (1, "a", at[0]),
            (2, "b", at[1]),
            (3, "c", at[2]),
        ]


def test_the_same_key_twice_in_a_file_is_one_message(chat: Chat) -> None:
    """Equal texts are a repetition of the export; another text is an edit."""
    chat.upload(message(0, "a"), message(0, "a"), message(1, "b"), message(1, "c"), parts=2)

    assert chat.texts() == [("k0", "a", 1), ("k1", "c", 2)]
    assert chat.outcomes() == [(2, 0, 1, 0)]


def test_the_same_key_in_another_conversation_is_another_message(chat: Chat) -> None:
    chat.upload(message(0, "a"), message(0, "b", conversation="Other"))

    assert [text for _, text, _ in chat.texts()] == ["a", "b"]


def test_what_an_overlapping_upload_does_not_have_is_marked_and_kept(chat: Chat) -> None:
    """Only inside the time that it covers."""
    chat.upload(*(message(n) for n in range(6)))
    later = chat.upload(message(1), message(4))

    assert chat.vanished() == [("k2", later), ("k3", later)]
    assert chat.outcomes() == [(6, 0, 0, 0), (0, 2, 0, 2)]
    assert len(chat.texts()) == 6


def test_nothing_vanishes_from_a_conversation_that_the_upload_does_not_overlap(chat: Chat) -> None:
    """An export that knows nothing of what is there comes from elsewhere."""
    chat.upload(*(message(n) for n in range(4)))
    chat.upload(message(0, key="x0"), message(3, key="x3"), message(9, conversation="Other"))

    assert chat.vanished() == []


def test_nothing_vanishes_before_the_upload_was_read_to_its_end(chat: Chat) -> None:
    chat.upload(*(message(n) for n in range(4)))
    chat.upload(message(0), message(3))
    events = events_of(chat.ledger, MessagesReadModel())[:-1]
    with projected(chat.ledger, MessagesReadModel(), events) as tables:
        assert tables.rows("message", "1", "WHERE vanished_in IS NOT NULL") == []


def test_what_is_seen_again_has_not_vanished(chat: Chat) -> None:
    """Unchanged or edited."""
    chat.upload(*(message(n) for n in range(4)))
    chat.upload(message(0), message(3))
    chat.upload(message(1), message(2, "edited"))

    assert chat.vanished() == []
    assert chat.outcomes() == [(4, 0, 0, 0), (0, 2, 0, 2), (0, 1, 1, 0)]


def test_a_message_vanishes_once(chat: Chat) -> None:
    chat.upload(*(message(n) for n in range(3)))
    first = chat.upload(message(0), message(2))
    chat.upload(message(0), message(2))

    assert chat.vanished() == [("k1", first)]
    assert [outcome[3] for outcome in chat.outcomes()] == [0, 1, 0]


def test_totals_count_messages_and_those_with_a_text(chat: Chat) -> None:
    chat.upload(message(0, "a"), message(1, ""), message(2, "left", author=None, kind="system"))
    chat.upload(message(0, "a"), message(1, "now with text"), message(3, "b"))
    chat.upload(message(0, " "))
    with chat.tables() as tables:
        total = tables.one("message_total", "messages, texts")
        counted = tables.one("message", "count(*), count(text_key)")

    assert total == counted == (4, 2)


def test_workspaces_share_nothing(chat: Chat) -> None:
    """The same file in two of them is fresh in both."""
    other = Chat(replace(chat.ledger, workspace_id=uuid4()))
    for one in (chat, other):
        one.upload(message(0, "a"), message(1, "b"))
    both = sorted(
        events_of(chat.ledger, MessagesReadModel()) + events_of(other.ledger, MessagesReadModel()),
        key=lambda recorded: recorded.position,
    )
    with projected(chat.ledger, MessagesReadModel(), both) as tables:
        assert tables.rows("upload_outcome", "fresh, known") == [(2, 0), (2, 0)]
        assert tables.rows("message_total", "messages") == [(2,), (2,)]
        assert tables.one("message", "count(DISTINCT conversation_id), count(*)") == (2, 4)


def test_an_erased_authors_messages_are_placeholders_and_no_one_elses(chat: Chat) -> None:
    chat.upload(message(0, "mine"), message(1, "hers", author="Bob"), message(2, "mine, too"))
    columns = "message_id, conversation_id, author_id, sent_at"
    with chat.tables() as tables:
        before = tables.rows("message", columns)
        others = tables.everything("message")["message"][1:2]
    chat.ledger.keyring.destroy(chat.author("Ada"))
    with chat.tables() as tables:
        after = tables.rows("message", columns)
        kept = tables.everything("message")["message"][1:2]
        erased = tables.rows(
            "message",
            "message_key = 'erased-' || message_id, kind, text, text_key, extra",
            "WHERE text <> 'hers'",
        )
        totals = tables.one("message_total", "messages, texts")

    assert (after, kept) == (before, others)
    assert erased == [(True, "deleted", "[erased]", None, None)] * 2
    assert totals == (3, 1)


def test_erased_messages_do_not_vanish(chat: Chat) -> None:
    """Nobody can say any more whether a later upload has them."""
    for _ in range(2):
        chat.upload(*(message(n, author="Bob" if n % 2 else "Ada") for n in range(6)))
    assert chat.vanished() == []
    chat.ledger.keyring.destroy(chat.author("Bob"))

    assert chat.vanished() == []
    assert chat.outcomes() == [(6, 0, 0, 0), (3, 3, 0, 0)]


def test_a_huge_text_and_a_long_key_do_not_poison(chat: Chat) -> None:
    """More than PostgreSQL can index: incompressible keys, megabytes of words and of one word."""
    noise = random.Random(1)
    words = " ".join(f"{noise.getrandbits(40):x}" for _ in range(200_000))
    chat.upload(
        message(0, words),
        message(1, "x" * 2_000_000),
        message(2, "é-𐌰b" * 500_000),
        message(3, "http://a.b/" + "c/d" * 400_000),
        message(4, key="".join(noise.choices("0123456789abcdefghij", k=20_000))),
    )
    with chat.tables() as tables:
        sizes = tables.rows("message", "length(text)", "ORDER BY message_id")

    assert [size for (size,) in sizes[:4]] == [len(words), 2_000_000, 2_000_000, 1_200_011]


def test_what_cannot_be_stored_is_left_out_of_every_field(chat: Chat) -> None:
    bad = "a\x00b\ud800"
    chat.upload(room(bad), message(0, bad, key=bad, reply_to=bad, extra={bad: bad}))

    with chat.tables() as tables:
        row = tables.one("message", "text, message_key, reply_to, extra")
    assert row == ("ab?", "ab?", "ab?", {"ab?": "ab?"})


said = st.builds(
    lambda minute, text, author, edit, day: message(
        minute,
        text,
        author=author,
        edits=(Edit(edit, None),) if edit else (),
        edited_at=None if day is None else NOON + timedelta(days=day),
    ),
    st.integers(0, 5),
    st.sampled_from(["a", "b", "c", ""]),
    st.sampled_from(["Ada", "Bob", None]),
    st.sampled_from([None, "a", "b"]),
    st.sampled_from([None, None, 1, 2]),
)
history = st.lists(
    st.tuples(st.lists(said, min_size=1, max_size=8), st.integers(1, 3)), min_size=1, max_size=4
)


@given(uploads=history)
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_where_pages_end_makes_no_difference(
    shared_ledger: Ledger, uploads: list[tuple[list[Message], int]]
) -> None:
    """And the totals are what a count of the rows says."""
    chat = Chat(replace(shared_ledger, workspace_id=uuid4()))
    for messages, parts in uploads:
        chat.upload(*messages, parts=parts)
    events = events_of(chat.ledger, MessagesReadModel())
    found: list[dict[str, Any]] = []
    for page in (1, 2, len(events)):
        with projected(chat.ledger, MessagesReadModel(), events, page=page) as tables:
            found.append(tables.everything(*TABLES))
            counted = tables.one("message", "count(*), count(text_key)")
            assert tables.one("message_total", "messages, texts") == counted
            assert tables.one("upload_outcome", "sum(fresh)") == counted[:1]
            versions = tables.one("message", "sum(version - 1)")
            assert tables.one("message_version", "count(*)") == versions

    assert found[0] == found[1] == found[2]
