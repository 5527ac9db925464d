"""The OpenAPI 3.1 document, made from what stands beside each route."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from interfaces.http.describing import (
    Answer,
    Content,
    DescribedRoute,
    HeaderText,
    Operation,
)
from interfaces.http.limits import MAX_HEADER_BYTES, MAX_HEADERS, MAX_QUERY
from interfaces.http.parameters import described, with_example

ABOUT = f"""
Chat exports in, a searchable and provable archive out. Most of it is GraphQL, at `/graphql`;
what is sent or received as a file, and what machines watch, is here.

**Who may ask.** There are no accounts yet: this machine alone is served, by the names
`127.0.0.1`, `localhost` and `[::1]`, without a proxy, and never for a page of another site.

**Errors** are `application/problem+json` (RFC 9457). `code` is stable and for programs, `detail`
is a sentence for people, `requestId` names the request in the server's log.

**Request ids.** Send `X-Request-Id` (a token of at most 128 letters, digits, `.`, `_` and `-`), or
take the one of the answer. It is the correlation id of every event that the request causes: as it
is if it is a UUID, else as a UUID derived from it.

**Limits.** {MAX_HEADERS} headers of {MAX_HEADER_BYTES:,} bytes in all, {MAX_QUERY:,} bytes of
query. Parameters that are unknown, repeated or malformed are refused.
"""
TAGS = {
    "uploads": "Files on their way in, and back out.",
    "exports": "The log, the audit trail and conversations as files, with resumable downloads.",
    "graphql": "Everything else.",
    "health": "For whoever runs this: probes and metrics.",
    "documentation": "This description.",
}
# What can be answered to any request.
COMMON: Mapping[HTTPStatus, Mapping[str, str]] = {
    HTTPStatus.BAD_REQUEST: {
        "bad_request": "a parameter or a header is unknown, repeated, missing or malformed",
        "http.malformed": "the request is not what HTTP or a URL allows",
    },
    HTTPStatus.FORBIDDEN: {
        "local_only": "somebody asks who is not on this machine, or a page of another site"
    },
    HTTPStatus.REQUEST_URI_TOO_LONG: {"http.request_uri_too_long": "the URL is too long"},
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: {
        "http.request_header_fields_too_large": "there are too many headers, or too large ones"
    },
    HTTPStatus.INTERNAL_SERVER_ERROR: {
        "internal": "something unexpected went wrong; the server's log has it under `requestId`"
    },
}
UNAVAILABLE: Mapping[HTTPStatus, Mapping[str, str]] = {
    HTTPStatus.SERVICE_UNAVAILABLE: {"unavailable": "the database is out of reach: try again"}
}
PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "What is wrong (RFC 9457).",
    "required": ["title", "status", "code", "detail"],
    "properties": {
        "title": {"type": "string", "description": "The status in words."},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "code": {"type": "string", "description": "Stable, for programs.", "minLength": 1},
        "detail": {"type": "string", "description": "A sentence for people.", "minLength": 1},
        "instance": {"type": "string", "description": "The path that was asked for."},
        "requestId": {"type": "string", "description": "Names the request in the server's log."},
    },
}
REQUEST_ID = HeaderText(
    description="Names this request, in the answer, in the log and in its events.",
    schema={"type": "string"},
    example="3f6c1c0e-5d3a-4a63-9d3c-0f6a0f8f6d0b",
)
RETRY_AFTER = HeaderText(
    description="Seconds after which it is worth trying again.",
    schema={"type": "integer", "minimum": 1},
    example=2,
)


def document(routes: Iterable[DescribedRoute]) -> dict[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        # Starlette writes {id:uuid}; OpenAPI wants {id}.
        paths.setdefault(route.path_format, {}).update(
            {
                method.lower(): described_operation(found)
                for method, found in route.operations.items()
            }
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Chatledger",
            "version": version("chatledger"),
            "summary": "Chat exports in, a searchable and provable archive out.",
            "description": ABOUT.strip(),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "This instance."}],
        "security": [{}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": {"Problem": PROBLEM},
            "responses": {status.name: refused(status, codes) for status, codes in COMMON.items()},
            "headers": {"X-Request-Id": header(REQUEST_ID), "Retry-After": header(RETRY_AFTER)},
            "parameters": {
                "X-Request-Id": parameter("X-Request-Id", "header", REQUEST_ID, required=False)
            },
        },
    }


def described_operation(operation: Operation) -> dict[str, Any]:
    parameters = [
        *(
            {
                "name": name,
                "in": "path",
                "required": True,
                "description": part.description,
                "example": part.example,
                "schema": dict(part.schema),
            }
            for name, part in operation.path.items()
        ),
        *(described(operation.query) if operation.query else ()),
        *(parameter(name, "header", h, required=False) for name, h in operation.headers.items()),
        {"$ref": "#/components/parameters/X-Request-Id"},
    ]
    found: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description.strip(),
        "parameters": parameters,
    }
    if operation.body:
        found["requestBody"] = {
            "required": True,
            "description": operation.body.description,
            "content": contents(operation.body.content),
        }
    answers = {status: answered(answer) for status, answer in operation.answers.items()}
    for status, codes in merged(COMMON, operation.problems).items():
        if status in operation.problems:
            answers.setdefault(status, refused(status, codes))
        else:
            answers.setdefault(status, {"$ref": f"#/components/responses/{status.name}"})
    found["responses"] = {
        str(status.value): answers[status] for status in sorted(answers, key=lambda s: s.value)
    }
    return found


def merged(
    *groups: Mapping[HTTPStatus, Mapping[str, str]],
) -> dict[HTTPStatus, dict[str, str]]:
    found: dict[HTTPStatus, dict[str, str]] = {}
    for group in groups:
        for status, codes in group.items():
            found.setdefault(status, {}).update(codes)
    return found


def answered(answer: Answer) -> dict[str, Any]:
    named = {name: header(text) for name, text in answer.headers.items()}
    found: dict[str, Any] = {
        "description": answer.description,
        "headers": {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}} | named,
    }
    if answer.content:
        found["content"] = contents(answer.content)
    return found


def refused(status: HTTPStatus, codes: Mapping[str, str]) -> dict[str, Any]:
    code, when = next(iter(codes.items()))
    headers = {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}}
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = {"$ref": "#/components/headers/Retry-After"}
    example = {
        "title": status.phrase,
        "status": status.value,
        "code": code,
        "detail": when,
        "instance": "/",
        "requestId": REQUEST_ID.example,
    }
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": "\n".join(f"- `{code}`: {when}." for code, when in codes.items()),
        "headers": headers,
        "content": {"application/problem+json": {"schema": schema, "example": example}},
    }


def contents(found: Mapping[str, Content]) -> dict[str, Any]:
    return {
        media_type: {"schema": dict(content.schema)}
        | ({} if content.example is None else {"example": content.example})
        for media_type, content in found.items()
    }


def header(text: HeaderText) -> dict[str, Any]:
    found: dict[str, Any] = {"description": text.description, "schema": dict(text.schema)}
    return found if text.example is None else found | {"example": text.example}


def parameter(name: str, place: str, text: HeaderText, *, required: bool) -> dict[str, Any]:
    told = with_example(text.description, text.example, required=required)
    return {"name": name, "in": place, "required": required, "schema": dict(text.schema)} | told


def as_text(found: Mapping[str, Any]) -> str:
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"
