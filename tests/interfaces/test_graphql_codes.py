"""The codes of errors and refusals: those that the documentation names are all that there are."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import TypeGuard

from interfaces.graphql.errors import CODES
from interfaces.graphql.mutations.answers import REFUSALS

REPOSITORY = Path(__file__).parents[2]
SOURCES = sorted((REPOSITORY / "interfaces" / "graphql").rglob("*.py"))
DOCUMENTED = REPOSITORY / "docs" / "graphql.md"
IS_CODE = re.compile(r"[A-Z]{5,}|[A-Z]+(_[A-Z]+)+")
# Statuses that are given as numbers where the library raises them, and are codes by their names.
OF_THE_LIBRARY = {"METHOD_NOT_ALLOWED"}
# A status of which every error has a code of its own.
NEVER_A_CODE = {"ANSWER", "GATEWAY_TIMEOUT"}


def strings_and_statuses() -> Iterator[str]:
    """Every code is written as one word in capitals, or is the name of an HTTP status."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                if IS_CODE.fullmatch(node.value):
                    yield node.value
            elif is_error_status(node):
                yield node.attr


def is_error_status(node: ast.AST) -> TypeGuard[ast.Attribute]:
    if not isinstance(node, ast.Attribute) or ast.unparse(node.value) != "HTTPStatus":
        return False
    return HTTPStatus[node.attr] >= HTTPStatus.BAD_REQUEST


def documented() -> list[str]:
    rows = re.findall(r"^\| (`[A-Z_`, ]+`) \|", DOCUMENTED.read_text("utf-8"), re.MULTILINE)
    return [code for row in rows for code in re.findall("[A-Z_]+", row)]


def test_the_documentation_names_every_code_and_no_other() -> None:
    found = set(strings_and_statuses()) - NEVER_A_CODE | OF_THE_LIBRARY
    assert set(documented()) == found
    assert found >= {*CODES.values(), *(code for _, code in REFUSALS.values())}


def test_each_table_names_a_code_once() -> None:
    names = documented()
    assert {name for name in names if names.count(name) > 1} == {
        "ARGUMENT_REFUSED",  # a mutation refuses it by a type, a query by an error
        "UNKNOWN_WORKSPACE",
    }
