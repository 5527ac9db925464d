"""What a person does: upload three exports, search them, upload one again, look at the audit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from rich.console import Console

from application.ports.search import SearchRequest
from domain.workspace import Workspace
from infrastructure.bootstrap import open_container
from infrastructure.container import Container
from interfaces.cli.actor import cli_context
from interfaces.cli.ingest import ingest_files
from interfaces.cli.running import working
from projections.audit_trail.queries import audit_trail
from projections.uploads.queries import uploads
from tests.support.archive import copy_template
from tests.support.eventually import eventually
from tests.support.ingest_worker import settings_for
from tests.support.postgres import drop_database

EXPORTS = Path(__file__).parents[1] / "samples" / "exports"
FILES = ("slack-export.zip", "whatsapp-chat.zip", "telegram-result.json")
TEAM = Workspace.create_id("team")


@pytest.fixture(scope="module")
def archive(
    postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Container]:
    """The bundled samples, ingested with the real model."""
    url = copy_template(postgres_server, migrated_template)
    settings = settings_for(url, tmp_path_factory.mktemp("data"))
    with open_container(settings) as container, working(container):
        paths = tuple(EXPORTS / name for name in FILES)
        assert ingest_files(container, paths, "team", {}, Console(quiet=True))
        container.follower.start()
        yield container
    drop_database(url)


def search(archive: Container, query: str, **options: object) -> SearchRequest:
    return SearchRequest(workspace_id=TEAM, query=query, **options)  # type: ignore[arg-type]


def test_every_message_of_the_samples_is_searchable(archive: Container) -> None:
    """Counts as the samples' own expectations say."""
    expected = json.loads((EXPORTS / "expect.json").read_text())
    with archive.pool.connection() as connection:
        rows = {row.filename: row for row in uploads(connection, TEAM)}

    assert {name: expected[name]["messages"] for name in FILES} == {
        name: row.messages for name, row in rows.items()
    }
    assert {row.stage for row in rows.values()} == {"searchable"}


def test_a_search_by_meaning_finds_what_it_does_not_say(archive: Container) -> None:
    """The best hits talk of the subject in other words than the query's."""
    request = search(archive, "affection between machines", mode="meaning", limit=5)
    answer = archive.perform_search(request, cli_context(TEAM)).answer
    texts = " ".join(hit.message.text.lower() for hit in answer.hits)

    assert len(answer.hits) == 5
    assert "love" in texts
    assert not [hit for hit in answer.hits if "affection" in hit.message.text.lower()]
    assert (answer.coverage.indexed, answer.is_stale) == (answer.coverage.total, False)
    assert all(hit.meaning is not None and hit.meaning > 0.3 for hit in answer.hits)


def test_a_hybrid_hit_shows_words_scores_and_context(archive: Container) -> None:
    request = search(archive, "computers fall in love", context=2)
    hit = archive.perform_search(request, cli_context(TEAM)).answer.hits[0]
    marked = [hit.message.text[start:end].lower() for start, end in hit.highlights]

    assert "love" in marked
    assert hit.meaning_rank is not None
    assert hit.words_rank is not None
    assert len(hit.before) + len(hit.after) >= 2
    assert all(near.conversation_id == hit.message.conversation_id for near in hit.before)
    assert [m.sent_at for m in hit.before] == sorted(m.sent_at for m in hit.before)


def test_faiss_and_pgvector_give_the_same_hits(archive: Container) -> None:
    request = search(archive, "what makes a good friend", mode="meaning")
    eventually(lambda: archive.perform_search(request, cli_context(TEAM)).answer.engine == "faiss")
    by_faiss = archive.perform_search(request, cli_context(TEAM)).answer
    archive.follower.stop()
    position, archive.follower._position = archive.follower._position, -1
    by_pgvector = archive.perform_search(request, cli_context(TEAM)).answer
    archive.follower._position = position

    assert (by_faiss.engine, by_pgvector.engine) == ("faiss", "pgvector")
    assert [h.message.id for h in by_faiss.hits] == [h.message.id for h in by_pgvector.hits]


def test_a_search_is_in_the_audit_trail_in_words(archive: Container) -> None:
    """Who, what, from where; the query itself is sealed in the log."""
    request = search(archive, "a needle in the haystack")
    searched = archive.perform_search(request, cli_context(TEAM))
    assert archive.positions.wait(["audit_trail"], searched.position, timeout_seconds=20)
    with archive.pool.connection() as connection:
        entry = audit_trail(connection, TEAM, limit=1)[0]
        state = connection.execute(
            "SELECT state FROM log.archive_events WHERE notification_id = %s", (searched.position,)
        ).fetchone()

    assert (entry.position, entry.actor) == (searched.position, "Local owner")
    assert "a needle in the haystack" in entry.words
    assert entry.origin is not None
    assert entry.origin["channel"] == "cli"
    assert state is not None
    assert b"needle" not in bytes(state[0])


def test_the_same_file_again_changes_nothing(archive: Container) -> None:
    before = counts(archive)
    assert ingest_files(archive, (EXPORTS / FILES[0],), "team", {}, Console(quiet=True))

    assert counts(archive) == before


def test_another_workspace_finds_nothing(archive: Container) -> None:
    """The workspace is part of every statement."""
    other = UUID(int=1)
    request = SearchRequest(workspace_id=other, query="computers fall in love")
    answer = archive.perform_search(request, cli_context(other)).answer

    assert (list(answer.hits), answer.coverage.total) == ([], 0)


def counts(archive: Container) -> tuple[int, ...]:
    tables = ("message", "text_vector", "embedding", "message_version")
    with archive.pool.connection() as connection:
        rows = [connection.execute(f"SELECT count(*) FROM read.{t}").fetchone() for t in tables]
    return tuple(int(row[0]) for row in rows if row)
