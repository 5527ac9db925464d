"""What one saves, one runs again, renames and deletes; nobody else sees or touches it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from application.commands.delete_saved_search import DeleteSavedSearch
from application.commands.rename_saved_search import RenameSavedSearch
from application.saved_searches import SavedSearchNotFoundError
from domain.saved_search import SavedSearch
from domain.search import Search
from infrastructure.container import Container
from projections.saved_searches.projection import SavedSearchesReadModel
from tests.support.archive import Ledger
from tests.support.archive_fixture import Ingested, advance
from tests.support.full_archive import ledger_of
from tests.support.graphql_archive import container, ingested, site
from tests.support.graphql_site import Site
from tests.support.mutations import mutate
from tests.support.scratch import events_of, projected
from tests.support.searches import some_saved_search

__all__ = ["container", "ingested", "site"]

LIST = """query($workspace: String! = "default", $first: Int, $after: String) {
  savedSearches(workspace: $workspace, first: $first, after: $after) {
    nodes {id name query mode sort filters timeZone}
    pageInfo {hasNextPage endCursor}
  }
}"""
RUN = """query($id: ID!, $workspace: String! = "default", $limit: Int! = 10, $after: String) {
  runSavedSearch(id: $id, workspace: $workspace, limit: $limit, after: $after) {
    ... on SearchResult {eventPosition endCursor hits {message {text}}}
    ... on Refusal {code message}
  }
}"""
RAIN = {"name": "Rain", "query": "rain", "mode": "WORDS"}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker moves the read models in these tests."""
    monkeypatch.setattr("interfaces.graphql.context.WAIT_SECONDS", 0.05)


@pytest.fixture
def ledger(container: Container, ingested: Ingested) -> Ledger:
    return replace(ledger_of(container, ingested.workspace_id), workspace_id=uuid4())


def saved(site: Site, container: Container, **input: Any) -> str:
    """Its id, once the read model has followed."""
    command_id = str(uuid4())
    mutate(site, "saveSearch", commandId=command_id, **input)
    advance(container)
    answer = mutate(site, "saveSearch", commandId=command_id, **input)
    assert answer["__typename"] == "SaveSearchSuccess", answer
    found: str = answer["savedSearch"]["id"]
    return found


def listed(site: Site, container: Container, **asked: Any) -> Any:
    advance(container)
    return site.data(LIST, **asked)["savedSearches"]


def events(container: Container, id: str) -> list[Any]:
    return list(container.archive.events.get(UUID(id.rpartition(":")[2])))


def test_a_saved_search_is_listed_with_all_that_was_said(site: Site, container: Container) -> None:
    given = {
        "name": "  Ada's rain ",
        "query": "rain after:7d",
        "mode": "MEANING",
        "sort": "NEWEST",
        "filter": {"authors": ["Ada"], "has": ["LINK"]},
        "timeZone": "Europe/Berlin",
    }
    id = saved(site, container, **given)
    [*_, event] = events(container, id)
    assert isinstance(event, SavedSearch.Saved)
    assert listed(site, container, first=1)["nodes"] == [
        {
            "id": id,
            "name": "Ada's rain",
            "query": "rain after:7d",
            "mode": "MEANING",
            "sort": "NEWEST",
            "filters": {"authors": ["Ada"], "has": ["link"]},
            "timeZone": "Europe/Berlin",
        }
    ]


def test_to_save_again_under_the_same_command_id_saves_once(
    site: Site, container: Container
) -> None:
    before = len(listed(site, container, first=100)["nodes"])
    saved(site, container, **RAIN)
    assert len(listed(site, container, first=100)["nodes"]) == before + 1
    saved(site, container, **RAIN)
    assert len(listed(site, container, first=100)["nodes"]) == before + 2


def test_one_too_many_is_refused_with_what_to_do(
    site: Site, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("application.saved_searches.MOST_SAVED", 1)
    mutate(site, "createWorkspace", name="few")
    advance(container)
    id = saved(site, container, **RAIN, workspace="few")
    refused = mutate(site, "saveSearch", **RAIN, workspace="few")
    assert refused == {
        "__typename": "TooManySavedSearches",
        "code": "TOO_MANY_SAVED_SEARCHES",
        "message": "you keep 1 saved searches in this workspace, which is the most: delete one "
        "that you do not need any more",
    }
    mutate(site, "deleteSavedSearch", id=id, workspace="few")
    assert saved(site, container, **RAIN, workspace="few") != id


def test_to_run_it_is_a_search_that_is_recorded_as_its(site: Site, container: Container) -> None:
    id = saved(site, container, name="Oks", query="ok", mode="WORDS", filter={"authors": ["Dee"]})
    found = site.data(RUN, id=id)["runSavedSearch"]
    assert [hit["message"]["text"] for hit in found["hits"]] == ["ok"]
    with container.pool.connection() as connection:
        page = container.runner.stepper.reader.page(
            connection,
            after=found["eventPosition"] - 1,
            up_to=found["eventPosition"],
            topics=[Search.Performed.TOPIC],
            limit=1,
        )
    [recorded] = page.events
    assert f"SavedSearch:{recorded.event.saved_search_id}" == id
    assert recorded.event.filters == {"authors": ["Dee"]}
    advance(container)
    history = "{searchHistory(first: 1) {nodes {query savedSearchId}}}"
    assert site.data(history)["searchHistory"]["nodes"] == [{"query": "ok", "savedSearchId": id}]


def test_its_pages_go_on(site: Site, container: Container) -> None:
    id = saved(site, container, name="All", query="in:Standup", sort="OLDEST")
    page = site.data(RUN, id=id, limit=2)["runSavedSearch"]
    further = site.data(RUN, id=id, limit=1, after=page["endCursor"])["runSavedSearch"]
    assert [hit["message"]["text"] for hit in (*page["hits"], *further["hits"])] == [
        f"Report number {n}: nothing is blocked." for n in range(3)
    ]


def test_it_is_renamed_and_deleted(site: Site, container: Container) -> None:
    id = saved(site, container, **RAIN)
    answer = mutate(site, "renameSavedSearch", id=id, name="Drizzle ☔")
    assert answer["__typename"] == "RenameSavedSearchSuccess"
    assert listed(site, container, first=1)["nodes"][0]["name"] == "Drizzle ☔"

    command = str(uuid4())
    first = mutate(site, "deleteSavedSearch", id=id, commandId=command)
    again = mutate(site, "deleteSavedSearch", id=id, commandId=command)
    assert first == again
    assert first["id"] == id
    assert id not in str(listed(site, container, first=100))
    assert site.data(RUN, id=id)["runSavedSearch"]["code"] == "SAVED_SEARCH_NOT_FOUND"
    for name in ("renameSavedSearch", "deleteSavedSearch"):
        more = {"name": "x"} if name.startswith("rename") else {}
        assert mutate(site, name, id=id, **more)["code"] == "SAVED_SEARCH_NOT_FOUND"
    assert [type(event).__name__ for event in events(container, id)] == [
        "Saved",
        "Renamed",
        "Deleted",
    ]


def test_the_same_name_again_is_no_event(site: Site, container: Container) -> None:
    id = saved(site, container, **RAIN)
    answer = mutate(site, "renameSavedSearch", id=id, name=" Rain ")
    assert answer["__typename"] == "RenameSavedSearchSuccess"
    assert len(events(container, id)) == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": ""}, "SAVED_SEARCH_NAME_REFUSED"),
        ({"name": "x" * 101}, "SAVED_SEARCH_NAME_REFUSED"),
        ({"name": "a\nb"}, "SAVED_SEARCH_NAME_REFUSED"),
        ({"query": " "}, "EMPTY_QUERY"),
        ({"query": "form:ada"}, "QUERY_REFUSED"),
        ({"query": "x" * 2_001}, "QUERY_REFUSED"),
        ({"query": "from:Ada", "mode": "MEANING"}, "QUERY_REFUSED"),
        ({"timeZone": "Mars/Base"}, "QUERY_REFUSED"),
        ({"filter": {"authors": [f"x{n}" for n in range(21)]}}, "QUERY_REFUSED"),
        ({"workspace": "nowhere"}, "UNKNOWN_WORKSPACE"),
        ({"commandId": "7"}, "ARGUMENT_REFUSED"),
    ],
)
def test_what_could_not_be_run_is_not_saved(
    site: Site, container: Container, ingested: Ingested, changes: dict[str, Any], code: str
) -> None:
    before = container.archive.event_log.head()
    answer = mutate(site, "saveSearch", **{**RAIN, **changes})
    assert answer["code"] == code
    assert container.archive.event_log.head() == before


def test_those_of_others_and_of_other_workspaces_are_as_good_as_none(
    site: Site, container: Container, ingested: Ingested
) -> None:
    ledger = ledger_of(container, ingested.workspace_id)
    stranger = uuid4()
    theirs = some_saved_search(ingested.workspace_id, owner_id=stranger, name="Theirs")
    ledger.record(theirs, actor_id=stranger)
    elsewhere = saved(site, container, **RAIN, workspace="secrets")
    assert "Theirs" not in str(listed(site, container, first=100))
    assert elsewhere not in str(listed(site, container, first=100))
    for id in (f"SavedSearch:{theirs.id}", elsewhere, f"SavedSearch:{uuid4()}", "Upload:1", "x"):
        assert site.data(RUN, id=id)["runSavedSearch"]["code"] == "SAVED_SEARCH_NOT_FOUND"
        for name, more in (("renameSavedSearch", {"name": "Mine"}), ("deleteSavedSearch", {})):
            assert mutate(site, name, id=id, **more)["code"] == "SAVED_SEARCH_NOT_FOUND"
    own = ledger.context()
    with pytest.raises(SavedSearchNotFoundError):
        container.delete_saved_search(DeleteSavedSearch(saved_search_id=theirs.id), own)
    rename = RenameSavedSearch(saved_search_id=theirs.id, name="Kept")
    container.rename_saved_search(rename, replace(own, actor_id=stranger))


def test_pages_of_the_list_go_on(site: Site, container: Container) -> None:
    ids = [saved(site, container, **RAIN) for _ in range(3)]
    page = listed(site, container, first=2)
    assert [one["id"] for one in page["nodes"]] == ids[:0:-1]
    following = listed(site, container, first=1, after=page["pageInfo"]["endCursor"])
    assert following["nodes"][0]["id"] == ids[0]


def test_one_whose_owners_key_was_destroyed_is_left_out(ledger: Ledger) -> None:
    stranger = uuid4()
    gone = some_saved_search(ledger.workspace_id, owner_id=stranger)
    kept = some_saved_search(ledger.workspace_id)
    ledger.record(gone, kept)
    gone.rename("Secret")
    ledger.record(gone)
    gone.delete()
    ledger.record(gone)
    ledger.keyring.destroy(stranger)
    with projected(ledger, SavedSearchesReadModel()) as tables:
        assert tables.rows("saved_search", "saved_search_id") == [(kept.id,)]


def test_where_pages_end_makes_no_difference(ledger: Ledger) -> None:
    for number in range(3):
        one = some_saved_search(ledger.workspace_id, name=f"n{number}")
        ledger.record(one)
        one.rename(f"m{number}")
        ledger.record(one)
        if number == 1:
            one.delete()
            ledger.record(one)
    events = events_of(ledger, SavedSearchesReadModel())
    found = []
    for page in (1, 2, len(events)):
        with projected(ledger, SavedSearchesReadModel(), events, page=page) as tables:
            found.append(tables.everything("saved_search"))
            assert tables.rows("saved_search", "name") == [("m0",), ("m2",)]
    assert found[0] == found[1] == found[2]
