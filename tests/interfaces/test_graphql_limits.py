"""What asks for too much is refused, quickly, and says why; what people ask for is not."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from graphql import get_introspection_query
from structlog.testing import capture_logs

from interfaces.graphql.accept import GRAPHQL_RESPONSE
from interfaces.graphql.schema import schema
from tests.support.asgi import Caller
from tests.support.graphql_site import NoContainer, application
from tests.support.hostile_documents import doubling, hostile_bodies, spread, times

MAX_CPU_SECONDS = 0.05
ATTEMPTS = 5  # the quickest counts: the others were interrupted
HOSTILE = dict(hostile_bodies(schema._schema))


@pytest.fixture(scope="module")
def caller() -> Iterator[Caller]:
    caller = Caller(application(NoContainer()))
    caller.ask("{__typename}")  # what is done once is done
    yield caller
    caller.close()


def test_there_are_enough_hostile_requests() -> None:
    assert len(HOSTILE) >= 40


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_request_is_refused_within_50_milliseconds(caller: Caller, name: str) -> None:
    quickest = 1.0
    with capture_logs() as logs:
        for _ in range(ATTEMPTS):
            gc.collect(0)
            answer = caller.post(HOSTILE[name], accept=GRAPHQL_RESPONSE)
            quickest = min(quickest, answer.cpu_seconds)
            if quickest <= MAX_CPU_SECONDS:
                break
    assert 400 <= answer.status < 500, answer.body[:500]
    assert set(answer.json) == {"errors"}
    assert len(answer.body) < 20_000, "a short question must not have a long answer"
    assert [error["message"] for error in answer.json["errors"]]
    assert {error["extensions"]["code"] for error in answer.json["errors"]} & {"INTERNAL"} == set()
    assert logs == []
    assert quickest <= MAX_CPU_SECONDS


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("{a" * 15 + "{__typename}" + "}" * 15, "15 levels of fields"),
        ("{" + "...{" * 41 + "__typename" + "}" * 42, "40 levels of braces"),
        (f"{{{times('a#: __typename', 16)}}}", "15 aliases"),
        ("{" + "__typename " * 101 + "}", "100 fields `__typename`"),
        ("{" + times("a#", 501) + "}", "500 fields"),
        ("{" + "__typename " * 1000 + "}", "Document contains more than 1000 tokens"),
        (doubling(12, "a"), "2,000 fields, fragments written out"),
        ("{" + "projections{nodes{name}} " * 64 + "}", "the same fields too often"),
        ("{__typename " + "@skip(if: false)" * 5 + "}", "4 directives in one place"),
        (f"{{{times('a @skip(if: false)', 21)}}}", "20 directives"),
        (times("query Q# {__typename}", 11), "10 operations"),
        (spread("__typename", 51), "50 fragments"),
        (f"query ({times('$v#: Int', 51)}) {{__typename}}", "50 variables"),
        ("{" + "a" * 101 + "}", "A name has at most 100 characters"),
        (f'{{upload(id: "{"a" * 10_001}") {{id}}}}', "A string has at most 10,000 characters"),
        ("{upload(id: [" + "1 " * 101 + "]) {id}}", "and 100 outside of variables"),
        ("{upload(id: " + "1" * 41 + ") {id}}", "A number has at most 40 digits"),
        ('{upload(id: "\\u0000") {id}}', "cannot be stored (U+0000)"),
        ("#" * 20_001, "20,000 characters"),
        ("{...Missing}", "Unknown fragment 'Missing'"),
        ("{...A} fragment A on Query {...A}", "within itself"),
        ("{}", "Expected Name"),
    ],
    ids=lambda text: text[:40],
)
def test_a_refused_document_is_told_which_limit_it_broke(
    caller: Caller, document: str, reason: str
) -> None:
    answer = caller.ask(document, accept=GRAPHQL_RESPONSE)
    assert answer.status == 400
    assert reason in answer.json["errors"][0]["message"]


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"ids": ["x"] * 1_001}, "A list has at most 1,000 entries"),
        ({"text": "x" * 10_001}, "A string has at most 10,000 characters"),
        ({"x" * 10_001: 1}, "A string has at most 10,000 characters"),
        ({"a": {"b": ["\x00"]}}, "cannot be stored (U+0000)"),
        ({f"v{number}": number for number in range(551)}, "more than 1,100 values"),
        ({"a": orjson.loads("[" * 16 + "]" * 16)}, "nested more than 16 deep"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_variables_have_limits_whether_they_are_used_or_not(
    caller: Caller, variables: dict[str, Any], reason: str
) -> None:
    answer = caller.ask("{__typename}", variables, accept=GRAPHQL_RESPONSE)
    [error] = answer.json["errors"]
    assert (answer.status, error["extensions"]["code"]) == (400, "ARGUMENT_REFUSED")
    assert reason in error["message"]


def test_what_is_as_large_as_it_may_be_is_answered(caller: Caller) -> None:
    variables = {
        "text": "x" * 10_000,
        "list": ["x"] * 1_000,
        "deep": orjson.loads("[" * 14 + "]" * 14),
    }
    document = (
        f"query Q($yes: Boolean = true) {{{times('a#: __typename', 15)} "
        "__typename @skip(if: false) @include(if: $yes) " + "...{" * 38 + "__typename" + "}" * 39
    )
    assert caller.ask(document, variables).json["data"]["__typename"] == "Query"


def test_the_query_that_explorers_begin_with_is_within_the_limits(caller: Caller) -> None:
    asked = get_introspection_query(
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
    )
    answer = caller.ask(asked).json
    assert "errors" not in answer
    assert answer["data"]["__schema"]["queryType"]["name"] == "Query"


def test_a_page_of_fragments_is_within_the_limits(caller: Caller) -> None:
    """Clients keep each part's fields with the part, so that many are selected many times."""
    part = "types { name kind description fields { name type { name kind } } }"
    document = "{__schema {" + times("...F#", 6) + "}}"
    document += times(f"fragment F# on __Schema {{{part}}}", 6)
    assert "errors" not in caller.ask(document).json
