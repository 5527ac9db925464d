"""What is said of a route beside it: `/openapi.json` is made of this, and of nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from starlette.routing import Route

from interfaces.http.parameters import Parameters

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderText:
    """A header, asked or answered."""

    description: str
    schema: Schema = field(default_factory=lambda: {"type": "string"})
    example: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PathPart:
    description: str
    schema: Schema
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    schema: Schema
    example: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    description: str
    content: Mapping[str, Content] = field(default_factory=dict)  # by media type
    headers: Mapping[str, HeaderText] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    description: str
    content: Mapping[str, Content]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    id: str
    tag: str
    summary: str
    description: str
    answers: Mapping[HTTPStatus, Answer]
    # status -> code -> when: all of them problem+json
    problems: Mapping[HTTPStatus, Mapping[str, str]] = field(default_factory=dict)
    query: type[Parameters] | None = None
    headers: Mapping[str, HeaderText] = field(default_factory=dict)
    path: Mapping[str, PathPart] = field(default_factory=dict)
    body: Body | None = None


class DescribedRoute(Route):
    """A route with its description, by method."""

    def __init__(
        self,
        path: str,
        endpoint: Any,
        operations: Mapping[str, Operation],
        *,
        has_methods: bool = True,
    ) -> None:
        """`has_methods`: False where the endpoint itself refuses other methods."""
        super().__init__(path, endpoint, methods=list(operations) if has_methods else None)
        self.operations = operations


UUID_SCHEMA: Schema = {"type": "string", "format": "uuid"}
POSITION_SCHEMA: Schema = {"type": "integer", "minimum": 0, "format": "int64"}
SHA256_SCHEMA: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}


def closed_object(properties: Mapping[str, Schema], *, optional: tuple[str, ...] = ()) -> Schema:
    """A JSON object that has these members and no others."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [name for name in properties if name not in optional],
        "properties": dict(properties),
    }
