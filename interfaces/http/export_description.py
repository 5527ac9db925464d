"""What the exports take and answer."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from domain.topics import EVENTS as EVENT_TOPICS
from interfaces.http.describing import Answer, Content, HeaderText, Operation
from interfaces.http.export_formats import MEDIA_TYPES
from interfaces.http.parameters import (
    Parameters,
    PositionParameter,
    WorkspaceName,
    comma_separated,
)
from interfaces.http.transfers import (
    CONDITION_PROBLEMS,
    PART_HEADERS,
    RANGE_HEADERS,
    WHOLE_HEADERS,
    id_part,
)

UpTo = Annotated[
    PositionParameter | None,
    Field(
        description="The last position. Without it, the answer leads to the newest one: that URL "
        "always gives the same bytes.",
        examples=[42],
    ),
]
After = Annotated[
    PositionParameter, Field(description="Only what came after this position.", examples=[0])
]
Table = Annotated[
    Literal["jsonl", "csv"],
    Field(
        description="JSON Lines for programs; CSV for spreadsheets, in which texts that a "
        "spreadsheet would run as a formula begin with an apostrophe.",
        examples=["jsonl"],
    ),
]
Text = Annotated[
    Literal["jsonl", "csv", "txt"],
    Field(
        description="JSON Lines for programs, CSV for spreadsheets (texts that would be run as a "
        "formula begin with an apostrophe), or plain text as chat apps export it.",
        examples=["txt"],
    ),
]


def known_topic(text: str) -> str:
    if text not in EVENT_TOPICS:
        raise PydanticCustomError("topic", "there is no such topic; /docs names all of them")
    return text


Topic = Annotated[
    str, AfterValidator(known_topic), Field(json_schema_extra={"enum": sorted(EVENT_TOPICS)})
]


class EventsParameters(Parameters):
    workspace: WorkspaceName
    after: After = 0
    upTo: UpTo = None  # noqa: N815 - as it stands in URLs
    topics: Annotated[
        list[Topic] | None,
        BeforeValidator(comma_separated),
        Field(
            description="Only events of these topics, separated by commas.",
            examples=[["upload.received", "search.performed"]],
        ),
    ] = None
    format: Table = "jsonl"


class AuditTrailParameters(Parameters):
    workspace: WorkspaceName
    after: After = 0
    upTo: UpTo = None  # noqa: N815 - as it stands in URLs
    format: Table = "jsonl"


class MessagesParameters(Parameters):
    workspace: WorkspaceName
    upTo: UpTo = None  # noqa: N815 - as it stands in URLs
    format: Text = "jsonl"


PINNED = """
An export goes up to a position of the log. Without `upTo` the answer is a redirect to the same URL
with the newest one; there the bytes are determined, so that a download that was cut off can be
resumed (`Range`, with the `ETag` as `If-Range`). The total length is not said in advance: an
export that was not cut off ends as HTTP says it should.

Every answer that holds bytes is a fact in the audit trail (`export.made`), recorded before the
first byte leaves, with the bytes that were asked for; a part that is asked for later is one of its
own.
"""
LINES: Mapping[str, Any] = {
    "events": {
        "position": 42,
        "recordedAt": "2026-11-22T17:00:00Z",
        "topic": "upload.received",
        "facts": {"size": 48_213},
        "sealed": ["filename", "sha256"],
    },
    "entries": {
        "position": 42,
        "recordedAt": "2026-11-22T17:00:00Z",
        "actor": "Local owner",
        "words": "uploaded «chat.txt» (47.1 KB)",
    },
    "messages": {
        "id": "43008",
        "sentAt": "2024-01-02T10:00:00Z",
        "author": "Ada",
        "text": "hello",
    },
}
REDIRECT = Answer(
    description="To the same, with the newest position as `upTo`.",
    headers={
        "Location": HeaderText(
            description="Relative to this server.", example="/api/events?workspace=team&upTo=42"
        )
    },
)
NOT_MODIFIED = Answer(description="You have it already.", headers={"ETag": WHOLE_HEADERS["ETag"]})
LENGTH = HeaderText(description="Bytes of this part.", schema={"type": "integer", "minimum": 1})
AWAY = {
    HTTPStatus.SERVICE_UNAVAILABLE: {
        "unavailable": "the database is out of reach: try again",
        "export.behind": "what is exported has not reached `upTo` yet: try again",
        "export.timeout": "to read it took too long: try again later",
    }
}
UNKNOWN_WORKSPACE = {"workspace.unknown": "there is no such workspace"}


def written(kind: str, *formats: str) -> dict[str, Content]:
    schema = {"type": "string", "description": "Lines of UTF-8."}
    return {
        MEDIA_TYPES[name].partition(";")[0]: Content(
            schema=schema, example=str(LINES[kind]) if name == "jsonl" else None
        )
        for name in formats
    }


def export(
    id: str, summary: str, description: str, content: Mapping[str, Content], **facts: Any
) -> tuple[Operation, Operation]:
    """The operations of GET and HEAD."""
    problems = {**facts.pop("problems"), **CONDITION_PROBLEMS, **AWAY}
    common: dict[str, Any] = {"tag": "exports", "headers": RANGE_HEADERS, "problems": problems}
    parts = {**PART_HEADERS, "Content-Length": LENGTH}
    got = Operation(
        id=f"export{id}",
        summary=summary,
        description=f"{description.strip()}\n{PINNED}",
        answers={
            HTTPStatus.OK: Answer(description="All of it.", content=content, headers=WHOLE_HEADERS),
            HTTPStatus.PARTIAL_CONTENT: Answer(
                description="The part that was asked for.", content=content, headers=parts
            ),
            HTTPStatus.NOT_MODIFIED: NOT_MODIFIED,
            HTTPStatus.TEMPORARY_REDIRECT: REDIRECT,
        },
        **common,
        **facts,
    )
    asked = Operation(
        id=f"describe{id}",
        summary=f"Ask about it: {summary[0].lower()}{summary[1:]}",
        description="The headers of the export, and nothing of it: so nothing is recorded.",
        answers={
            HTTPStatus.OK: Answer(description="It can be made.", headers=WHOLE_HEADERS),
            HTTPStatus.NOT_MODIFIED: NOT_MODIFIED,
            HTTPStatus.TEMPORARY_REDIRECT: REDIRECT,
        },
        **common,
        **facts,
    )
    return got, asked


EVENTS, EVENTS_HEAD = export(
    "Events",
    "Export the log",
    "The events of a workspace in order, without what is personal in them: `sealed` names the "
    "fields that are left out.",
    written("events", "jsonl", "csv"),
    query=EventsParameters,
    problems={HTTPStatus.NOT_FOUND: UNKNOWN_WORKSPACE},
)
AUDIT_TRAIL, AUDIT_TRAIL_HEAD = export(
    "AuditTrail",
    "Export the audit trail",
    "Who did what, when and from where, in words, in the order of the log.",
    written("entries", "jsonl", "csv"),
    query=AuditTrailParameters,
    problems={HTTPStatus.NOT_FOUND: UNKNOWN_WORKSPACE},
)
MESSAGES, MESSAGES_HEAD = export(
    "Messages",
    "Export a conversation",
    "Its messages in the order in which they were sent. If one of them, or the name of its author, "
    "changes after `upTo`, the export can be made no more (410), and one under way is cut off.",
    written("messages", "jsonl", "csv", "txt"),
    query=MessagesParameters,
    path={
        "conversation_id": id_part("Conversation", "0f8fad5b-d9cb-469f-a165-70867728950e"),
    },
    problems={
        HTTPStatus.NOT_FOUND: {
            "conversation.unknown": "the workspace has no such conversation",
        },
        HTTPStatus.GONE: {"export.superseded": "it has changed since `upTo`"},
    },
)
