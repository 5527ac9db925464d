"""The description is complete, valid, committed, and served."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from starlette.routing import Mount, Route, WebSocketRoute

from interfaces.http.app import make_app, routes_to_describe
from interfaces.http.describing import DescribedRoute
from interfaces.http.openapi_document import as_text, document
from tests.interfaces.test_http_app import NoParts, client_of

COMMITTED = Path(__file__).parents[2] / "interfaces" / "http" / "openapi.json"
DOCUMENT: Any = document(routes_to_describe())
# For people in a browser, who need no description.
PAGES = {"/", "/docs", "/graphiql"}
OPERATIONS = [
    pytest.param(operation, id=operation["operationId"])
    for methods in DOCUMENT["paths"].values()
    for operation in methods.values()
]


def test_the_committed_copy_is_the_description() -> None:
    assert COMMITTED.read_text("utf-8") == as_text(DOCUMENT), (
        "run `python -m interfaces.http.openapi > interfaces/http/openapi.json`"
    )


def test_it_is_served_as_it_is_committed() -> None:
    answer = client_of(make_app(NoParts())).get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.text == COMMITTED.read_text("utf-8")


def test_every_route_is_described_but_for_the_pages() -> None:
    routes = make_app(NoParts()).routes
    described = {route.path for route in routes if isinstance(route, DescribedRoute)}
    others = {route.path for route in routes if type(route) is Route}
    assert others == PAGES
    assert {route.path for route in routes if isinstance(route, WebSocketRoute)} <= described
    assert all(route.path.startswith("/static/") for route in routes if isinstance(route, Mount))
    assert described == set(DOCUMENT["paths"])


def test_every_method_that_a_route_takes_is_described() -> None:
    """HEAD comes with GET, and says nothing else."""
    for route in make_app(NoParts()).routes:
        if isinstance(route, DescribedRoute) and route.methods:
            assert route.methods - {"HEAD"} == route.operations.keys() - {"HEAD"}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_everything_about_an_operation_is_said(operation: Any) -> None:
    assert operation["summary"]
    assert len(operation["description"]) > 30
    assert operation["tags"]
    for parameter in operation["parameters"]:
        assert "$ref" in parameter or len(parameter["description"]) > 5, parameter
    for status in ("400", "403", "414", "431", "500"):
        assert status in operation["responses"]
    for answer in map(resolved, operation["responses"].values()):
        assert answer["description"]
        assert "X-Request-Id" in answer["headers"]
    for example, schema in examples(operation):
        validator = jsonschema_rs.Draft202012Validator(
            {**schema, "components": DOCUMENT["components"]}
        )
        assert validator.is_valid(example), list(validator.iter_errors(example))


def resolved(answer: Any) -> Any:
    name = answer.get("$ref", "").rpartition("/")[2]
    return DOCUMENT["components"]["responses"][name] if name else answer


def examples(operation: Any) -> list[tuple[Any, Any]]:
    holders = [resolved(answer) for answer in operation["responses"].values()]
    holders.append(operation.get("requestBody", {}))
    contents = [c for holder in holders for c in holder.get("content", {}).values()]
    contents += [p for p in operation["parameters"] if "$ref" not in p]
    return [(found["example"], found["schema"]) for found in contents if "example" in found]


def test_operations_have_names_of_their_own() -> None:
    names = [param.values[0]["operationId"] for param in OPERATIONS]  # type: ignore[index,call-overload]
    assert len(set(names)) == len(names)


def test_it_is_valid_openapi() -> None:
    """By the schema of OpenAPI 3.1 that schemathesis carries."""
    loaded = schemathesis.openapi.from_dict(json.loads(COMMITTED.read_text("utf-8")))
    loaded.validate()
    assert loaded.statistic.operations.total == len(OPERATIONS)
