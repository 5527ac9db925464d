"""The words in memory follow PostgreSQL: they are right, or others answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import UUID

import psycopg
import pytest

from domain.upload import Upload
from infrastructure import following
from infrastructure.projections.rebuild import ProjectionRebuilder
from infrastructure.words.follower import WordsFollower
from infrastructure.words.inverted_index import Alternatives
from tests.support.archive import Ledger
from tests.support.chats import message
from tests.support.eventually import eventually
from tests.support.postgres import end_connections
from tests.support.search_site import SearchSite
from tests.support.shared_ledger import own_ledger, shared_ledger

__all__ = ["own_ledger", "shared_ledger"]

Start = Callable[[], WordsFollower]


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "RETRY_SECONDS", 0.05)


@pytest.fixture
def site(own_ledger: Ledger) -> SearchSite:
    return SearchSite(own_ledger)


@pytest.fixture
def start(site: SearchSite) -> Iterator[Start]:
    started: list[WordsFollower] = []

    def begin() -> WordsFollower:
        follower = WordsFollower(hub=site.ledger.hub, pool=site.ledger.pool)
        follower.start()
        started.append(follower)
        return follower

    yield begin
    for one in started:
        one.stop()


def found(follower: WordsFollower, site: SearchSite, word: str) -> list[str] | None:
    """Texts in which PostgreSQL's messages and memory agree. None: it has no answer yet."""
    known = follower.words_of(site.ledger.workspace_id, head(site))
    if known is None:
        return None
    hits = known.words.look_up([Alternatives((word,))]).best(100)
    with site.ledger.pool.connection() as connection:
        rows = connection.execute(
            "SELECT text FROM read.message WHERE message_id = ANY(%s) ORDER BY text",
            (hits.ids.tolist(),),
        ).fetchall()
    assert len(rows) == len(hits.ids)
    return [row[0] for row in rows]


def head(site: SearchSite) -> int:
    with site.ledger.pool.connection() as connection:
        row = connection.execute(
            "SELECT position FROM projection.projection WHERE name = 'messages'"
        ).fetchone()
    assert row is not None
    return int(row[0])


def withdraw(site: SearchSite, upload_id: UUID) -> None:
    upload = site.ledger.archive.load(Upload, upload_id)
    upload.withdraw()
    site.ledger.record(upload)
    site.advance()


def test_what_is_told_edited_and_withdrawn_is_followed(site: SearchSite, start: Start) -> None:
    site.tell(message(0, "boat in the rain"), message(1, "lunch"))
    follower = start()
    eventually(lambda: found(follower, site, "boat") == ["boat in the rain"])
    edit = site.tell(message(0, "train in the rain"), message(2, "another boat"))
    eventually(lambda: found(follower, site, "boat") == ["another boat"])
    assert found(follower, site, "train") == ["train in the rain"]
    withdraw(site, edit)
    eventually(lambda: found(follower, site, "boat") == ["boat in the rain"])
    assert found(follower, site, "train") == []
    known = follower.words_of(site.ledger.workspace_id, 0)
    assert known is not None
    assert len(known.words) == 2


def test_it_has_no_answer_for_what_it_has_not_reached(site: SearchSite, start: Start) -> None:
    site.tell(message(0, "boat"))
    follower = start()
    eventually(lambda: found(follower, site, "boat") == ["boat"])
    assert follower.words_of(site.ledger.workspace_id, follower.position + 1) is None
    other = follower.words_of(UUID(int=7), 0)
    assert other is not None
    assert len(other.words) == 0
    assert follower.memory_bytes > 0


def test_before_it_has_read_anything_it_has_no_answer(site: SearchSite) -> None:
    site.tell(message(0, "boat"))
    follower = WordsFollower(hub=site.ledger.hub, pool=site.ledger.pool)
    assert follower.words_of(site.ledger.workspace_id, 0) is None
    assert follower.seconds_behind is None


def test_a_thread_that_hangs_is_not_believed(
    site: SearchSite, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.tell(message(0, "boat"))
    follower = start()
    eventually(lambda: found(follower, site, "boat") == ["boat"])
    follower.stop()
    assert follower.words_of(site.ledger.workspace_id, 0) is not None
    monkeypatch.setattr("infrastructure.words.follower.MOST_SECONDS_BEHIND", 0.0)
    assert follower.words_of(site.ledger.workspace_id, 0) is None


def test_connections_that_are_cut_heal(site: SearchSite, start: Start) -> None:
    site.tell(message(0, "boat"))
    follower = start()
    eventually(lambda: found(follower, site, "boat") == ["boat"])
    for number in range(1, 4):
        end_connections(site.ledger.url)
        site.ledger.pool.check()  # for us, who do not try again
        site.tell(message(number, f"boat {number}"))
        eventually(lambda: len(found(follower, site, "boat") or []) == number + 1)  # noqa: B023


def test_a_rebuilt_read_model_is_read_again(site: SearchSite, start: Start) -> None:
    site.tell(message(0, "boat"))
    follower = start()
    eventually(lambda: found(follower, site, "boat") == ["boat"])
    ProjectionRebuilder(site.runner).rebuild("messages")
    site.tell(message(1, "another boat"))
    eventually(lambda: found(follower, site, "boat") == ["another boat", "boat"])


def test_a_database_that_holds_less_is_noticed(
    site: SearchSite, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    """As one that was restored from a backup."""
    site.tell(message(0, "boat"), message(1, "boat trip"))
    follower = start()
    eventually(lambda: found(follower, site, "boat") == ["boat", "boat trip"])
    with psycopg.connect(site.ledger.url, autocommit=True) as owner:
        [(schema,)] = owner.execute(
            "SELECT schemaname FROM pg_tables WHERE tablename = 'message_total' "
            "ORDER BY schemaname DESC LIMIT 1"  # the last one that was built
        ).fetchall()
        values = (site.ledger.workspace_id,)
        owner.execute(
            f"DELETE FROM {schema}.message WHERE text = 'boat trip' AND workspace_id = %s", values
        )
        owner.execute(
            f"UPDATE {schema}.message_total SET messages = messages - 1 WHERE workspace_id = %s",
            values,
        )
    end_connections(site.ledger.url)
    site.ledger.pool.check()  # for us, who do not try again
    # Until it has noticed that it was cut off, it has what was there before.
    eventually(lambda: "read again" in caplog.text)
    eventually(lambda: found(follower, site, "boat") == ["boat"])
