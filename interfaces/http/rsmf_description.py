"""What the export as RSMF takes and answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from application.searches import MAX_CONTEXT
from interfaces.http.describing import Content
from interfaces.http.export_description import UNKNOWN_WORKSPACE, UpTo, export
from interfaces.http.parameters import (
    Parameters,
    PositionParameter,
    WorkspaceName,
    comma_separated,
    whole_number,
)
from interfaces.http.transfers import NODE_ID
from interfaces.time_range import beginning, end

MAX_CONVERSATIONS = 1_000
CONVERSATION_ID = "^" + NODE_ID.format(kind="Conversation") + "$"
MOMENT = WithJsonSchema(
    {
        "oneOf": [
            {"type": "string", "format": "date-time"},
            {"type": "string", "format": "date"},
        ]
    }
)


def read_by(read: Callable[[str], datetime]) -> Callable[[object], object]:
    def validate(text: object) -> object:
        try:
            return read(text) if isinstance(text, str) else text
        except ValueError as error:
            raise PydanticCustomError("moment", "{said}", {"said": str(error)}) from None

    return validate


def some(ids: list[str]) -> list[str]:
    if len(ids) > MAX_CONVERSATIONS:
        raise PydanticCustomError("many", f"{MAX_CONVERSATIONS:,} conversations at most")
    return ids


class RsmfParameters(Parameters):
    repeated: ClassVar[frozenset[str]] = frozenset({"conversation"})

    workspace: WorkspaceName
    conversation: Annotated[
        list[str] | None,
        BeforeValidator(comma_separated),
        AfterValidator(lambda ids: ids and some(ids)),
        Field(
            description="Only these conversations: node ids as GraphQL gives them, or the UUIDs "
            "in them. May be repeated.",
        ),
    ] = None
    since: Annotated[
        datetime | None,
        BeforeValidator(read_by(beginning)),
        MOMENT,
        Field(
            alias="from",
            description="Only messages sent then or later: a time with its offset, or a day of "
            "UTC, which counts from its beginning.",
            examples=["2024-01-01T00:00:00Z"],
        ),
    ] = None
    until: Annotated[
        datetime | None,
        BeforeValidator(read_by(end)),
        MOMENT,
        Field(
            description="Only messages sent before: a time with its offset, or a day of UTC, "
            "which is included.",
            examples=["2024-01-31"],
        ),
    ] = None
    search: Annotated[
        PositionParameter | None,
        Field(
            description="Only the hits of the search that the log recorded at this position, as "
            "GraphQL's `search` and `chatledger search --json` give it.",
            examples=[42],
        ),
    ] = None
    context: Annotated[
        int,
        BeforeValidator(whole_number),
        Field(
            ge=0,
            le=MAX_CONTEXT,
            description="With `search`: messages before and after each hit, too.",
            examples=[2],
        ),
    ] = 0
    upTo: UpTo = None  # noqa: N815 - as it stands in URLs


DESCRIPTION = """
A zip of RSMF 2.0 files, one for each conversation and day of UTC (a day of more than 10,000
messages is told in parts), for review platforms and for Chatledger itself, which reads them back to
the same messages. Conditions narrow each other down; without any it is the whole workspace, and
where nothing is left the zip is empty. Hits whose upload was withdrawn since are not there any
more.

If a message of these conversations, a title, or the name of a person in the workspace changes after
`upTo`, or an upload is withdrawn, the export can be made no more (410), and one under way is cut
off.
"""
ZIP: dict[str, Content] = {
    "application/zip": Content(schema={"type": "string", "description": "A zip file."})
}
facts: dict[str, Any] = {
    "query": RsmfParameters,
    "problems": {
        HTTPStatus.NOT_FOUND: {
            **UNKNOWN_WORKSPACE,
            "conversation.unknown": "the workspace has no such conversation",
            "search.unknown": "the workspace has no search at this position",
        },
        HTTPStatus.GONE: {"export.superseded": "it has changed since `upTo`"},
    },
}
RSMF, RSMF_HEAD = export("Rsmf", "Export messages as RSMF", DESCRIPTION, ZIP, **facts)
