"""Look first, then confirm: over GraphQL, from the file that was sent to the messages."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from application.commands.read_upload import ReadUpload
from application.commands.receive_upload import ReceiveUpload
from infrastructure.container import Container
from interfaces.cli.actor import cli_context
from interfaces.cli.ingesting import ensure_workspace
from interfaces.graphql.node_ids import node_id
from tests.support.archive_fixture import Ingested, advance
from tests.support.graphql_archive import container, ingested, site
from tests.support.graphql_site import Site
from tests.support.mutations import mutate
from tests.support.projecting import projecting
from tests.support.statements import counted

__all__ = ["container", "ingested", "site"]

CLEAR = "[31/01/24, 10:00:00] Ada: one\n[01/02/24, 11:00:00] Bob: two\n"
OPEN = "[03/04/24, 10:00:00] Ada: one\n[05/04/24, 11:00:00] Bob: two\n"
PREVIEW = """query($id: ID!) {upload(id: $id, workspace: "looks") {
  stage awaits counts {messages}
  preview {
    format reason candidates {format reason} owner firstAt lastAt timezone isComplete isCurrent
    zones {source messages} counts {conversations messages system authors attachments}
    dates {chosen possible decidedBy doubt files}
    samples {author text readings {order at}}
    columns {field column} unknownKeys {key count} warnings {file line reason}
    comparison {fresh edited vanished known}
    conversations(first: 1) {
      nodes {sourceId title kind messages rule mergesInto
             comparison {fresh edited vanished known}}
      pageInfo {hasNextPage endCursor}
    }
  }
  outcome {fresh edited vanished known}
}}"""


class Desk:
    def __init__(self, site: Site, container: Container) -> None:
        self.site = site
        self.container = container
        self.workspace = ensure_workspace(container, "looks", cli_context(None))

    def send(
        self, text: str, filename: str = "WhatsApp Chat - Boat.txt", *, confirm: bool = False
    ) -> str:
        accepted = self.container.receive_upload(
            ReceiveUpload(filename=filename, confirm=confirm),
            [text.encode()],
            cli_context(self.workspace),
        )
        self.work(UUID(accepted.result["upload_id"]))
        return node_id("Upload", accepted.result["upload_id"])

    def work(self, id: UUID) -> None:
        """What a worker and the read models do."""
        advance(self.container)  # before it compares with them
        self.container.read_upload(ReadUpload(upload_id=id), should_stop=lambda: False)
        advance(self.container)

    def shown(self, id: str) -> Any:
        return self.site.data(PREVIEW, id=id)["upload"]

    def ask(self, name: str, id: str, **input: Any) -> Any:
        with projecting(self.container):
            answer = mutate(self.site, name, id=id, workspace="looks", **input)
        self.work(UUID(id.partition(":")[2]))
        return answer


@pytest.fixture
def desk(site: Site, container: Container, ingested: Ingested) -> Desk:
    del ingested
    return Desk(site, container)


def unique(text: str) -> str:
    """The archive is shared by the tests: the same bytes would be the same upload."""
    return f"{text}[02/02/24, 09:00:00] Cem: {uuid4()}\n"


def test_what_is_confirmed_after_a_look_brings_what_was_shown(desk: Desk) -> None:
    first = desk.send(unique(CLEAR), confirm=True)
    id = desk.send(unique(CLEAR))
    shown = desk.shown(id)
    preview = shown["preview"]

    assert (shown["stage"], shown["awaits"], shown["outcome"]) == (
        "INSPECTED",
        ["CONFIRMATION"],
        None,
    )
    assert (preview["format"], preview["timezone"]) == ("whatsapp", "UTC")
    assert preview["zones"] == [{"source": "ASSUMED", "messages": 3}]
    assert preview["counts"]["messages"] == 3
    assert preview["dates"]["decidedBy"] == "FILE"
    assert preview["samples"][0] == {
        "author": "Ada",
        "text": "one",
        "readings": [{"order": "dmy", "at": "2024-01-31T10:00:00+00:00"}],
    }
    [room] = preview["conversations"]["nodes"]
    assert (room["title"], room["messages"]) == ("Boat", 3)
    assert room["mergesInto"].startswith("Conversation:")
    assert room["comparison"] == preview["comparison"]
    answer = desk.ask("confirmUpload", id)
    assert (answer["__typename"], answer["upload"]["awaits"]) == ("ConfirmUploadSuccess", [])
    read = desk.shown(id)
    assert (read["stage"], read["preview"]) == ("READ", None)
    assert read["outcome"] == preview["comparison"]
    assert desk.shown(first)["preview"] is None


def test_a_file_that_leaves_its_dates_open_is_not_read_before_somebody_says(desk: Desk) -> None:
    """Although it was to be read at once."""
    id = desk.send(OPEN, confirm=True)
    shown = desk.shown(id)

    assert (shown["stage"], shown["awaits"]) == ("INSPECTED", ["DATE_ORDER"])
    dates = shown["preview"]["dates"]
    assert (dates["possible"], dates["decidedBy"]) == (["dmy", "mdy"], None)
    assert [one["at"][:10] for one in shown["preview"]["samples"][0]["readings"]] == [
        "2024-04-03",
        "2024-03-04",
    ]
    refused = desk.ask("confirmUpload", id)
    assert refused["code"] == "QUESTION_OPEN"
    assert desk.shown(id)["awaits"] == ["DATE_ORDER"]
    desk.ask("confirmUpload", id, options={"dateOrder": "mdy"})
    assert desk.shown(id)["stage"] == "READ"


def test_other_options_give_another_preview_and_confirm_nothing(desk: Desk) -> None:
    table = f"Zeit;Wer;Text;Notiz\n2024-01-31 10:00;Ada;eins;{uuid4()}\n"
    id = desk.send(table, "chat.csv")
    before = desk.shown(id)["preview"]
    columns = [{"field": "text", "column": "Notiz"}]
    answer = desk.ask("inspectUpload", id, options={"columns": columns, "timezone": "Europe/Rome"})
    shown = desk.shown(id)
    after = shown["preview"]

    assert answer["upload"]["stage"] == "RECEIVED"
    assert (shown["stage"], shown["awaits"]) == ("INSPECTED", ["CONFIRMATION"])
    assert (before["timezone"], after["timezone"]) == ("UTC", "Europe/Rome")
    assert {"field": "text", "column": "Notiz"} in after["columns"]
    assert after["samples"][0]["readings"] == [{"order": None, "at": "2024-01-31T09:00:00+00:00"}]


def test_what_is_never_confirmed_is_withdrawn_without_a_trace_in_the_archive(desk: Desk) -> None:
    id = desk.send(unique(CLEAR))
    desk.ask("withdrawUpload", id)
    shown = desk.shown(id)

    assert (shown["stage"], shown["awaits"], shown["preview"]) == ("WITHDRAWN", [], None)
    assert desk.ask("confirmUpload", id)["code"] == "UPLOAD_WITHDRAWN"
    assert desk.ask("inspectUpload", id)["code"] == "UPLOAD_WITHDRAWN"


def test_a_command_that_is_repeated_gets_the_first_answer(desk: Desk) -> None:
    id = desk.send(unique(CLEAR))
    command = str(uuid4())
    answers = [desk.ask("confirmUpload", id, commandId=command) for _ in range(2)]

    assert answers[0]["position"] == answers[1]["position"]
    assert desk.ask("confirmUpload", id)["__typename"] == "ConfirmUploadSuccess"
    late = desk.ask("confirmUpload", id, options={"timezone": "Europe/Rome"})
    assert late["code"] == "OPTIONS_SETTLED"


def test_an_upload_that_is_read_or_elsewhere_is_refused_by_its_type(
    desk: Desk, ingested: Ingested
) -> None:
    elsewhere = node_id("Upload", ingested.upload_id)
    for name in ("inspectUpload", "confirmUpload"):
        answer = mutate(desk.site, name, id=elsewhere, workspace="looks")
        assert answer["code"] == "UPLOAD_NOT_FOUND"
    read = desk.send(unique(CLEAR), confirm=True)
    assert desk.ask("inspectUpload", read)["code"] == "OPTIONS_SETTLED"
    odd = desk.send(unique(CLEAR))
    answer = desk.ask("confirmUpload", odd, options={"timezone": "Nowhere"})
    assert answer["code"] == "OPTIONS_REFUSED"


def test_a_rejected_one_can_be_inspected_otherwise_but_not_confirmed(desk: Desk) -> None:
    id = desk.send(f"nothing to read {uuid4()}")

    assert desk.shown(id)["stage"] == "REJECTED"
    assert desk.ask("confirmUpload", id)["code"] == "NOTHING_TO_CONFIRM"


def test_many_conversations_are_read_a_page_at_a_time(desk: Desk) -> None:
    rows = "".join(
        f'{{"id":"{n}","conversation":"Room {n}","author":"A","timestamp":"2024-01-31T10:00:00Z",'
        f'"text":"{uuid4()}"}}\n'
        for n in range(5)
    )
    id = desk.send(rows, "chat.jsonl")
    document = """query($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {
      upload(id: $id, workspace: "looks") {preview {conversations(
        first: $first, after: $after, last: $last, before: $before
      ) {nodes {title} pageInfo {hasNextPage hasPreviousPage startCursor endCursor}}}}
    }"""

    def page(**asked: Any) -> tuple[list[str], Any]:
        found = desk.site.data(document, id=id, **asked)["upload"]["preview"]["conversations"]
        return [one["title"] for one in found["nodes"]], found["pageInfo"]

    head, info = page(first=2)
    assert (head, info["hasNextPage"], info["hasPreviousPage"]) == (
        ["Room 0", "Room 1"],
        True,
        False,
    )
    rest, info = page(after=info["endCursor"])
    assert (rest, info["hasNextPage"]) == (["Room 2", "Room 3", "Room 4"], False)
    tail, info = page(last=2)
    assert (tail, info["hasPreviousPage"]) == (["Room 3", "Room 4"], True)
    earlier, info = page(last=50, before=info["startCursor"])
    assert (earlier, info["hasPreviousPage"]) == (["Room 0", "Room 1", "Room 2"], False)


def test_the_previews_of_many_uploads_are_read_in_one_statement(desk: Desk) -> None:
    ids = [desk.send(unique(CLEAR)) for _ in range(3)]
    document = """query($ids: [ID!]!) {nodes(ids: $ids) {... on Upload {preview {
      samples {readings {at}} conversations {nodes {title}}
    }}}}"""

    def statements(asked: list[str]) -> int:
        with counted(desk.container) as found:
            shown = desk.site.data(document, ids=asked)["nodes"]
        assert [len(one["preview"]["samples"]) for one in shown] == [3] * len(asked)
        return len(found)

    assert statements(ids[:1]) == statements(ids)
