"""What an operation costs: known before it is carried out, from its document and variables."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLSchema, build_schema, get_operation_ast, parse, validate

from interfaces.graphql.cost import BUDGET, FIELD, ITEM, UNSIZED, WEIGHTS, Costing
from interfaces.graphql.schema import schema as our_schema

SCHEMA = build_schema("""
  type Query {
    name: String
    books(first: Int, after: String, last: Int, ids: [ID!]): BookConnection!
    latest(first: Int! = 20): [Book!]!
    search(limit: Int! = 10): [Book!]!
    tags: [Tag!]!
  }
  type BookConnection { edges: [BookEdge!]! nodes: [Book!]! total: Int! }
  type BookEdge { cursor: String! node: Book! }
  type Book { title: String books(first: Int): BookConnection! tags: [Tag!]! author: Author }
  type Author { name: String }
  type Tag { name: String }
""")
BOOKS = "fragment P on BookConnection {nodes {...B}} fragment B on Book {title}"


def cost(document: str, *, schema: GraphQLSchema = SCHEMA, **variables: Any) -> float:
    parsed = parse(document)
    assert validate(schema, parsed) == []
    operation = get_operation_ast(parsed)
    assert operation is not None
    return Costing(schema, parsed, variables).of(operation)


def page(items: int, inner: float) -> float:
    """A connection's field, its list of nodes, and so many of these."""
    return FIELD + FIELD + items * (ITEM + inner)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("{name}", FIELD),
        ("{name __typename}", 2 * FIELD),
        ("{books(first: 7) {nodes {title}}}", page(7, FIELD)),
        ("{books(last: 7) {nodes {title}}}", page(7, FIELD)),
        ("{books(first: 7) {edges {cursor node {title}}}}", page(7, 3 * FIELD)),
        ("{books(first: 7) {total}}", 2 * FIELD),
        ('{books(ids: ["a", "b"]) {nodes {title}}}', page(2, FIELD)),
        ("{books {nodes {title}}}", page(50, FIELD)),
        ("{books(first: null) {nodes {title}}}", page(50, FIELD)),
        ("{books(first: 1000000) {nodes {title}}}", page(100, FIELD)),
        ("{books(first: -5) {nodes {title}}}", page(0, FIELD)),
        ("{latest {title}}", FIELD + 20 * (ITEM + FIELD)),
        ("{latest(first: 3) {title author {name}}}", FIELD + 3 * (ITEM + 3 * FIELD)),
        ("{tags {name}}", FIELD + UNSIZED * (ITEM + FIELD)),
        ("{search {title}}", WEIGHTS["Query.search"] + 10 * (ITEM + FIELD)),
        (
            "{books(first: 7) {nodes {books(first: 3) {nodes {title}}}}}",
            page(7, page(3, FIELD)),
        ),
        ("{...A ...A} fragment A on Query {name}", 2 * FIELD),
        (f"{{books(first: 7) {{...P}}}} {BOOKS}", page(7, FIELD)),
        (
            f"{{a: books(first: 2) {{...P}} b: books(first: 9) {{...P}}}} {BOOKS}",
            page(2, FIELD) + page(9, FIELD),
        ),
        ("{... on Query {name} ... {name}}", 2 * FIELD),
    ],
)
def test_items_multiply_what_is_asked_of_each(document: str, expected: float) -> None:
    assert cost(document) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("variables", "items"),
    [
        ({"n": 7}, 7),
        ({}, 30),  # the variable's default
        ({"n": None}, 50),
        ({"n": 10**6}, 100),
        ({"n": "seven"}, 50),  # refused later: it is no number
    ],
)
def test_variables_count_as_they_are_given(variables: dict[str, Any], items: int) -> None:
    document = "query Q($n: Int = 30) {books(first: $n) {nodes {title}}}"
    assert cost(document, **variables) == pytest.approx(page(items, FIELD))


HITS = "... on SearchResult {hits {score cursor}}"
FRAGMENTS = (
    "fragment A on SearchAnswer {...B} fragment B on SearchResult {hits {...C}} "
    "fragment C on Hit {score cursor}"
)


def searched(document: str, **variables: Any) -> float:
    return cost(document, schema=our_schema._schema, **variables)


def hits(items: int) -> float:
    return WEIGHTS["Query.search"] + FIELD + items * (ITEM + 2 * FIELD)


@pytest.mark.parametrize(
    ("document", "items"),
    [
        (f'{{search(query: "rain") {{{HITS}}}}}', 10),  # as the schema has it
        (f'{{search(query: "rain", limit: 1) {{{HITS}}}}}', 1),
        (f'{{search(query: "rain", limit: 100) {{{HITS}}}}}', 100),
        (f'{{search(query: "rain", limit: 1000000) {{{HITS}}}}}', 100),
        (f'{{search(query: "rain", limit: -1) {{{HITS}}}}}', 0),
        (f'{{runSavedSearch(id: "x") {{{HITS}}}}}', 10),
        (f'{{runSavedSearch(id: "x", limit: 30) {{{HITS}}}}}', 30),
        (f"{{search(limit: 30) {{...A}}}} {FRAGMENTS}", 30),
    ],
)
def test_hits_of_a_search_count_up_to_its_limit(document: str, items: int) -> None:
    assert searched(document) == pytest.approx(hits(items))


@pytest.mark.parametrize(
    ("variables", "items"), [({"limit": 70}, 70), ({"limit": 10**6}, 100), ({}, 20)]
)
def test_hits_of_a_search_count_up_to_a_variable(variables: dict[str, Any], items: int) -> None:
    document = f"query Q($limit: Int! = 20) {{search(limit: $limit) {{{HITS}}}}}"
    assert searched(document, **variables) == pytest.approx(hits(items))


def test_each_search_of_an_operation_has_a_limit_of_its_own() -> None:
    document = (
        "{a: search(limit: 5) {...A} b: search(limit: 50) {...A}} "
        f"fragment A on SearchAnswer {{{HITS}}}"
    )
    assert searched(document) == pytest.approx(hits(5) + hits(50))


def test_what_is_like_each_message_of_a_list_counts_up_to_its_number() -> None:
    document = f"{{messages: nodes(ids: []) {{... on Message {{similar(first: 3) {{{HITS}}}}}}}}}"
    five = document.replace("first: 3", "first: 5")
    assert searched(document.replace("[]", '["a"]')) == pytest.approx(
        searched(five.replace("[]", '["a"]')) - 2 * (ITEM + 2 * FIELD)
    )


def test_what_is_asked_of_each_hit_is_multiplied_by_the_limit() -> None:
    """A hundred hits with all that they stand for cost what they are, and not a tenth of it."""
    inner = "duplicates(first: 100) {nodes {id text}}"
    few, many = (
        searched(f"{{search(limit: {limit}) {{... on SearchResult {{hits {{{inner}}}}}}}}}")
        for limit in (10, 100)
    )
    assert few < BUDGET < many


def test_ids_in_variables_are_counted() -> None:
    document = "query Q($ids: [ID!]) {books(ids: $ids) {nodes {title}}}"
    assert cost(document, ids=["a", "b", "c"]) == pytest.approx(page(3, FIELD))


def test_fragments_that_use_the_next_one_twice_are_reckoned_at_once() -> None:
    """Written out they are a thousand fields; the time is that of ten."""
    links = "".join(f"fragment F{n} on Query {{...F{n + 1} ...F{n + 1}}}" for n in range(10))
    document = "{...F0}" + links + "fragment F10 on Query {name}"
    assert cost(document) == pytest.approx(2**10 * FIELD)


def test_what_is_named_exists() -> None:
    """A field that gets another name must not lose its weight unnoticed."""
    schema = our_schema._schema
    for name in WEIGHTS:
        kind, field = name.split(".")
        assert field in schema.type_map[kind].fields, name  # type: ignore[attr-defined]


def test_a_page_of_pages_is_beyond_the_budget() -> None:
    nested = "{books(first: 100) {nodes {books(first: 100) {nodes {title}}}}}"
    assert cost(nested) > BUDGET
    assert cost(nested.replace("100", "50", 1)) < BUDGET
