"""Labels over GraphQL: what is put on, shown, found and refused, in one workspace only."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from infrastructure.container import Container
from tests.support.archive_fixture import Ingested, advance, ingest
from tests.support.graphql_archive import container
from tests.support.graphql_site import Site
from tests.support.mutations import mutate

__all__ = ["container"]

SHOWN = """query($workspace: String!, $ids: [ID!]!, $position: BigInt) {
  labels(workspace: $workspace, minPosition: $position) {
    nodes {id name colour description messageCount conversationCount}
  }
  nodes(ids: $ids, minPosition: $position) {
    ... on Message {labels {nodes {name}}}
    ... on Conversation {labels {nodes {name}}}
    ... on Label {name messageCount}
  }
}"""
SEARCH = """query($workspace: String!, $query: String!, $filter: SearchFilter, $position: BigInt) {
  search(workspace: $workspace, query: $query, filter: $filter, minPosition: $position, limit: 50) {
    ... on SearchResult {
      hits {message {id text labels {nodes {name}} conversation {id}}}
      notes facets {labels {key name count}}
    }
    ... on Refusal {code message}
  }
}"""


@pytest.fixture(scope="module")
def ingested(container: Container) -> Ingested:
    ingest(container, "secrets", [("Vault", "Eve", "The harbour password is swordfish.")])
    return ingest(container)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker moves the read models in these tests."""
    monkeypatch.setattr("interfaces.graphql.context.WAIT_SECONDS", 0.05)


class Desk:
    def __init__(self, container: Container, workspace: str) -> None:
        self.container = container
        self.site = Site(container)
        self.workspace = workspace

    def do(self, name: str, /, **input: Any) -> Any:
        answer = mutate(self.site, name, workspace=self.workspace, **input)
        advance(self.container)
        return answer

    def create(self, name: str, **more: Any) -> str:
        """Its id."""
        answer = self.do("createLabel", name=name, **more)
        assert answer["__typename"] == "CreateLabelSuccess", answer
        found = self.site.data(SHOWN, workspace=self.workspace, ids=[])["labels"]["nodes"]
        return next(label["id"] for label in found if label["name"] == name)

    def shown(self, *ids: str) -> Any:
        return self.site.data(SHOWN, workspace=self.workspace, ids=list(ids))

    def search(self, query: str, **more: Any) -> Any:
        return self.site.data(SEARCH, workspace=self.workspace, query=query, **more)["search"]

    def texts(self, query: str, **more: Any) -> list[str]:
        return sorted(hit["message"]["text"] for hit in self.search(query, **more)["hits"])

    def message(self, text: str) -> dict[str, Any]:
        hits = self.search(f'"{text}"')["hits"]
        return next(hit["message"] for hit in hits if text in hit["message"]["text"])


@pytest.fixture
def desk(container: Container, ingested: Ingested) -> Desk:
    return Desk(container, ingested.workspace)


def test_a_label_is_made_put_on_shown_found_renamed_taken_off_and_deleted(desk: Desk) -> None:
    name = f"to check {uuid4().hex[:6]}"
    label = desk.create(name, colour="#3366CC", description="Somebody has to look at it")
    said = desk.message("life jackets")
    kitchen = desk.message("dishwasher leaks")["conversation"]["id"]
    put = desk.do("addLabel", label=name.upper(), ids=[said["id"], kitchen, said["id"]])
    assert (put["__typename"], put["changed"]) == ("AddLabelSuccess", 2)
    again = desk.do("addLabel", label=label, ids=[said["id"], kitchen])
    assert again["changed"] == 0

    shown = desk.shown(said["id"], kitchen, label)
    assert [one for one in shown["labels"]["nodes"] if one["id"] == label] == [
        {
            "id": label,
            "name": name,
            "colour": "#3366cc",
            "description": "Somebody has to look at it",
            "messageCount": 1,
            "conversationCount": 1,
        }
    ]
    assert shown["nodes"][0]["labels"]["nodes"] == [{"name": name}]
    assert shown["nodes"][1]["labels"]["nodes"] == [{"name": name}]
    assert shown["nodes"][2] == {"name": name, "messageCount": 1}

    kitchen_says = ["A plumber comes on Monday.", "The dishwasher leaks again.", "ok", "ok"]
    everything = sorted([said["text"], *kitchen_says])
    query = f'label:"{name}"'
    assert desk.texts(query, position=put["position"]) == everything
    assert desk.texts("", filter={"labels": [label]}) == everything
    assert desk.texts("in:kitchen", filter={"notLabels": [name]}) == []
    assert desk.texts(f"in:boat -{query}") == desk.texts("in:boat", filter={"notLabels": [label]})
    facet = desk.search(query)["facets"]["labels"]
    assert {"key": label, "name": name, "count": 5} in facet

    renamed = desk.do("renameLabel", label=name, name=f"{name} now")
    assert renamed["__typename"] == "RenameLabelSuccess"
    assert desk.texts(f'label:"{name} now"') == everything
    taken = desk.do("removeLabel", label=label, ids=[kitchen])
    assert taken["changed"] == 1
    assert desk.texts(f'label:"{name} now"') == [said["text"]]
    gone = desk.do("deleteLabel", label=label)
    assert (gone["__typename"], gone["labelId"]) == ("DeleteLabelSuccess", label)
    assert desk.shown(said["id"], label)["nodes"] == [{"labels": {"nodes": []}}, None]
    [note] = desk.search(f'label:"{name} now"')["notes"]
    assert note.startswith("no label is called")


def test_labels_are_listed_by_name_a_page_at_a_time(desk: Desk) -> None:
    stem = uuid4().hex[:6]
    for name in (f"b{stem}", f"A{stem}", f"c{stem}"):
        desk.create(name)
    page = """query($after: String) {labels(first: 1, after: $after) {
        nodes {name} pageInfo {hasNextPage endCursor}
    }}"""
    names, after, has_more = [], None, True
    while has_more:
        found = desk.site.data(page, after=after)["labels"]
        names += [label["name"] for label in found["nodes"]]
        after, has_more = found["pageInfo"]["endCursor"], found["pageInfo"]["hasNextPage"]
    assert [name for name in names if name.endswith(stem)] == [f"A{stem}", f"b{stem}", f"c{stem}"]
    assert names == sorted(names, key=str.lower)


def test_what_is_refused_says_why_and_records_nothing(desk: Desk) -> None:
    taken = f"taken {uuid4().hex[:6]}"
    label = desk.create(taken)
    message = desk.message("life jackets")["id"]
    other = Desk(desk.container, "secrets")
    theirs = other.message("swordfish")
    vault = theirs["conversation"]["id"]
    head = desk.container.archive.event_log.head
    cases: list[tuple[str, dict[str, Any], str]] = [
        ("createLabel", {"name": taken.upper()}, "LABEL_NAME_TAKEN"),
        ("createLabel", {"name": " "}, "LABEL_REFUSED"),
        ("createLabel", {"name": "a\nb"}, "LABEL_REFUSED"),
        ("createLabel", {"name": "x" * 101}, "LABEL_REFUSED"),
        ("createLabel", {"name": "new", "colour": "red"}, "LABEL_REFUSED"),
        ("createLabel", {"name": "new", "description": "x" * 501}, "LABEL_REFUSED"),
        ("createLabel", {"name": "new", "commandId": "7"}, "ARGUMENT_REFUSED"),
        ("renameLabel", {"label": "nowhere", "name": "x"}, "LABEL_NOT_FOUND"),
        ("renameLabel", {"label": label, "name": ""}, "LABEL_REFUSED"),
        ("deleteLabel", {"label": f"Label:{uuid4()}"}, "LABEL_NOT_FOUND"),
        ("deleteLabel", {"label": "Label:x"}, "LABEL_NOT_FOUND"),
        ("addLabel", {"label": label, "ids": []}, "TARGETS_REFUSED"),
        ("addLabel", {"label": "nowhere", "ids": [message]}, "LABEL_NOT_FOUND"),
        ("addLabel", {"label": label, "ids": [message, theirs["id"]]}, "TARGET_NOT_FOUND"),
        ("addLabel", {"label": label, "ids": [vault]}, "TARGET_NOT_FOUND"),
        ("addLabel", {"label": label, "ids": ["Message:999999999999"]}, "TARGET_NOT_FOUND"),
        ("addLabel", {"label": label, "ids": ["Message:" + "9" * 30]}, "TARGET_NOT_FOUND"),
        ("addLabel", {"label": label, "ids": [message.partition(":")[2]]}, "TARGET_NOT_FOUND"),
        ("addLabel", {"label": label, "ids": [label]}, "TARGET_NOT_FOUND"),
        ("removeLabel", {"label": label, "ids": ["Upload:x"]}, "TARGET_NOT_FOUND"),
    ]
    before = head()
    for name, input, code in cases:
        answer = desk.do(name, **input)
        assert answer.get("code") == code, (name, input, answer)
    stranger = mutate(desk.site, "createLabel", workspace="nowhere", name="ok")
    assert stranger["code"] == "UNKNOWN_WORKSPACE"
    assert other.do("addLabel", label=label, ids=[theirs["id"]])["code"] == "LABEL_NOT_FOUND"
    assert head() == before


def test_a_command_repeated_under_its_id_is_carried_out_once(desk: Desk) -> None:
    name, command = f"once {uuid4().hex[:6]}", str(uuid4())
    first = desk.do("createLabel", name=name, commandId=command)
    assert desk.do("createLabel", name=name, commandId=command)["position"] == first["position"]
    other = desk.do("createLabel", name=f"{name} more", commandId=command)
    assert other["code"] == "COMMAND_ID_REUSED"
    message, put = desk.message("life jackets")["id"], str(uuid4())
    one = desk.do("addLabel", label=name, ids=[message], commandId=put)
    desk.do("removeLabel", label=name, ids=[message])
    two = desk.do("addLabel", label=name, ids=[message], commandId=put)
    assert (one["position"], one["changed"]) == (two["position"], two["changed"])
    assert two["label"]["messageCount"] == 0, "it was taken off since"


def test_a_search_by_label_is_recorded_with_its_labels(desk: Desk) -> None:
    name = f"logged {uuid4().hex[:6]}"
    desk.create(name)
    desk.search(f'boat label:"{name}"')
    advance(desk.container)
    found = desk.site.data("{auditTrail(first: 1) {nodes {action summary}}}")["auditTrail"]
    [entry] = found["nodes"]
    assert entry["action"] == "search.performed"
    assert f'label:"{name}"' in entry["summary"]
