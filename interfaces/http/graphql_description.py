"""How GraphQL is asked over HTTP. What can be asked is in its own schema."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from pydantic import Field

from interfaces.http.describing import Answer, Body, Content, Operation
from interfaces.http.openapi_document import UNAVAILABLE
from interfaces.http.parameters import Parameters

QUESTION = '{ uploads(workspace: "team", first: 10) { edges { node { id stage } } } }'
RESULT: dict[str, Any] = {
    "type": "object",
    "description": "As GraphQL says; `extensions.code` of an error is stable, and for programs.",
    "anyOf": [{"required": ["data"]}, {"required": ["errors"]}],
    "properties": {
        "data": {"type": ["object", "null"]},
        "errors": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["message"],
                "properties": {
                    "message": {"type": "string"},
                    "path": {"type": ["array", "null"]},
                    "locations": {"type": ["array", "null"]},
                    "extensions": {"type": ["object", "null"]},
                },
            },
        },
        "extensions": {"type": ["object", "null"]},
    },
}
REQUEST: dict[str, Any] = {
    "type": "object",
    "properties": {
        "query": {"type": "string", "description": "The document."},
        "operationName": {"type": ["string", "null"]},
        "variables": {"type": ["object", "null"]},
        "extensions": {"type": ["object", "null"]},
    },
}
EXAMPLE: dict[str, Any] = {"data": {"uploads": {"edges": []}}}
CONTENT = {
    "application/graphql-response+json": Content(schema=RESULT, example=EXAMPLE),
    "application/json": Content(schema=RESULT, example=EXAMPLE),
}
ABOUT = """
GraphQL over HTTP. Ask for `application/graphql-response+json` to get 400 where nothing was
executed; by `application/json` that is 200 with `errors`. Subscriptions are served to those who
ask for `text/event-stream` (graphql-sse), and over a WebSocket at the same path
(graphql-transport-ws). Explore it at `/graphiql`.
"""


def refused(description: str) -> Answer:
    return Answer(description=description, content=CONTENT)


ANSWERS = {
    HTTPStatus.OK: Answer(
        description="Executed, perhaps with errors.",
        content={
            **CONTENT,
            "text/event-stream": Content(
                schema={"type": "string", "description": "Events `next` and `complete`."}
            ),
        },
    ),
    HTTPStatus.BAD_REQUEST: refused("Not a GraphQL request, or one that is not valid."),
    HTTPStatus.FORBIDDEN: Answer(
        description="Somebody asks who is not on this machine, or a page of another site; or the "
        "document is not one of those that this instance executes.",
        content={
            **CONTENT,
            "application/problem+json": Content(schema={"$ref": "#/components/schemas/Problem"}),
        },
    ),
    HTTPStatus.NOT_ACCEPTABLE: refused("No form of answer that is acceptable to the client."),
}


class GraphQLParameters(Parameters):
    query: Annotated[str, Field(description="The document.", examples=[QUESTION])]
    operationName: Annotated[  # noqa: N815 - as it stands in URLs
        str | None, Field(description="Which of the document's operations.")
    ] = None
    variables: Annotated[str | None, Field(description="A JSON object.", examples=["{}"])] = None
    extensions: Annotated[str | None, Field(description="A JSON object.", examples=["{}"])] = None


GRAPHQL_GET = Operation(
    id="queryGraphql",
    tag="graphql",
    summary="Ask GraphQL by URL",
    description=f"Queries only.\n{ABOUT}",
    query=GraphQLParameters,
    answers={
        **ANSWERS,
        HTTPStatus.METHOD_NOT_ALLOWED: refused("A mutation has to be sent by POST."),
    },
    problems=UNAVAILABLE,
)
GRAPHQL_POST = Operation(
    id="executeGraphql",
    tag="graphql",
    summary="Ask or tell GraphQL",
    description=ABOUT,
    body=Body(
        description="One operation, as JSON.",
        content={"application/json": Content(schema=REQUEST, example={"query": QUESTION})},
    ),
    answers={
        **ANSWERS,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Answer(
            description="The body is too large.", content=CONTENT
        ),
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE: refused("The body is not JSON."),
    },
    problems=UNAVAILABLE,
)
