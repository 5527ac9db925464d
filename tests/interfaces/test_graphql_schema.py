"""The schema as others rely on it: described, with examples, and never broken unawares."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    build_schema,
    find_breaking_changes,
    get_named_type,
    is_non_null_type,
    parse,
    validate,
)

from interfaces.graphql import connections, context, cursors, deadline, limits
from interfaces.graphql.cost import BUDGET
from interfaces.graphql.decoding import MAX_BODY
from interfaces.graphql.schema import schema

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / "interfaces" / "graphql"
DOCUMENTED = REPOSITORY / "docs" / "graphql.md"
CORE = schema._schema
# A value of these is a mere guess without an example.
NEEDS_EXAMPLE = {"ID", "String", "DateTime", "BigInt", "Int", "Float", "JSON"}
# They are the same whatever the log holds.
ALWAYS_THE_SAME = {"eventTopics"}
HAS_EXAMPLE = re.compile("for example", re.IGNORECASE)


def own_types() -> Iterator[GraphQLNamedType]:
    for name, kind in CORE.type_map.items():
        if not name.startswith("__"):
            yield kind


def fields() -> Iterator[tuple[str, GraphQLField]]:
    for kind in own_types():
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for name, field in kind.fields.items():
                yield f"{kind.name}.{name}", field


def arguments() -> Iterator[tuple[str, GraphQLArgument]]:
    for place, field in fields():
        for name, argument in field.args.items():
            yield f"{place}({name})", argument


def described() -> Iterator[tuple[str, str | None]]:
    for kind in own_types():
        yield kind.name, kind.description
        if isinstance(kind, GraphQLEnumType):
            yield from ((f"{kind.name}.{name}", v.description) for name, v in kind.values.items())
        if isinstance(kind, GraphQLInputObjectType):
            yield from ((f"{kind.name}.{name}", f.description) for name, f in kind.fields.items())
    yield from ((place, field.description) for place, field in fields())
    yield from ((place, argument.description) for place, argument in arguments())


def test_every_part_of_the_schema_is_described_in_a_sentence() -> None:
    bad = [
        place
        for place, text in described()
        if not text or not (text[0].isupper() or text[0].isdigit() or text[0] == "`")
    ]
    assert bad == []


def scalars() -> Iterator[tuple[str, Any]]:
    """Every field and argument, of answers and of inputs, that is no object, enum or Boolean."""
    inputs = (
        (f"{kind.name}.{name}", field)
        for kind in own_types()
        if isinstance(kind, GraphQLInputObjectType)
        for name, field in kind.fields.items()
    )
    for place, part in (*fields(), *arguments(), *inputs):
        if get_named_type(part.type).name in NEEDS_EXAMPLE:
            yield place, part


def test_everything_with_a_value_has_an_example() -> None:
    bad = [place for place, part in scalars() if not HAS_EXAMPLE.search(part.description or "")]
    assert bad == []
    assert len(list(scalars())) > 200


def test_nothing_but_objects_enums_and_truth_goes_without_an_example() -> None:
    scalar = {kind.name for kind in own_types() if isinstance(kind, GraphQLScalarType)}
    assert scalar - NEEDS_EXAMPLE == {"Boolean"}


def test_an_enum_has_two_values_at_least_and_each_a_meaning_of_its_own() -> None:
    for kind in own_types():
        if isinstance(kind, GraphQLEnumType):
            texts = [value.description for value in kind.values.values()]
            assert len(set(texts)) == len(texts) >= 2, kind.name


def test_every_page_is_a_connection_as_relay_wants_it() -> None:
    for place, field in fields():
        kind = get_named_type(field.type)
        if not kind.name.endswith("Connection"):
            continue
        assert isinstance(kind, GraphQLObjectType)
        assert {"edges", "nodes", "pageInfo"} <= kind.fields.keys(), kind.name
        edge = get_named_type(kind.fields["edges"].type)
        assert isinstance(edge, GraphQLObjectType)
        assert edge.name.endswith("Edge")
        assert is_non_null_type(edge.fields["cursor"].type)
        if place not in {"Message.before", "Message.after"}:  # which end at the message
            assert {"first", "after", "last", "before"} <= field.args.keys(), place


def test_a_node_has_an_id_and_every_query_can_wait_for_a_position() -> None:
    query = CORE.query_type
    assert query is not None
    waiting = {name for name, field in query.fields.items() if "minPosition" in field.args}
    assert query.fields.keys() - waiting == ALWAYS_THE_SAME
    node = CORE.type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    for kind in CORE.get_possible_types(node):
        assert str(kind.fields["id"].type) == "ID!"


def test_every_refusal_is_the_answer_to_something() -> None:
    """A type that no field returns only confuses."""
    refusal: Any = CORE.type_map["Refusal"]
    unions = [kind for kind in own_types() if hasattr(kind, "types")]
    used = {member.name for union in unions for member in union.types}
    assert {kind.name for kind in CORE.get_possible_types(refusal)} <= used


def intended() -> list[str]:
    lines = (FOLDER / "intended_breaks.txt").read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_nothing_that_was_released_breaks_unawares() -> None:
    released = build_schema((FOLDER / "released.graphql").read_text("utf-8"))
    current = build_schema(schema.as_str())
    breaks = [change.description for change in find_breaking_changes(released, current)]
    assert sorted(breaks) == sorted(intended()), (
        "clients of the last release would break. Deprecate first; what is meant to break "
        "stands in intended_breaks.txt, and at a release schema.graphql becomes released.graphql"
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  version: Int!", "  version: String!"),
        ("  formerTitles: [String!]!", "  earlierTitles: [String!]!"),
        ("  REJECTED\n", "  DECLINED\n"),
    ],
)
def test_a_break_is_seen(old: str, new: str) -> None:
    text = schema.as_str()
    assert old in text
    changed = build_schema(text.replace(old, new))
    assert find_breaking_changes(build_schema(text), changed) != []


def test_whatever_is_deprecated_says_since_when_and_what_to_use_instead() -> None:
    reasons = [
        (place, part.deprecation_reason)
        for place, part in [*fields(), *arguments()]
        if part.deprecation_reason is not None
    ]
    for place, reason in reasons:
        assert re.match(r"Since \d+\.\d+(\.\d+)?: .+", reason or ""), place


@pytest.mark.parametrize(
    ("what", "number"),
    [
        ("entries of a page at most", connections.MAX_FIRST),
        ("entries of a page unless told", connections.DEFAULT_FIRST),
        ("characters of a cursor at most", cursors.MAX_CURSOR),
        ("seconds that `minPosition` is waited for", context.WAIT_SECONDS),
        ("rows of one operation at most", context.MAX_ROWS),
        ("seconds of one operation at most", deadline.DEADLINE_SECONDS),
        ("bytes of a request at most", MAX_BODY),
        ("characters of a document at most", limits.MAX_LENGTH),
        ("tokens of a document at most", limits.MAX_TOKENS),
        ("levels of fields at most", limits.MAX_DEPTH),
        ("aliases at most", limits.MAX_ALIASES),
        ("cost of one operation at most", BUDGET),
    ],
)
def test_the_documentation_says_the_numbers_of_the_code(what: str, number: float) -> None:
    assert f"| {what} | {number:,g} |" in DOCUMENTED.read_text("utf-8")


def test_the_query_that_the_explorer_begins_with_is_valid() -> None:
    script = REPOSITORY / "interfaces" / "http" / "static" / "graphiql" / "graphiql-init.js"
    [document] = re.findall("DEFAULT_QUERY = `(.*?)`", script.read_text("utf-8"), re.DOTALL)
    assert validate(CORE, parse(document)) == []


def test_the_documents_of_the_documentation_are_valid() -> None:
    documents = re.findall("```graphql\n(.*?)```", DOCUMENTED.read_text("utf-8"), re.DOTALL)
    assert documents
    for document in documents:
        assert validate(CORE, parse(document)) == []
