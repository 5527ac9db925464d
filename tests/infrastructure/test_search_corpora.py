"""What may be found, in memory and by PostgreSQL: both say the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from application.searching.filters import NO_FILTERS
from application.searching.query import parse
from domain.message import Conversation
from domain.transcript import IDS_PER_POSITION
from domain.upload import Upload
from infrastructure.search import demanding
from infrastructure.search.corpus import Nearest, Surroundings, Where
from infrastructure.search.demanding import filters_of
from infrastructure.search.linking import linked
from infrastructure.search.memory_corpus import MemoryCorpus
from infrastructure.search.restriction import restriction
from infrastructure.search.stored_corpus import StoredCorpus
from infrastructure.search.tsquery import NOTHING, Demand, languages, tsqueries
from infrastructure.words.follower import Known
from infrastructure.words.inverted_index import Alternatives
from tests.support.archive import Ledger
from tests.support.chats import NOON, message, room
from tests.support.search_site import SearchSite
from tests.support.shared_ledger import own_ledger, shared_ledger

__all__ = ["own_ledger", "shared_ledger"]

WORDS = ("yes", "no", "maybe", "Ann: yes", "bo, no", "see https://example.org", "", "Was ist das")
FILTERS = (
    "",
    "from:Ann",
    "-from:Ann",
    "in:Alpha",
    "-in:Alpha has:link",
    "has:reply",
    "-has:reply before:2024-01-31T12:02",
    "kind:system",
    "-kind:system",
    "kind:group",
    "-kind:group",
    "lang:de",
    "-lang:de",
    "after:2024-01-31T12:01",
    "from:nobody",
    '"yes"',
    "-yes",
    '"see https"',
    '-"was ist"',
    '"ann" or "was ist" -maybe -"..."',
    '"nothing of this"',
    "-the -nothing",
    "-may* from:Ann",
)


def chat(count: int, seed: int) -> list[Any]:
    random = np.random.default_rng(seed)
    items: list[Any] = [room("Alpha", "a"), Conversation("b", "Beta", "channel")]
    for number in range(count):
        who = ("Ann", "Bo Li", "Cid", None)[int(random.integers(4))]
        reply = str(seed * 1_000 + number - 1) if number and random.integers(4) == 0 else None
        items.append(
            message(
                number,
                str(random.choice(WORDS)),
                key=str(seed * 1_000 + number),
                conversation="ab"[int(random.integers(2))],
                author=who,
                kind="message" if who else "system",
                sent_at=NOON + timedelta(seconds=int(random.integers(200))),
                reply_to=reply,
                thread="t" if random.integers(5) == 0 else None,
            )
        )
    return items


@pytest.fixture(scope="module")
def site(shared_ledger: Ledger) -> Iterator[SearchSite]:
    site = SearchSite(shared_ledger, is_in_memory=True)
    site.tell(*chat(150, 1))
    site.tell(*chat(150, 2))
    withdrawn = site.tell(*chat(60, 3))
    site.tell(*chat(30, 4), has_vectors=False)
    upload = site.ledger.archive.load(Upload, withdrawn)
    upload.withdraw()
    site.ledger.record(upload)
    site.advance()
    yield site
    site.close()


@pytest.mark.parametrize("filters", FILTERS)
@pytest.mark.parametrize("share", [1.0, 0.4], ids=["now", "as it was"])
def test_both_say_the_same(site: SearchSite, filters: str, share: float) -> None:
    workspace_id = site.ledger.workspace_id
    assert site.words is not None
    assert site.vectors is not None
    known = site.words.words_of(workspace_id, 0)
    assert known is not None
    ids = np.sort(known.table.column("ids")[: known.table.count])
    below = int(ids[int(len(ids) * share) - 1]) + 1
    position = None if share == 1.0 else below // IDS_PER_POSITION - 1
    if position is not None:
        below = (position + 1) * IDS_PER_POSITION
    where = Where(workspace_id=workspace_id, model=site.embedder.model.id)
    with site.ledger.pool.connection() as connection, connection.transaction():
        query = parse(filters)
        words = tsqueries(connection, query, languages(connection, workspace_id))
        narrowed = restriction(connection, workspace_id, query.filters, words, position)
        stored = StoredCorpus(connection, where, narrowed, all_words="", below=below)
        demanded = filters_of(connection, where, narrowed.demands, known.words, below=below)
        assert demanded is not None
        texts = site.vectors.texts_of(**where)
        memory = MemoryCorpus(stored, known.table, texts, demanded=demanded)
        by_id = {id_: key for id_, key in stored.kept(ids.tolist()).items() if id_ < below}

        assert memory.is_narrow == stored.is_narrow == bool(filters)
        assert memory.kept(ids.tolist()) == by_id
        assert as_list(stored.messages) == sorted(by_id)
        assert kept_by(memory) == sorted(by_id)
        found, every = having_words(memory, known, below)
        assert found == [id_ for id_ in every if id_ in by_id]
        assert every
        assert as_list(memory.vectors(None)) == as_list(stored.vectors(None))
        keys = sorted({key for key in by_id.values() if key is not None})
        vectors = stored.vectors_of(keys)
        assert memory.vectors_of(keys) == vectors
        nearest = Nearest([*vectors.values(), 5], [0.5] * (len(vectors) + 1), "faiss")
        assert memory.behind(nearest, 1_000) == stored.behind(nearest, 1_000)
        seeds = sorted(by_id)[::3]
        assert told(memory.surroundings(seeds)) == told(stored.surroundings(seeds))


def test_a_phrase_that_very_many_have_is_left_to_postgresql(
    site: SearchSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = site.words.words_of(site.ledger.workspace_id, 0) if site.words else None
    assert known is not None
    where = Where(workspace_id=site.ledger.workspace_id, model=site.embedder.model.id)
    expected = [hit.message.id for hit in site.search('"was ist" maybe').hits]
    with site.ledger.pool.connection() as connection, connection.transaction():
        languages_ = languages(connection, site.ledger.workspace_id)
        words = tsqueries(connection, parse('"was ist"'), languages_)
        most = len(having(connection, where, words.demands))
        for limit in (most, most - 1):
            monkeypatch.setattr(demanding, "MOST_HAVING", limit)
            found = filters_of(connection, where, words.demands, known.words, below=2**62)
            assert (found is None) == (limit < most)
    assert expected
    assert [hit.message.id for hit in site.search('"was ist" maybe').hits] == expected


def having(connection: Any, where: Where, demands: Sequence[Demand]) -> list[int]:
    values = {"workspace": where["workspace_id"], "tsquery": demands[0].tsquery, "limit": 10_000}
    assert demands[0].asked is None
    return [id_ for (id_,) in connection.execute(demanding.HAVING, values)]


def kept_by(memory: MemoryCorpus) -> list[int]:
    return sorted(id_ for id_, _ in memory.by_time(None, is_oldest=True, last=None, limit=10**9))


def having_words(memory: MemoryCorpus, known: Known, below: int) -> tuple[list[int], list[int]]:
    """Messages with any of some words: of those that may be found, and of all."""
    lookup = known.words.look_up([Alternatives((), ("y", "no", "ma", "see"))], below=below)
    found = lookup.best(10**6, kept=memory.kept_in(lookup))
    return sorted(found.ids.tolist()), lookup.having().tolist()


def as_list(found: Any) -> list[int]:
    return found.tolist()  # type: ignore[no-any-return]


def told(found: Surroundings) -> Any:
    """What of them a search uses; authors and keys have other numbers in memory."""
    links = linked(found.spoken)
    return (
        found.ids.tolist(),
        [column.tolist() for column in links],
        found.spoken.stretches.tolist(),
        found.spoken.at.tolist(),
        found.text_keys(range(len(found.ids))),
        found.vector_ids.tolist(),
        found.may_be_found.tolist(),
    )


def test_where_many_texts_may_be_found_the_limit_says_so(site: SearchSite) -> None:
    known = site.words.words_of(site.ledger.workspace_id, 0) if site.words else None
    assert known is not None
    assert site.vectors is not None
    where = Where(workspace_id=site.ledger.workspace_id, model=site.embedder.model.id)
    with site.ledger.pool.connection() as connection, connection.transaction():
        narrowed = restriction(
            connection, site.ledger.workspace_id, parse("-kind:system").filters, NOTHING, None
        )
        stored = StoredCorpus(connection, where, narrowed, all_words="", below=2**62)
        memory = MemoryCorpus(stored, known.table, site.vectors.texts_of(**where))
        texts = len(as_list(memory.vectors(None)))
        assert memory.vectors(texts - 1) is None
        assert stored.vectors(texts - 1) is None
        assert as_list(memory.vectors(texts)) == as_list(stored.vectors(texts))


def test_what_is_gone_since_is_not_there(site: SearchSite) -> None:
    known = site.words.words_of(site.ledger.workspace_id, 0) if site.words else None
    assert known is not None
    assert site.vectors is not None
    where = Where(workspace_id=site.ledger.workspace_id, model=site.embedder.model.id)
    with site.ledger.pool.connection() as connection, connection.transaction():
        narrowed = restriction(connection, site.ledger.workspace_id, NO_FILTERS, NOTHING, None)
        stored = StoredCorpus(connection, where, narrowed, all_words="", below=2**62)
        texts = site.vectors.texts_of(**where)
        every = kept_by(MemoryCorpus(stored, known.table, texts))
        gone = every[::2]
        memory = MemoryCorpus(stored, known.table, texts, gone)
        assert kept_by(memory) == every[1::2]
        assert not set(as_list(memory.surroundings(every[1::20]).ids)) & set(gone)
        vectors = list(
            stored.vectors_of([key for key in memory.kept(every).values() if key]).values()
        )
        found = memory.behind(Nearest(vectors, [0.5] * len(vectors), "faiss"), 1_000)
        assert found
        assert not {hit.message_id for hit in found} & set(gone)
