"""Every list of the schema costs the same number of SQL statements, however long it is."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import (
    GraphQLObjectType,
    get_named_type,
    is_list_type,
    is_non_null_type,
)

from infrastructure.container import Container
from interfaces.graphql.node_ids import node_id
from interfaces.graphql.schema import schema
from tests.support.full_archive import MANY, Full, fill
from tests.support.graphql_archive import container
from tests.support.graphql_site import Site
from tests.support.statements import counted

__all__ = ["container"]

FEW, SIZE = 1, 50
FULL = 'workspace: "full"'
# A field of the query -> a document with $n, the length of the list.
ROOTS = {
    "Query.uploads": f"uploads({FULL}, first: $n) {{nodes {{id stage outcome {{fresh}}}}}}",
    "Query.conversations": f"""conversations({FULL}, first: $n) {{nodes {{
        id title kind format messageCount firstMessageAt lastMessageAt authorCount
    }}}}""",
    "Query.authors": f"""authors({FULL}, first: $n) {{nodes {{
        id name format sourceId messageCount firstMessageAt lastMessageAt
    }}}}""",
    "Query.workspaces": "workspaces(first: $n) {nodes {id name messageCount}}",
    "Query.labels": f"labels({FULL}, first: $n) {{nodes {{name messageCount conversationCount}}}}",
    "Query.auditTrail": f"auditTrail({FULL}, first: $n) {{nodes {{summary actor {{name}}}}}}",
    "AuditEntry.origin": f"auditTrail({FULL}, first: $n) {{nodes {{origin {{name value}}}}}}",
    "Query.events": f"events({FULL}, first: $n) {{nodes {{topic facts}}}}",
    "Event.sealedFields": f"events({FULL}, first: $n) {{nodes {{sealedFields}}}}",
    "Query.searchHistory": f"searchHistory({FULL}, first: $n) {{nodes {{query filters}}}}",
    "Query.savedSearches": f"savedSearches({FULL}, first: $n) {{nodes {{name query filters}}}}",
    "SearchResult.hits": f"""search({FULL}, query: "harbour", limit: $n) {{... on SearchResult {{
        hits {{message {{id author {{name}} conversation {{title}}}}}}
    }}}}""",
    "Hit.highlights": f"""search({FULL}, query: "harbour", limit: $n) {{... on SearchResult {{
        hits {{highlights {{start end}} thread {{messageCount root {{text author {{name}}}}}}}}
    }}}}""",
    "Hit.before": f"""search({FULL}, query: "harbour", limit: $n) {{... on SearchResult {{
        hits {{before {{id version author {{formerNames}} reactions {{value}}}}}}
    }}}}""",
    "Hit.duplicates": f"""search({FULL}, query: "harbour", limit: $n) {{... on SearchResult {{
        hits {{duplicateCount duplicates(first: 2) {{nodes {{text author {{name}}}}}}}}
    }}}}""",
    "Hit.after": f"""search({FULL}, query: "harbour", limit: $n) {{... on SearchResult {{
        hits {{after {{id upload {{filename}} conversation {{messageCount}}}}}}
    }}}}""",
}
# A field of a node -> what is selected of so many nodes at once.
INNER = {
    "Upload.log": "log(first: 2) {nodes {text}}",
    "Upload.warnings": "warnings {reason}",
    "Conversation.formerTitles": "formerTitles",
    "Conversation.authors": "authors(first: 2) {nodes {name messageCount}}",
    "Conversation.messages": "messages(first: 2) {nodes {text author {name}}}",
    "Conversation.labels": "labels(first: 2) {nodes {name messageCount}}",
    "Author.formerNames": "formerNames",
    "Author.conversations": "conversations(first: 2) {nodes {title messageCount authorCount}}",
    "Author.messages": "messages(last: 2) {nodes {text conversation {title}}}",
    "Message.versions": "versions(first: 2) {nodes {text}}",
    "Message.reactions": "reactions {value total}",
    "Reaction.authors": "reactions {authors(first: 2) {nodes {name messageCount}}}",
    "Message.attachments": "attachments {name}",
    "Message.uploads": "uploads(first: 2) {nodes {filename outcome {known}}}",
    "Message.threadReplies": "threadReplies(first: 2) {nodes {replyTo {id} threadRoot {id}}}",
    "Message.labels": "labels(first: 2) {nodes {name colour conversationCount}}",
    "Message.thread": "thread(first: 2) {nodes {text author {name}}}",
    "Message.before": "before(first: 2) {nodes {author {name}}}",
    "Message.after": "after(first: 2) {nodes {upload {filename} vanishedIn {id}}}",
}
# Lists that no request makes longer, each with the reason.
FIXED = {
    "Query.projections": "as many as there are read models, and their versions",
    "Projection.versions": "they come with the read models",
    "Query.queues": "as many as there are queues and states",
    "Query.eventTopics": "as many as the program knows; nothing is read",
    "EventTopic.sealedFields": "the program knows them; nothing is read",
    "Query.failedJobs": "read in one statement: see test_graphql_operations",
    "Query.nodes": "asked for with every list of a node",
    "Upload.awaits": "comes with the upload",
    "Hit.reasons": "there are three; nothing is read",
    **dict.fromkeys(
        (*(f"ReplayComparison.{name}" for name in ("hits", "gone")), "SearchReplay.notes"),
        "as many as the search had hits: see test_graphql_replay",
    ),
    "SearchResult.notes": "as many as the query has words and names",
    **dict.fromkeys(
        (f"Facets.{name}" for name in ("authors", "conversations", "months", "formats", "labels")),
        "counted in two statements, and named in two, whatever there is",
    ),
    **dict.fromkeys(
        (
            *(f"UploadPreview.{name}" for name in ("candidates", "columns", "conversations")),
            *(f"UploadPreview.{name}" for name in ("samples", "unknownKeys", "warnings", "zones")),
            *("PreviewDates.files", "PreviewDates.possible", "SampleLine.readings"),
        ),
        "read with the preview, in one statement: see test_graphql_preview",
    ),
}


@pytest.fixture(scope="module")
def full(container: Container) -> Full:
    return fill(container)


@pytest.fixture
def site(container: Container, full: Full) -> Site:
    return Site(container)


def lists() -> set[str]:
    """Every field of an object type that is a list or a page of one."""
    found = set()
    for name, kind in schema._schema.type_map.items():
        roots = (schema._schema.mutation_type, schema._schema.subscription_type)
        if not isinstance(kind, GraphQLObjectType) or name.startswith("__") or kind in roots:
            continue
        if name.endswith("Connection"):
            continue
        for field, definition in kind.fields.items():
            type_ = (
                definition.type.of_type if is_non_null_type(definition.type) else definition.type
            )
            if is_list_type(type_) or get_named_type(type_).name.endswith("Connection"):
                found.add(f"{name}.{field}")
    return found


def test_every_list_of_the_schema_has_a_document_here() -> None:
    assert lists() == ROOTS.keys() | INNER.keys() | FIXED.keys()


def lengths(answer: Any) -> list[int]:
    """Of every list in it."""
    if isinstance(answer, list):
        return [len(answer), *(size for entry in answer for size in lengths(entry))]
    if isinstance(answer, dict):
        return [size for value in answer.values() for size in lengths(value)]
    return []


def statements(container: Container, site: Site, document: str, **variables: Any) -> list[str]:
    with counted(container) as found:
        site.data(document, **variables)
    return found


@pytest.mark.parametrize("name", sorted(ROOTS))
def test_a_list_costs_the_same_whatever_its_length(
    site: Site, container: Container, name: str
) -> None:
    document = f"query($n: Int!) {{{ROOTS[name]}}}"
    assert max(lengths(site.data(document, n=SIZE))) == SIZE, "there is not enough to list"
    few = statements(container, site, document, n=FEW)
    many = statements(container, site, document, n=SIZE)
    assert len(few) == len(many), many
    assert few


@pytest.mark.parametrize("name", sorted(INNER))
def test_a_list_of_many_things_costs_what_it_costs_of_one(
    site: Site, container: Container, full: Full, name: str
) -> None:
    kind = "Message" if name.startswith("Reaction") else name.partition(".")[0]
    keys: dict[str, list[Any]] = {
        "Upload": full.uploads,
        "Conversation": full.conversations,
        "Author": full.authors,
        "Message": full.messages,
    }
    ids = [node_id(kind, key) for key in keys[kind]][:SIZE]
    assert len(ids) == SIZE
    document = f"query($ids: [ID!]!) {{nodes(ids: $ids) {{... on {kind} {{{INNER[name]}}}}}}}"
    found = site.data(document, ids=ids)["nodes"]
    if name != "Upload.warnings":  # which come with the row itself
        listed = [one for one in found if sum(lengths(one)) > 0]
        assert len(listed) >= SIZE - 1, "there is not enough to list"
    few = statements(container, site, document, ids=ids[-FEW:])
    many = statements(container, site, document, ids=ids)
    assert len(few) == len(many), many
    assert few


def test_a_page_around_a_message_costs_the_same_for_every_size(
    site: Site, container: Container, full: Full
) -> None:
    document = """query($id: ID!, $around: ID!, $n: Int!) {conversation(id: $id) {
      messages(around: $around, first: $n) {nodes {id author {name}}}
    }}"""
    given = {
        "id": str(full.history.conversation("Big")),
        "around": node_id("Message", full.messages[30]),
    }
    few = statements(container, site, document, n=3, **given)
    many = statements(container, site, document, n=SIZE, **given)
    assert len(few) == len(many), many


def test_nested_lists_cost_the_same_at_every_width(
    site: Site, container: Container, full: Full
) -> None:
    """Four levels of lists, each element with fields of other read models."""
    document = f"""query($n: Int!) {{conversations({FULL}, first: $n) {{nodes {{
      title messageCount messages(first: 3) {{nodes {{
        text author {{name messageCount conversations(first: 2) {{nodes {{title}}}}}}
        uploads(first: 2) {{nodes {{filename log(first: 2) {{nodes {{text}}}}}}}}
      }}}}
    }}}}}}"""
    few = statements(container, site, document, n=2)
    many = statements(container, site, document, n=20)
    assert len(few) == len(many), many


def test_one_upload_is_one_statement(site: Site, container: Container, full: Full) -> None:
    document = f"query($id: ID!) {{upload(id: $id, {FULL}) {{filename stage counts {{messages}}}}}}"
    found = statements(container, site, document, id=str(full.uploads[0]))
    assert len(found) == 1, found


def test_the_archive_of_these_tests_is_large_enough(full: Full) -> None:
    assert len(full.messages) == MANY
    assert min(map(len, (full.uploads, full.workspaces, full.authors))) >= MANY
