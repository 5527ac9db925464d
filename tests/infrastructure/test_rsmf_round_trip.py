"""An archive leaves as RSMF and comes back to the same messages, whatever it was made of."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from application.commands.make_export import MessageSelection
from application.transcription import clean, key
from domain.message import Author, Conversation, Message
from infrastructure.container import Container
from infrastructure.exports.rsmf import bundle
from infrastructure.exports.selection import Selection, selection_of
from infrastructure.readers.local_file import LocalFile
from tests.infrastructure.readers.support import MemoryFile, read
from tests.infrastructure.test_rsmf_export import FULL, bytes_of, written
from tests.support.archive import copy_template
from tests.support.archive_fixture import Line, export, ingest_file, open_test_container
from tests.support.chats import NOON
from tests.support.data import SAMPLES
from tests.support.postgres import drop_database
from tests.support.rsmf import manifest_of, read_back, schema, unzipped

EVERYTHING = ("slack-export.zip", "telegram-result.json", "whatsapp-chat.zip")


@pytest.fixture(scope="module")
def container(
    postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Container]:
    url = copy_template(postgres_server, migrated_template)
    with open_test_container(url, tmp_path_factory.mktemp("data")) as opened:
        yield opened
    drop_database(url)


class Source(NamedTuple):
    """An export with what it holds, read without storing anything."""

    format: str
    messages: list[Message]
    conversations: list[Conversation]


@pytest.fixture(scope="module")
def sources(container: Container) -> list[Source]:
    found = []
    for name in EVERYTHING:
        path = SAMPLES / name
        ingest_file(container, "first", name, path.read_bytes())
        given = read(LocalFile(path))
        found.append(Source(given.format, given.messages, given.conversations))
    full = bytes_of(written(*FULL))
    given = read(MemoryFile(full, "full.rsmf"))
    ingest_file(container, "first", "full.rsmf", full)
    return [*found, Source(given.format, given.messages, given.conversations)]


def selected(container: Container, workspace: str, **conditions: Any) -> Selection:
    with container.pool.connection() as connection:
        row = connection.execute(
            "SELECT workspace_id FROM read.workspace WHERE name = %s", (workspace,)
        ).fetchone()
        assert row is not None
        return selection_of(
            connection,
            MessageSelection(**conditions),
            row[0],
            container.archive.event_log.head(),
        )


def asking(container: Container) -> Any:
    def ask(query: Any) -> Any:
        with container.pool.connection() as connection:
            return query(connection)

    return ask


def zip_of(container: Container, selection: Selection) -> bytes:
    return b"".join(piece for piece, _ in bundle.zipped(asking(container), selection))


def exported(container: Container, selection: Selection) -> dict[str, bytes]:
    return unzipped(zip_of(container, selection))


def expected(container: Container, source: Source, workspace_id: UUID) -> dict[Any, Message]:
    """As the archive keeps them: people by their last names, reactions of strangers unnamed."""
    names = {m.author.id: m.author.name for m in source.messages if m.author is not None}

    def known(author_id: str) -> str:
        stranger = container.pseudonyms.author(workspace_id, source.format, author_id)
        return author_id if author_id in names else str(stranger)

    found: dict[Any, Message] = {}
    for m in source.messages:
        author = None if m.author is None else Author(m.author.id, clean(names[m.author.id]))
        found[m.conversation, key(m.key)] = m._replace(
            author=author,
            key=key(m.key),
            text=clean(m.text),
            reply_to=m.reply_to and key(m.reply_to),
            thread=m.thread and key(m.thread),
            reactions=tuple(
                one._replace(authors=tuple(map(known, one.authors))) for one in m.reactions
            ),
            extra=clean(m.extra) if m.extra else None,
        )
    return found


def test_every_message_comes_back_as_it_was(container: Container, sources: list[Source]) -> None:
    """Author, time, precision, zone, text, kind, replies, threads, reactions, files and edits."""
    selection = selected(container, "first")
    messages, conversations = read_back(exported(container, selection))
    want: dict[Any, Message] = {}
    for source in sources:
        want |= expected(container, source, selection.workspace_id)
    got = {(m.conversation, m.key): m for m in messages}
    assert len(got) == len(messages) == len(want)
    differing = [(want.get(place), m) for place, m in got.items() if want.get(place) != m]
    assert differing == []
    spoken_in = {m.conversation for m in messages}
    titles = {one for s in sources for one in s.conversations if one.id in spoken_in}
    assert set(conversations) == titles
    has: Mapping[str, bool] = {
        field: any(getattr(m, field) for m in messages)
        for field in (
            "thread",
            "edited_at",
            "edits",
            "reply_to",
            "reactions",
            "attachments",
            "extra",
        )
    }
    assert all(has.values()), has  # else the samples would show nothing
    assert {m.precision for m in messages} >= {"microsecond", "second", "minute"}
    assert {m.kind for m in messages} == {"message", "system", "action", "deleted"}
    assert {m.zone for m in messages} == {"stated", "derived", "assumed"}


def test_every_file_of_it_is_valid(container: Container, sources: list[Source]) -> None:
    files = exported(container, selected(container, "first"))
    assert len(files) > len(sources)
    for name, content in files.items():
        manifest = manifest_of(content)
        assert not [f"{name}: {error}" for error in schema().iter_errors(manifest)]
        people = {one["id"] for one in manifest["participants"]}
        for event in manifest["events"]:
            assert event.get("participant") is None or event["participant"] in people


def test_a_new_workspace_made_of_it_exports_the_same_messages(
    container: Container, sources: list[Source]
) -> None:
    content = zip_of(container, selected(container, "first"))
    ingest_file(container, "second", "rsmf.zip", content)
    again, _ = read_back(exported(container, selected(container, "second")))
    once, _ = read_back(unzipped(content))
    assert len(sources) == 4
    strangers = {a for m in once for r in m.reactions for a in r.authors} - {
        m.author.id for m in once if m.author is not None
    }

    def comparable(message: Message) -> Message:
        """Who reacted and never wrote has another unspoken id in every workspace."""
        reactions = tuple(
            one._replace(authors=tuple(sorted(set(one.authors) & writers)))
            for one in message.reactions
        )
        return message._replace(reactions=reactions)

    writers = {m.author.id for m in once if m.author is not None}
    assert {(m.conversation, m.key): comparable(m) for m in again} == {
        (m.conversation, m.key): comparable(m) for m in once
    }
    assert all(len(stranger) == 36 for stranger in strangers)


EDITS = (
    [("Room", "Ann", "frist"), ("Room", "Bob", "second")],
    [("Room", "Ann", "first"), ("Room", "Bob", "second")],
    [("Room", "Ann", "first!"), ("Room", "Bob", "second")],
)


def test_what_later_uploads_changed_comes_back_as_edits(container: Container) -> None:
    lines: list[Line]
    for number, lines in enumerate(EDITS):
        ingest_file(container, "edits", f"{number}.jsonl", export(lines))
    selection = selected(container, "edits")
    messages, _ = read_back(exported(container, selection))
    assert [(m.text, [edit.text for edit in m.edits]) for m in messages] == [
        ("first!", ["frist", "first"]),
        ("second", []),
    ]


def test_days_end_at_midnight_and_full_days_have_parts(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Resumed after any file, the rest is the same."""
    lines = [("Long", "Ann", f"number {n}") for n in range(100)]
    ingest_file(container, "parts", "long.jsonl", export(lines))
    selection = selected(container, "parts")
    cut_files = bundle.rsmf_files

    def small(*arguments: Any, **named: Any) -> Any:
        return cut_files(*arguments, events_a_file=15, **named)

    monkeypatch.setattr(bundle, "rsmf_files", small)
    monkeypatch.setattr("infrastructure.exports.selected.MESSAGES_READ", 7)

    ask = asking(container)
    whole = list(bundle.files(ask, selection))
    names = [file.name for file, _ in whole]
    assert len(set(names)) == 7
    assert [name.partition("-2024")[2] for name in names[:2]] == [
        "-03-01.rsmf",
        "-03-01_part002.rsmf",
    ]
    for number, (_, place) in enumerate(whole, start=1):
        rest = list(bundle.files(ask, selection, place))
        assert [file.name for file, _ in rest] == names[number:]
        assert [file.messages for file, _ in rest] == [file.messages for file, _ in whole[number:]]


def peak(container: Container, selection: Selection) -> tuple[int, int]:
    """Bytes of memory at most, and of the zip."""
    size = 0

    tracemalloc.start()
    try:
        for piece, _ in bundle.zipped(asking(container), selection):
            size += len(piece)
        return tracemalloc.get_traced_memory()[1], size
    finally:
        tracemalloc.stop()


@pytest.mark.long
def test_fifty_thousand_messages_need_no_more_memory_than_five_thousand(
    container: Container,
) -> None:
    started = NOON.replace(hour=0)
    rows = (
        b'{"id": "%d", "conversation": "Busy", "author": "P%d", "timestamp": "%s", "text": "%s"}\n'
        % (n, n % 50, (started + timedelta(seconds=86 * n)).isoformat().encode(), b"lorem " * 40)
        for n in range(50_000)
    )
    ingest_file(container, "busy", "busy.jsonl", b"".join(rows))
    until = started + timedelta(seconds=86 * 5_000)
    small, small_size = peak(container, selected(container, "busy", until=until))
    large, large_size = peak(container, selected(container, "busy"))
    assert large_size > 8 * small_size
    assert large < 1.5 * small
