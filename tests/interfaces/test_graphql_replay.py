"""
What an auditor asks of a search: would it give the same today, and if not, why? Over the same
archive; after more has arrived, something was edited, something withdrawn; with keys destroyed,
and by somebody else.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from application.commands.replay_search import (
    ReplaySearch,
    SearchErasedError,
    SearchNotFoundError,
)
from application.commands.withdraw_upload import WithdrawUpload
from application.context import LOCAL_OWNER, Context
from domain.search import SearchReplay
from domain.workspace import Workspace
from infrastructure.container import Container
from tests.support.archive_fixture import advance, ingest, ingest_file
from tests.support.chats import History, message, room
from tests.support.full_archive import ledger_of, upload
from tests.support.graphql_archive import container
from tests.support.graphql_site import Site
from tests.support.searches import some_search
from tests.support.statements import counted

__all__ = ["container"]

SEARCH = """query($workspace: String!, $query: String!, $mode: SearchMode! = WORDS,
                  $sort: SearchSort! = RELEVANCE, $limit: Int! = 10, $after: String) {
  search(workspace: $workspace, query: $query, mode: $mode, sort: $sort, limit: $limit,
         after: $after) {
    ... on SearchResult {eventPosition endCursor hits {message {id text}}}
    ... on Refusal {code message}
  }
}"""
HIT = "messageId rank formerRank change reason message {text}"
REPLAY = f"""query($workspace: String!, $search: ID!) {{
  replaySearch(workspace: $workspace, search: $search) {{
    ... on SearchReplay {{
      search {{eventPosition query mode sort limit hitCount}}
      asOfThen {{isSame hits {{{HIT}}} gone {{{HIT}}}}}
      today {{isSame hits {{{HIT}}} gone {{{HIT}}}}}
      notes {{kind message}} model position eventPosition milliseconds
    }}
    ... on Refusal {{code message}}
  }}
}}"""


class Talk:
    """A workspace of its own, in which things are said, searched for, and replayed."""

    def __init__(self, container: Container) -> None:
        self.container, self.site = container, Site(container)
        self.name = f"talk {uuid4().hex}"
        workspace = Workspace.create(self.name)
        container.archive.record(Context(actor_id=LOCAL_OWNER, workspace_id=None), workspace)
        self.history = History(ledger_of(container, workspace.id))

    def say(self, *items: Any) -> UUID:
        made = upload(self.history, room(), *items)
        advance(self.container)
        return made

    def withdraw(self, upload_id: UUID) -> None:
        self.container.withdraw_upload(
            WithdrawUpload(upload_id=upload_id), self.history.ledger.context()
        )
        advance(self.container)

    def search(self, query: str, **asked: Any) -> Any:
        return self.site.data(SEARCH, workspace=self.name, query=query, **asked)["search"]

    def replay(self, search: Any) -> Any:
        return self.site.data(REPLAY, workspace=self.name, search=str(search))["replaySearch"]


@pytest.fixture
def talk(container: Container) -> Talk:
    return Talk(container)


def told(comparison: Any) -> list[tuple[str, int | None, int | None, str, str | None]]:
    return [
        (
            hit["message"] and hit["message"]["text"],
            hit["formerRank"],
            hit["rank"],
            hit["change"],
            hit["reason"],
        )
        for hit in (*comparison["hits"], *comparison["gone"])
    ]


def test_over_the_same_archive_it_is_the_same(talk: Talk, container: Container) -> None:
    talk.say(message(0, "rain today"), message(1, "rain again"), message(2, "sun"))
    search = talk.search("rain")
    found = talk.replay(f"Event:{search['eventPosition']}")
    assert found["asOfThen"]["isSame"] is found["today"]["isSame"] is True
    assert found["notes"] == []
    assert [hit["change"] for hit in found["today"]["hits"]] == ["SAME", "SAME"]
    assert [hit["messageId"] for hit in found["today"]["hits"]] == [
        hit["message"]["id"] for hit in search["hits"]
    ]
    assert found["search"] == {
        "eventPosition": search["eventPosition"],
        "query": "rain",
        "mode": "WORDS",
        "sort": "RELEVANCE",
        "limit": 10,
        "hitCount": 2,
    }

    advance(container)
    trail = "query($w: String!) {auditTrail(workspace: $w, first: 1) {nodes {position summary}}}"
    [entry] = talk.site.data(trail, w=talk.name)["auditTrail"]["nodes"]
    assert entry["position"] == found["eventPosition"]
    assert entry["summary"] == (
        f"replayed the search at position {search['eventPosition']:,}: 2 hits then, 2 as of then, "
        "2 today"
    )


def test_what_arrived_since_is_found_today_and_not_as_of_then(talk: Talk) -> None:
    talk.say(message(0, "rain today"), message(1, "rain again"))
    search = talk.search("rain", sort="NEWEST")
    talk.say(message(5, "rain, more rain"))

    found = talk.replay(search["eventPosition"])
    assert found["asOfThen"]["isSame"] is True
    assert found["today"]["isSame"] is False
    assert told(found["today"]) == [
        ("rain, more rain", None, 1, "ADDED", "ARRIVED"),
        ("rain again", 1, 2, "MOVED", "RANKING"),
        ("rain today", 2, 3, "MOVED", "RANKING"),
    ]
    assert found["notes"] == []


def test_what_was_withdrawn_is_gone_and_said_to_be(talk: Talk) -> None:
    first = talk.say(message(0, "rain today"))
    talk.say(message(1, "rain again"))
    search = talk.search("rain", sort="OLDEST")
    talk.withdraw(first)

    found = talk.replay(search["eventPosition"])
    for side in ("asOfThen", "today"):
        assert told(found[side]) == [
            ("rain again", 2, 1, "MOVED", "RANKING"),
            (None, 1, None, "GONE", "WITHDRAWN"),
        ]
    [note] = found["notes"]
    assert note["kind"] == "WITHDRAWN"
    assert note["message"].startswith("1 of its hits")


def test_what_was_edited_is_searched_as_it_is_and_said_to_be(talk: Talk) -> None:
    talk.say(message(0, "rain today"), message(1, "rain again"))
    search = talk.search("rain", sort="OLDEST")
    talk.say(message(0, "sun today"))

    found = talk.replay(search["eventPosition"])
    assert told(found["asOfThen"]) == [
        ("rain again", 2, 1, "MOVED", "RANKING"),
        ("sun today", 1, None, "GONE", "EDITED"),
    ]
    assert [note["kind"] for note in found["notes"]] == ["EDITED"]


def test_hits_that_fell_behind_the_limit_are_gone_for_others(talk: Talk) -> None:
    talk.say(message(0, "rain today"))
    search = talk.search("rain", sort="NEWEST", limit=1)
    talk.say(message(5, "rain tomorrow"))
    found = talk.replay(search["eventPosition"])
    assert told(found["today"]) == [
        ("rain tomorrow", None, 1, "ADDED", "ARRIVED"),
        ("rain today", 1, None, "GONE", "RANKING"),
    ]


@pytest.mark.parametrize("sort", ["RELEVANCE", "OLDEST"])
def test_a_further_page_is_replayed_behind_the_same_place(talk: Talk, sort: str) -> None:
    talk.say(*(message(n, f"rain {n}") for n in range(4)))
    page = talk.search("rain", sort=sort, limit=2)
    further = talk.search("rain", sort=sort, limit=2, after=page["endCursor"])
    assert len(further["hits"]) == 2
    talk.say(message(9, "rain 9"))

    found = talk.replay(further["eventPosition"])
    assert found["asOfThen"]["isSame"] is True
    assert [hit["messageId"] for hit in found["asOfThen"]["hits"]] == [
        hit["message"]["id"] for hit in further["hits"]
    ]
    assert [note["kind"] for note in found["notes"]] == ["LATER_PAGE"]


def test_meaning_is_compared_with_the_vectors_of_then(container: Container) -> None:
    """What got its vector later is said to have been indexed since."""
    lines = [("Room", "Ada", "harbour"), ("Room", "Ada", "harbour lights")]
    ingested = ingest(container, "vectors", lines)
    site = Site(container)
    asked = {"workspace": "vectors", "query": "harbour", "mode": "MEANING"}
    search = site.data(SEARCH, **asked)["search"]
    more = b'{"id": "x", "conversation": "Other", "author": "Bob", "timestamp": '
    more += b'"2024-05-01T12:00:00Z", "text": "harbour bell"}\n'
    ingest_file(container, "vectors", "more.jsonl", more, has_vectors=True)

    found = site.data(REPLAY, workspace="vectors", search=str(search["eventPosition"]))
    replayed = found["replaySearch"]
    assert replayed["asOfThen"]["isSame"] is True
    assert len(replayed["asOfThen"]["hits"]) == len(search["hits"]) > 0
    reasons = {hit["message"]["text"]: hit["reason"] for hit in replayed["today"]["hits"]}
    assert reasons["harbour bell"] == "ARRIVED"
    assert replayed["model"] is not None
    assert replayed["notes"] == []
    assert ingested.position > 0


def test_what_is_like_a_message_is_looked_for_again(container: Container) -> None:
    lines = [("Room", "Ada", text) for text in ("harbour", "harbour lights", "sun", "harbour bell")]
    ingest(container, "likes", lines)
    site = Site(container)
    with container.pool.connection() as connection:
        row = connection.execute(
            "SELECT message_id FROM read.message JOIN read.workspace USING (workspace_id) "
            "WHERE name = 'likes' AND text = 'harbour'"
        ).fetchone()
    assert row is not None
    like = """query($id: ID!) {search(workspace: "likes", query: "from:Ada", likeMessage: $id) {
      ... on SearchResult {eventPosition hits {message {id}}}
    }}"""
    search = site.data(like, id=f"Message:{row[0]}")["search"]
    assert search["hits"]
    position = str(search["eventPosition"])
    replayed = site.data(REPLAY, workspace="likes", search=position)["replaySearch"]
    assert [hit["messageId"] for hit in replayed["asOfThen"]["hits"]] == [
        hit["message"]["id"] for hit in search["hits"]
    ]
    assert replayed["asOfThen"]["isSame"] is replayed["today"]["isSame"] is True


def test_days_of_the_query_are_those_of_then(talk: Talk) -> None:
    """`today` is the day on which it was asked, whenever it is replayed."""
    long_ago = datetime(2024, 5, 1, 23, 30, tzinfo=UTC)
    talk.say(message(0, "rain", sent_at=long_ago - timedelta(hours=1)))
    talk.say(message(1, "rain now", sent_at=datetime.now(UTC)))
    ledger = talk.history.ledger
    moment = ledger.head()
    fact = some_search(
        query="rain on:today",
        filters={
            "sent_from": "2024-05-01T00:00:00+00:00",
            "sent_before": "2024-05-02T00:00:00+00:00",
        },
        hits=[],
        messages_position=moment,
        vectors_position=moment,
        position=moment,
    )
    advance(talk.container)
    found = talk.replay(ledger.record(fact))
    assert [hit["message"]["text"] for hit in found["today"]["hits"]] == ["rain"]


def test_one_of_an_early_version_says_what_was_assumed(talk: Talk) -> None:
    talk.say(message(0, "rain today"))
    [(id, _)] = messages_of(talk)
    position = talk.history.ledger.head()
    unknown = dict.fromkeys(
        ("sort", "time_zone", "limit", "messages_position", "vectors_position", "engine",
         "has_words_in_memory")
    )  # fmt: skip
    early = talk.history.ledger.record(
        some_search(query="rain", hits=[id], position=position, **unknown)
    )
    talk.say(message(5, "rain tomorrow"))
    found = talk.replay(early)
    assert found["asOfThen"]["isSame"] is True
    assert [note["kind"] for note in found["notes"]] == ["NOT_RECORDED"]
    assert found["search"]["sort"] is None


def test_another_model_and_another_engine_are_said(talk: Talk) -> None:
    talk.say(message(0, "rain today"))
    moment = talk.history.ledger.head()
    position = talk.history.ledger.record(
        some_search(
            query="rain from:Ada",
            mode="hybrid",
            filters={"authors": ["Ada"]},
            model="old@1",
            engine="faiss",
            has_words_in_memory=True,
            messages_position=moment,
            vectors_position=moment,
        )
    )
    found = talk.replay(position)
    assert [note["kind"] for note in found["notes"]] == [
        "MODEL_CHANGED",
        "ENGINE_CHANGED",
        "NAMES",
    ]


def test_only_who_has_searched_may_replay(talk: Talk, container: Container) -> None:
    talk.say(message(0, "rain today"))
    position = talk.search("rain")["eventPosition"]
    ledger = talk.history.ledger
    theirs = ledger.record(some_search(searcher_id=str(uuid4())), actor_id=uuid4())
    before = ledger.head()
    with pytest.raises(SearchNotFoundError):
        container.replay_search(
            ReplaySearch(position=position), replace(ledger.context(), actor_id=uuid4())
        )
    for unknown in (theirs, 1, 10**12, "x", "Upload:1", f"Event:{theirs}"):
        assert talk.replay(unknown)["code"] == "SEARCH_NOT_FOUND"
    assert ledger.head() == before


def test_a_search_of_another_workspace_is_not_replayed(talk: Talk, container: Container) -> None:
    other = Talk(container)
    other.say(message(0, "rain today"))
    position = other.search("rain")["eventPosition"]
    talk.say(message(0, "sun"))
    assert talk.replay(position)["code"] == "SEARCH_NOT_FOUND"
    answer = talk.site.data(REPLAY, workspace="nowhere", search=str(position))["replaySearch"]
    assert answer["code"] == "UNKNOWN_WORKSPACE"


def test_a_search_whose_key_was_destroyed_cannot_be_replayed(
    talk: Talk, container: Container
) -> None:
    searcher = uuid4()
    ledger = talk.history.ledger
    position = ledger.record(some_search(searcher_id=str(searcher)), actor_id=searcher)
    ledger.keyring.destroy(searcher)
    context = replace(ledger.context(), actor_id=searcher)
    with pytest.raises(SearchErasedError, match="was destroyed"):
        container.replay_search(ReplaySearch(position=position), context)


def test_a_replay_is_a_fact_with_its_hits(talk: Talk, container: Container) -> None:
    talk.say(message(0, "rain today"))
    position = talk.search("rain")["eventPosition"]
    replayed = talk.replay(position)
    with container.pool.connection() as connection:
        page = container.runner.stepper.reader.page(
            connection,
            after=replayed["eventPosition"] - 1,
            up_to=replayed["eventPosition"],
            topics=[SearchReplay.Replayed.TOPIC],
            limit=1,
        )
    [recorded] = page.events
    [(id, _)] = messages_of(talk)
    assert recorded.event.search_position == position
    assert recorded.event.hits_as_of_then == recorded.event.hits_today == [id]
    assert recorded.actor_id == LOCAL_OWNER


def test_many_hits_cost_as_many_statements_as_few(talk: Talk, container: Container) -> None:
    gone = talk.say(*(message(n, f"rain {n}") for n in range(20)))
    few = talk.search("rain", limit=1, sort="OLDEST")["eventPosition"]
    many = talk.search("rain", limit=20, sort="OLDEST")["eventPosition"]
    talk.withdraw(gone)
    talk.say(*(message(n, f"rain {n}", key=f"new{n}") for n in range(20)))
    costs = []
    for position, hits in ((few, 1), (many, 20)):
        with counted(container) as statements:
            found = talk.replay(position)
        assert len(found["today"]["hits"]) == len(found["today"]["gone"]) == hits
        costs.append(len(statements))
    assert costs[0] == costs[1]


def messages_of(talk: Talk) -> list[tuple[int, str]]:
    with talk.container.pool.connection() as connection:
        return connection.execute(
            "SELECT message_id, text FROM read.message WHERE workspace_id = %s",
            (talk.history.ledger.workspace_id,),
        ).fetchall()
