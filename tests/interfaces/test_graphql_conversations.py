"""Conversations, people and messages over GraphQL, from a real archive."""

from __future__ import annotations

from typing import Any

import pytest

from infrastructure.container import Container
from interfaces.graphql.node_ids import node_id
from tests.support.archive_fixture import advance
from tests.support.chats import message, room
from tests.support.full_archive import MANY, Full, fill, upload
from tests.support.graphql_archive import container
from tests.support.graphql_site import Site

__all__ = ["container"]

PAGE = "pageInfo {hasNextPage hasPreviousPage startCursor endCursor}"


@pytest.fixture(scope="module")
def full(container: Container) -> Full:
    return fill(container)


@pytest.fixture
def site(container: Container, full: Full) -> Site:
    return Site(container)


def big(site: Site, full: Full, selection: str, **variables: Any) -> Any:
    """What is selected of the big conversation."""
    id = node_id("Conversation", full.history.conversation("Big"))
    names = {"first": "Int", "after": "String", "last": "Int", "before": "String",
             "around": "ID", "from": "DateTime", "to": "DateTime"}  # fmt: skip
    declared = "".join(f", ${name}: {names[name]}" for name in variables)
    document = f"query($id: ID!{declared}) {{conversation(id: $id) {{{selection}}}}}"
    return site.data(document, id=id, **variables)["conversation"]


def keys(site: Site, full: Full, **asked: Any) -> tuple[list[str], Any]:
    """The ids of a page of the big conversation's messages."""
    given = ", ".join(f"{name}: ${name}" for name in asked)
    arguments = f"({given})" if given else ""
    found = big(site, full, f"messages{arguments} {{nodes {{id}} {PAGE}}}", **asked)["messages"]
    return [node["id"] for node in found["nodes"]], found["pageInfo"]


def test_conversations_are_listed_by_their_last_message(site: Site) -> None:
    document = f"""query($after: String) {{
      conversations(workspace: "full", first: 25, after: $after) {{
        nodes {{id title lastMessageAt}} {PAGE}
      }}
    }}"""
    seen: list[Any] = []
    after = None
    while True:
        page = site.data(document, after=after)["conversations"]
        seen += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert len({node["id"] for node in seen}) == len(seen) == MANY + 2
    times = [node["lastMessageAt"] for node in seen]
    assert times == sorted(times, reverse=True)


def test_conversations_are_listed_backwards(site: Site) -> None:
    document = f"""query($before: String) {{
      conversations(workspace: "full", order: TITLE, last: 40, before: $before) {{
        nodes {{title}} {PAGE}
      }}
    }}"""
    tail = site.data(document)["conversations"]
    assert (tail["pageInfo"]["hasNextPage"], tail["pageInfo"]["hasPreviousPage"]) == (False, True)
    head = site.data(document, before=tail["pageInfo"]["startCursor"])["conversations"]
    assert (head["pageInfo"]["hasNextPage"], head["pageInfo"]["hasPreviousPage"]) == (True, False)
    titles = [node["title"] for node in [*head["nodes"], *tail["nodes"]]]
    assert titles == sorted(titles, key=str.lower)
    assert len(titles) == MANY + 2


@pytest.mark.parametrize("order", ["TITLE", "LAST_MESSAGE"])
@pytest.mark.parametrize(
    ("filters", "number"),
    [
        ({"title": "bi"}, 1),
        ({"title": "BI"}, 1),
        ({"title": "new title 1"}, 11),
        ({"title": "new title 1", "kind": ["GROUP"]}, 11),
        ({"title": "new title 1", "kind": ["DIRECT", "AI"]}, 0),
        ({"title": "title"}, 0),
        ({"title": "%"}, 0),
        ({"title": ""}, 50),
        ({"kind": []}, 0),
    ],
    ids=str,
)
def test_conversations_are_found_by_the_beginning_of_their_title_and_by_kind(
    site: Site, order: str, filters: dict[str, Any], number: int
) -> None:
    document = """query($title: String, $kind: [ConversationKind!], $order: ConversationOrder!) {
      conversations(workspace: "full", title: $title, kind: $kind, order: $order) {nodes {id}}
    }"""
    assert len(site.data(document, order=order, **filters)["conversations"]["nodes"]) == number


def test_a_conversation_shows_who_wrote_in_it_and_when(site: Site, full: Full) -> None:
    found = big(
        site,
        full,
        """title kind format formerTitles messageCount authorCount firstMessageAt lastMessageAt
        authors(first: 2) {nodes {name formerNames messageCount} pageInfo {hasNextPage}}""",
    )
    assert (found["title"], found["kind"], found["format"]) == ("Big", "GROUP", "list")
    assert (found["messageCount"], found["authorCount"]) == (4 * MANY, MANY)
    assert found["firstMessageAt"] == "2024-05-01T12:00:00+00:00"
    assert found["lastMessageAt"] == "2024-05-01T21:53:00+00:00"
    assert found["authors"] == {
        "nodes": [
            {"name": "New name 0", "formerNames": ["Old name 0"], "messageCount": 7},
            {"name": "New name 1", "formerNames": ["Old name 1"], "messageCount": 7},
        ],
        "pageInfo": {"hasNextPage": True},
    }


def test_messages_are_read_in_order_from_both_ends(site: Site, full: Full) -> None:
    forwards: list[str] = []
    after = None
    while True:
        page, info = keys(site, full, first=37, after=after)
        forwards += page
        after = info["endCursor"]
        if not info["hasNextPage"]:
            break
    assert len(set(forwards)) == len(forwards) == 4 * MANY

    backwards: list[str] = []
    before = None
    while True:
        page, info = keys(site, full, last=41, before=before)
        backwards = page + backwards
        before = info["startCursor"]
        if not info["hasPreviousPage"]:
            break
    assert backwards == forwards

    between, _ = keys(site, full, first=100, after=info["startCursor"], before=info["endCursor"])
    assert between == page[1:-1]


@pytest.mark.parametrize("size", [1, 2, 3, 10, 11])
@pytest.mark.parametrize("place", [0, 1, 120, 238, 239])
def test_a_page_is_asked_for_around_a_message(
    site: Site, full: Full, size: int, place: int
) -> None:
    first, info = keys(site, full, first=100)
    middle, _ = keys(site, full, first=40, after=info["endCursor"])
    everything = [*first, *middle, *keys(site, full, last=100)[0]]
    page, info = keys(site, full, around=everything[place], first=size)
    start, end = max(0, place - size // 2), min(len(everything), place + (size + 1) // 2)
    assert page == everything[start:end]
    assert info["hasPreviousPage"] is (start > 0)
    assert info["hasNextPage"] is (end < len(everything))
    if info["hasNextPage"]:
        following, _ = keys(site, full, after=info["endCursor"], first=1)
        assert following == [everything[end]]


def test_a_page_around_a_message_of_elsewhere_is_refused(site: Site, full: Full) -> None:
    other = site.data(
        "query($id: ID!) {conversation(id: $id) {messages(first: 1) {nodes {id}}}}",
        id=node_id("Conversation", full.history.conversation("R1")),
    )["conversation"]["messages"]["nodes"][0]["id"]
    document = """query($id: ID!, $around: ID!, $last: Int) {
      conversation(id: $id) {messages(around: $around, last: $last) {nodes {id}}}
    }"""
    id = node_id("Conversation", full.history.conversation("Big"))
    own = node_id("Message", full.messages[0])
    for asked in ({"around": other}, {"around": "x"}, {"around": own, "last": 3}):
        [error] = site.ask(document, id=id, **asked)["errors"]
        assert error["extensions"]["code"] == "ARGUMENT_REFUSED"


def test_messages_are_asked_for_by_time(site: Site, full: Full) -> None:
    times = {"from": "2024-05-01T12:10:00Z", "to": "2024-05-01T14:20:00+02:00"}
    page, info = keys(site, full, first=100, **times)
    assert len(page) == 4
    assert (info["hasNextPage"], info["hasPreviousPage"]) == (False, False)
    assert keys(site, full, **{"from": times["to"], "to": times["from"]})[0] == []
    document = """query($id: ID!) {conversation(id: $id) {
      messages(from: "2024-05-01T12:10:00") {nodes {id}}
    }}"""
    id = node_id("Conversation", full.history.conversation("Big"))
    [error] = site.ask(document, id=id)["errors"]
    assert "zone" in error["message"]


MESSAGE = """query($id: ID!) {message(id: $id) {
  id text sentAt kind precision zone version position extra
  author {name} conversation {title}
  versions(first: 10) {nodes {version text supersededAt}}
  reactions {value total authors(first: 2) {nodes {name} pageInfo {hasNextPage}}}
  attachments {name mediaType size}
  replyTo {id text} threadRoot {id}
  threadReplies {nodes {id threadRoot {id} replyTo {id}}}
  before(first: 2) {nodes {id} pageInfo {hasPreviousPage startCursor}}
  after(first: 2) {nodes {id} pageInfo {hasNextPage endCursor}}
  upload {id} uploads {nodes {id}} vanishedIn {id}
}}"""


def test_a_message_shows_all_that_is_known_of_it(site: Site, full: Full) -> None:
    id = node_id("Message", full.messages[0])
    found = site.data(MESSAGE, id=id)["message"]
    assert found["id"] == id
    assert found["text"] == "Rich message 0 about the harbour"
    assert (found["kind"], found["precision"], found["zone"]) == ("MESSAGE", "MINUTE", "ASSUMED")
    assert found["author"] == {"name": "New name 0"}
    assert found["conversation"] == {"title": "Big"}
    assert [one["text"] for one in found["versions"]["nodes"]] == ["Draft 0", "Draft 1", "Draft 2"]
    assert found["version"] == 4
    assert found["extra"] == {"odd": 0}
    assert found["reactions"][0] == {
        "value": "tada",
        "total": 3,
        "authors": {
            "nodes": [{"name": "New name 0"}, {"name": "New name 1"}],
            "pageInfo": {"hasNextPage": True},
        },
    }
    assert found["attachments"][1] == {"name": "b.pdf", "mediaType": None, "size": 7}
    assert found["replyTo"]["text"] == "Rich message 1 about the harbour"
    assert found["threadRoot"] is None
    replies = found["threadReplies"]["nodes"]
    assert [reply["threadRoot"]["id"] for reply in replies] == [id] * 3
    assert [node["id"] for node in found["after"]["nodes"]] == [one["id"] for one in replies[:2]]
    assert found["before"] == {
        "nodes": [],
        "pageInfo": {"hasPreviousPage": False, "startCursor": None},
    }
    assert [node["id"] for node in found["uploads"]["nodes"]] == [
        node_id("Upload", upload) for upload in full.uploads[:2]
    ]
    assert found["upload"] == found["uploads"]["nodes"][0]
    assert found["vanishedIn"] is None


def test_one_reads_on_from_what_is_around_a_message(site: Site, full: Full) -> None:
    """Its cursors are those of the conversation."""
    found = site.data(MESSAGE, id=node_id("Message", full.messages[5]))["message"]
    assert found["after"]["pageInfo"]["hasNextPage"] is True
    page, _ = keys(site, full, first=1, after=found["after"]["pageInfo"]["endCursor"])
    following = site.data(MESSAGE, id=found["after"]["nodes"][-1]["id"])["message"]["after"]
    assert page == [following["nodes"][0]["id"]]
    page, _ = keys(site, full, last=1, before=found["before"]["pageInfo"]["startCursor"])
    preceding = site.data(MESSAGE, id=found["before"]["nodes"][0]["id"])["message"]["before"]
    assert page == [preceding["nodes"][-1]["id"]]


def test_a_person_shows_what_they_wrote_and_where(site: Site, full: Full) -> None:
    document = """query($id: ID!) {author(id: $id) {
      name formerNames format sourceId messageCount firstMessageAt lastMessageAt
      conversations(first: 5) {nodes {title}}
      messages(last: 2) {nodes {sentAt author {name}} pageInfo {hasPreviousPage}}
      early: messages(to: "2024-05-01T12:31:00Z") {nodes {sentAt}}
    }}"""
    found = site.data(document, id=node_id("Author", full.authors[3]))["author"]
    assert (found["name"], found["formerNames"]) == ("New name 3", ["Old name 3"])
    assert (found["format"], found["sourceId"], found["messageCount"]) == ("list", "A3", 7)
    assert [node["title"] for node in found["conversations"]["nodes"]] == ["Big", "New title 3"]
    assert found["messages"]["pageInfo"]["hasPreviousPage"] is True
    assert [node["sentAt"] for node in found["messages"]["nodes"]] == [
        "2024-05-01T12:32:00+00:00",
        "2024-05-01T12:33:00+00:00",
    ]
    assert len(found["early"]["nodes"]) == 2


def test_people_are_found_by_the_beginning_of_their_name(site: Site) -> None:
    document = """query($name: String) {authors(workspace: "full", name: $name, first: 100) {
      nodes {name}
    }}"""
    assert len(site.data(document)["authors"]["nodes"]) == MANY + 1
    found = site.data(document, name="NEW NAME 5")["authors"]["nodes"]
    assert [node["name"] for node in found] == [
        "New name 5", *(f"New name 5{digit}" for digit in range(10))
    ]  # fmt: skip


@pytest.mark.parametrize("field", ["conversation", "author", "message"])
@pytest.mark.parametrize("id", ["", "x", "Message:0", "Author:1", "0", "Upload:1"])
def test_what_is_not_there_is_null(site: Site, field: str, id: str) -> None:
    document = f"query($id: ID!) {{{field}(id: $id) {{id}}}}"
    assert site.data(document, id=id)[field] is None


def test_an_erased_person_and_title_leave_their_messages(
    site: Site, container: Container, full: Full
) -> None:
    """What was theirs says so, and can still be asked for by its id."""
    history = full.history
    upload(history, room("Secret plan", "Gone"), message(1, conversation="Gone", author="Zoe"))
    history.ledger.keyring.destroy(history.author("Zoe"))
    history.ledger.keyring.destroy(history.conversation("Gone"))
    advance(container)
    author = node_id("Author", history.author("Zoe"))
    conversation = node_id("Conversation", history.conversation("Gone"))
    document = """query($author: ID!, $conversation: ID!) {
      author(id: $author) {
        name format formerNames messageCount
        messages {nodes {text kind author {id} conversation {id title kind}}}
      }
      conversation(id: $conversation) {title kind format messageCount authorCount}
      node(id: $author) {id}
    }"""
    found = site.data(document, author=author, conversation=conversation)
    erased = {"name": "[erased]", "format": None, "formerNames": [], "messageCount": 1}
    said = found["author"].pop("messages")["nodes"]
    assert found["author"] == erased
    assert [one["author"]["id"] for one in said] == [author]
    assert said[0]["text"] == "[erased]"
    assert said[0]["conversation"] == {"id": conversation, "title": "[erased]", "kind": "UNKNOWN"}
    assert found["conversation"]["messageCount"] == 1
    assert found["node"] == {"id": author}
