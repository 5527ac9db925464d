"""Valid documents made from the schema, for each field that can be asked for: all have answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from graphql import introspection_from_schema
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.graphql import nodes
from structlog.testing import capture_logs

from infrastructure.container import Container
from interfaces.graphql.schema import schema
from tests.support.asgi import Caller
from tests.support.graphql_faults import EXPECTED, MAX_SECONDS, faulty_payload
from tests.support.graphql_site import application
from tests.support.projected_container import container

__all__ = ["container"]

EXAMPLES = 10  # a field; `make test-long` tries 300
# What JSON and PostgreSQL can hold; a position that is far ahead would be waited for.
schemathesis.graphql.scalar("BigInt", st.integers(-2, 3).map(nodes.Int))
schemathesis.graphql.scalar(
    "DateTime",
    st.datetimes().map(lambda at: nodes.String(at.isoformat() + "Z")) | st.just(nodes.String("x")),
)
FIELDS = [
    (root.name, field)
    for root in (schema._schema.query_type, schema._schema.mutation_type)
    if root is not None
    for field in root.fields
]


@pytest.fixture(scope="module")
def caller(container: Container) -> Iterator[Caller]:
    """Not the client of the test library: it starts a thread and an event loop each time."""
    caller = Caller(application(container))
    yield caller
    caller.close()


@pytest.fixture(scope="module")
def api() -> Any:
    return schemathesis.graphql.from_dict(introspection_from_schema(schema._schema))


def ask_about(caller: Caller, api: Any, root: str, field: str, examples: int) -> int:
    """Returns how many answers had data."""
    answered = 0

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=api[root][field].as_strategy())
    def ask(case: Any) -> None:
        nonlocal answered
        answer = caller.ask(case.body)
        assert answer.seconds < MAX_SECONDS
        assert answer.status in EXPECTED
        assert faulty_payload(answer.json) == [], case.body
        answered += answer.json.get("data") is not None

    ask()
    return answered


@pytest.mark.parametrize(("root", "field"), FIELDS)
def test_every_field_has_an_answer(caller: Caller, api: Any, root: str, field: str) -> None:
    with capture_logs() as logs:
        assert ask_about(caller, api, root, field, EXAMPLES) > 0
    assert [entry for entry in logs if entry["log_level"] in {"error", "critical"}] == []


@pytest.mark.long
@pytest.mark.parametrize(("root", "field"), FIELDS)
def test_every_field_has_an_answer_however_it_is_asked(
    caller: Caller, api: Any, root: str, field: str
) -> None:
    assert ask_about(caller, api, root, field, 300) > 0
