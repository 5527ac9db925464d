"""Labels over GraphQL and on the command line: put on, shown, found, refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result

from application.context import LOCAL_OWNER, Context
from domain.search import Search
from infrastructure.container import Container
from interfaces.cli import label as cli
from interfaces.cli.main import main
from tests.support.archive_fixture import Ingested, Line, advance, ingest
from tests.support.graphql_archive import container
from tests.support.graphql_site import Site
from tests.support.labels import Labels
from tests.support.mutations import document, mutate

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


MANY: list[Line] = [(f"Room {n % 40}", "Ada", f"line {n}") for n in range(1_001)]


@pytest.fixture(scope="module")
def many(container: Container) -> list[str]:
    """Ids of more messages than a command takes, in many conversations."""
    made = ingest(container, "many", MANY, has_vectors=False)
    with container.pool.connection() as connection:
        rows = connection.execute(
            "SELECT message_id FROM read.message WHERE workspace_id = %s", (made.workspace_id,)
        ).fetchall()
    return [f"Message:{id_}" for (id_,) in rows]


def test_a_thousand_are_labelled_at_once(container: Container, many: list[str]) -> None:
    """One event a conversation, whatever their number."""
    desk = Desk(container, "many")
    desk.create("all of it")
    before = container.archive.event_log.head()
    put = desk.do("addLabel", label="all of it", ids=many[:1_000])
    assert (put["__typename"], put["changed"]) == ("AddLabelSuccess", 1_000)
    assert put["position"] == before + 40
    taken = desk.do("removeLabel", label="all of it", ids=many[1:1_001])
    assert (taken["__typename"], taken["changed"]) == ("RemoveLabelSuccess", 999)
    assert desk.shown()["labels"]["nodes"][0]["messageCount"] == 1


def test_more_than_a_thousand_are_refused_and_none_is_labelled(
    container: Container, many: list[str]
) -> None:
    desk = Desk(container, "many")
    before = container.archive.event_log.head()
    input = {"commandId": str(uuid4()), "workspace": "many", "label": "all of it", "ids": many}
    answer = desk.site.ask(document("addLabel"), input=input)
    assert "at most 1,000 entries" in answer["errors"][0]["message"]
    assert container.archive.event_log.head() == before


def test_an_operation_does_not_label_the_same_thousand_over_and_over(
    container: Container, many: list[str]
) -> None:
    """What each names counts as rows of the operation."""
    desk = Desk(container, "many")
    desk.create("some of it")
    fields = " ".join(
        f'a{n}: addLabel(input: {{commandId: "{uuid4()}", workspace: "many", label: "some of it", '
        "ids: $ids}) {... on AddLabelSuccess {changed}}"
        for n in range(11)
    )
    answer = desk.site.ask(f"mutation ($ids: [ID!]!) {{{fields}}}", ids=many[:1_000])
    [error] = answer["errors"]
    assert error["path"] == ["a10"]
    assert "10,000" in error["message"]


def test_a_search_by_label_is_recorded_with_its_labels(desk: Desk) -> None:
    name = f"logged {uuid4().hex[:6]}"
    desk.create(name)
    desk.search(f'boat label:"{name}"')
    advance(desk.container)
    found = desk.site.data("{auditTrail(first: 1) {nodes {action summary}}}")["auditTrail"]
    [entry] = found["nodes"]
    assert entry["action"] == "search.performed"
    assert f'label:"{name}"' in entry["summary"]


# On the command line


@pytest.fixture
def labels(container: Container, ingested: Ingested) -> Labels:
    context = Context(actor_id=LOCAL_OWNER, workspace_id=ingested.workspace_id)
    return Labels(container.archive, container.pool, context)


@pytest.fixture
def run(container: Container, labels: Labels, monkeypatch: pytest.MonkeyPatch) -> Any:
    @contextmanager
    def opened(_settings: Any) -> Iterator[Container]:
        yield container

    monkeypatch.setattr(cli, "open_container", opened)

    def invoke(*arguments: str) -> Result:
        return CliRunner(env={"COLUMNS": "200"}).invoke(cli.label, arguments)

    return invoke


@pytest.fixture
def name(run: Any) -> str:
    """Of a label that there is."""
    made = f"label {uuid4().hex[:6]}"
    described = ("--colour", "#3366cc", "--description", "What it is for")
    assert run("create", made, *described).exit_code == 0
    return made


def said(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return str(result.output)


def test_a_whole_result_is_labelled_equal_texts_each_for_itself(
    run: Any, name: str, labels: Labels
) -> None:
    put = run("add", name, "--query", "in:kitchen", "--mode", "words")
    assert said(put) == "Put the label on 4 of 4.\n"
    assert labels.texts(name) == [
        "A plumber comes on Monday.", "The dishwasher leaks again.", "ok", "ok",
    ]  # fmt: skip
    again = run("add", name.upper(), "--query", "in:kitchen OK", "--mode", "words")
    assert said(again) == "Put the label on 0 of 2; the others had it.\n"
    off = run("remove", name, "--query", "from:Dee", "--mode", "words")
    assert said(off) == "Took the label off 2 of 2.\n"
    assert labels.texts(name) == ["A plumber comes on Monday.", "ok"]


def test_a_query_is_labelled_up_to_the_limit_which_is_said(
    run: Any, name: str, labels: Labels, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Page by page, and command by command."""
    monkeypatch.setattr(cli, "PAGE", 4)
    monkeypatch.setattr(cli, "MOST_TARGETS", 3)
    put = run("add", name, "--query", "in:standup", "--mode", "words", "--limit", "10")
    assert said(put) == (
        "Put the label on 10 of 10. The result has more than these 10 messages: raise --limit.\n"
    )
    assert labels.texts(name) == sorted(
        f"Report number {n}: nothing is blocked." for n in range(20, 30)
    )
    every = run("add", name, "--query", "in:standup", "--mode", "words", "--limit", "30")
    assert said(every) == "Put the label on 20 of 30; the others had it.\n"


def test_the_searches_are_in_the_log(run: Any, name: str, container: Container) -> None:
    before = container.archive.event_log.head()
    said(run("add", name, "--query", "plumber", "--mode", "words"))
    with container.pool.connection() as connection:
        rows = connection.execute(
            "SELECT topic FROM log.archive_events WHERE notification_id > %s "
            "ORDER BY notification_id",
            (before,),
        ).fetchall()
    assert [row[0] for row in rows] == [Search.Performed.TOPIC, "labelling.begun"]


def test_ids_are_taken_as_they_are_shown_and_bare(
    run: Any, name: str, labels: Labels, container: Container, ingested: Ingested
) -> None:
    one, two = labels.ids("A plumber comes on Monday.", "I do, five of them.")
    with container.pool.connection() as connection:
        [(boat,)] = connection.execute(
            "SELECT conversation_id FROM read.conversation "
            "WHERE workspace_id = %s AND title = 'Boat trip'",
            (ingested.workspace_id,),
        ).fetchall()
    put = run("add", name, f"Message:{one}", str(two), f"Conversation:{boat}", str(boat))
    assert said(put) == "Put the label on 3 of 3.\n"
    assert labels.titles(name) == ["Boat trip"]
    listed = said(run("list"))
    [line] = [line for line in listed.splitlines() if name in line]
    assert "What it is for" in listed
    assert [cell.strip() for cell in line.split("│")[2:4]] == ["2", "1"]
    off = run("remove", name, str(boat))
    assert said(off) == "Took the label off 1 of 1.\n"


def test_a_label_is_renamed_and_deleted_by_name_or_id(run: Any, name: str, labels: Labels) -> None:
    said(run("add", name, str(labels.ids("The dishwasher leaks again.")[0])))
    said(run("rename", name, f"{name} now"))
    assert labels.texts(f"{name} now") == ["The dishwasher leaks again."]
    [line] = [line for line in said(run("list")).splitlines() if f"{name} now" in line]
    id_ = line.split("│")[-2].strip()
    said(run("delete", f"Label:{id_}"))
    assert name not in said(run("list"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("add", "nowhere", "1"), "there is no label 'nowhere'"),
        (("add", "NAME", "999999999"), "there is no message 999999999"),
        (("add", "NAME", str(uuid4())), "there is no conversation"),
        (("add", "NAME", "9" * 40), "is no id of a message or a conversation"),
        (("add", "NAME", "Upload:1"), "is no id of a message or a conversation"),
        (("add", "NAME"), "name either ids or a --query"),
        (("add", "NAME", "1", "--query", "ok"), "name either ids or a --query"),
        (("add", "NAME", "--query", "xyzzy", "--mode", "words"), "the search finds nothing"),
        (("add", "NAME", "--query", ""), "the query is empty"),
        (("add", "NAME", "--query", "form:ada"), "did you mean from:"),
        (("add", "NAME", "--query", "ok", "--limit", "0"), "--limit"),
        (("add", "NAME", "--query", "ok", "--workspace", "nowhere"), "there is no workspace"),
        (("create", "NAME"), "already"),
        (("create", "a\x1bb"), "printable characters"),
        (("rename", "NAME", ""), "printable characters"),
        (("delete", "nowhere"), "there is no label 'nowhere'"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    run: Any, name: str, arguments: tuple[str, ...], message: str
) -> None:
    result = run(*(name if part == "NAME" else part for part in arguments))
    assert result.exit_code in (1, 2)
    assert message in result.output
    assert "Traceback" not in result.output
    assert "\x1b" not in result.output


def test_a_name_that_the_query_does_not_know_is_said(run: Any, name: str) -> None:
    result = run("add", name, "--query", "-from:Boby in:kitchen", "--mode", "words")
    assert "nobody is called 'Boby'; did you mean Bob?" in said(result)


def test_the_command_is_listed() -> None:
    assert "label" in CliRunner().invoke(main, ["--help"]).output
