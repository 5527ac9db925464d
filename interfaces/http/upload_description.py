"""What `POST /api/uploads` takes and answers."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Literal

import orjson
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from infrastructure.readers.tabular.columns import FIELDS
from interfaces.http.describing import (
    POSITION_SCHEMA,
    SHA256_SCHEMA,
    UUID_SCHEMA,
    Answer,
    Body,
    Content,
    HeaderText,
    Operation,
    closed_object,
)
from interfaces.http.openapi_document import UNAVAILABLE
from interfaces.http.parameters import Parameters, TrueOrFalse, WorkspaceName

UPLOAD_ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"


def how_to_send(host: str) -> str:
    """
    Args:
        host: by which the client has found us, with the port.
    """
    return (
        "send the file itself: curl --data-binary @chat.txt "
        f"'http://{host}/api/uploads?workspace=team&filename=chat.txt'"
    )


def columns_of(text: str) -> dict[str, str]:
    """
    Raises:
        PydanticCustomError
    """
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        raise PydanticCustomError(
            "columns", "it is a JSON object from our names of columns to the table's"
        )
    if unknown := found.keys() - set(FIELDS):
        raise PydanticCustomError(
            "columns",
            "there is no column {name}; there are {names}",
            {"name": repr(min(unknown)[:100]), "names": ", ".join(FIELDS)},
        )
    return found


class UploadParameters(Parameters):
    workspace: Annotated[
        WorkspaceName,
        Field(
            description="The name of the workspace: 1 to 100 printable characters. Case and "
            "surrounding space do not matter. Where there is none of this name yet, it is created "
            "together with its first upload; a file that is refused creates none."
        ),
    ]
    filename: Annotated[
        str,
        Field(
            description="What the file is called. A path before it, control characters and what "
            "is beyond 255 characters are left out; it is never used as a path.",
            examples=["chat.txt"],
            min_length=1,
        ),
    ]
    timezone: Annotated[
        str | None,
        Field(
            description="Of times that the file gives without one, as in the IANA list.",
            examples=["Europe/Berlin"],
        ),
    ] = None
    date_order: Annotated[
        Literal["ymd", "dmy", "mdy", ""] | None,
        Field(
            description="How to read dates such as 1/2/24. Empty is as if it were left out.",
            examples=["dmy"],
        ),
    ] = None
    format: Annotated[
        str | None,
        Field(
            description="The export's format, where recognising it should not be left to us.",
            examples=["whatsapp"],
        ),
    ] = None
    merge: Annotated[
        Literal["auto", "ids", "never", ""] | None,
        Field(
            description="What of it may become part of conversations that are there: `auto`, what "
            "is the same chat by its texts, times and people; `ids`, only what the source's ids "
            "or names say; `never`, nothing. Empty is as if it were left out: `auto`.",
            examples=["ids"],
        ),
    ] = None
    columns: Annotated[
        str | None,
        AfterValidator(lambda text: text and columns_of(text) and text),
        Field(
            description="Of a table, which of its columns holds what, as a JSON object from "
            f"{', '.join(f'`{name}`' for name in FIELDS[:-1])} or `{FIELDS[-1]}` to the table's "
            "own names. Others are guessed. Empty is as if it were left out.",
            examples=['{"sent_at": "Zeit", "text": "Nachricht"}'],
        ),
    ] = None
    confirm: Annotated[
        TrueOrFalse,
        Field(
            description="Whether its messages may be recorded without asking again. `false`: it is "
            "inspected, and waits for `confirmUpload`."
        ),
    ] = True


RECEIVED = closed_object(
    {
        "id": {
            "type": "string",
            "pattern": "^Upload:[0-9a-f-]{36}$",
            "description": "The node id, as GraphQL knows it.",
        },
        "uploadId": {**UUID_SCHEMA, "description": "The same without the type before it."},
        "position": {
            **POSITION_SCHEMA,
            "description": "In the log: queries that name it as `minPosition` see this upload.",
        },
        "again": {"type": "boolean", "description": "The same bytes were known already."},
        "size": {"type": "integer", "minimum": 1, "description": "Bytes."},
        "sha256": {**SHA256_SCHEMA, "description": "Of the bytes that arrived."},
        "optionsIgnored": {
            "type": "boolean",
            "description": "True where the upload stays as it was read, with other options.",
        },
        "afterWithdrawalOf": {
            "type": "string",
            "pattern": "^Upload:[0-9a-f-]{36}$",
            "description": "The withdrawn upload that had the same bytes before.",
        },
    },
    optional=("optionsIgnored", "afterWithdrawalOf"),
)
EXAMPLE = {
    "id": f"Upload:{UPLOAD_ID}",
    "uploadId": UPLOAD_ID,
    "position": 42,
    "again": False,
    "size": 48_213,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}

RECEIVE_UPLOAD = Operation(
    id="receiveUpload",
    tag="uploads",
    summary="Send a chat export",
    description="""
The body is the file, as it is. It is answered when the bytes and the fact are durable; reading it
follows in the background, and shows in GraphQL as `upload(id:)`.

With `confirm=false` it is inspected only. GraphQL shows what it holds and what it would bring as
`upload { preview }`; `inspectUpload` looks at it with other options, `confirmUpload` has it read,
and `withdrawUpload` takes it back. Where the file leaves open how it is to be read, because its
dates can be read in two orders or two formats claim it, it waits in the same way whatever `confirm`
says: nothing is guessed. State `date_order` or `format` if you know them.

The same bytes in the same workspace are one upload, however often they are sent: the second time
is answered with 200 and `again`. So a cut-off upload is simply sent anew.

With an `Idempotency-Key` a repetition gets the very first answer, and leaves no second event. What
makes it a repetition are the workspace and the bytes; a file name and options that differ from the
first ones are not looked at.
""",
    query=UploadParameters,
    headers={
        "Idempotency-Key": HeaderText(
            description="A new UUID for each file; the same one when the same file is sent again.",
            schema=UUID_SCHEMA,
            example="0b0e7c9a-6c2e-4a55-9d1a-9a9d2f5b8f7e",
        ),
    },
    body=Body(
        description="The file itself: no form, and not compressed on the way.",
        content={
            "application/octet-stream": Content(
                schema={"type": "string", "format": "binary"},
                example="[1/2/24, 10:00] Ada: hello\n",
            )
        },
    ),
    answers={
        HTTPStatus.OK: Answer(
            description="The same bytes were here already.",
            content={
                "application/json": Content(schema=RECEIVED, example=EXAMPLE | {"again": True})
            },
        ),
        HTTPStatus.CREATED: Answer(
            description="Received, and durable.",
            content={"application/json": Content(schema=RECEIVED, example=EXAMPLE)},
        ),
    },
    problems={
        HTTPStatus.BAD_REQUEST: {
            "upload.empty": "the body is empty",
            "upload.cut_off": "less came than was announced",
        },
        HTTPStatus.REQUEST_TIMEOUT: {"upload.cut_off": "nothing came for a minute"},
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: {
            "upload.too_large": "the file is larger than this instance takes"
        },
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE: {
            "unsupported_media_type": "the body is a form, or compressed"
        },
        HTTPStatus.UNPROCESSABLE_ENTITY: {
            "idempotency_key_reused": "the key was used for another file or command"
        },
        **UNAVAILABLE,
        HTTPStatus.INSUFFICIENT_STORAGE: {"upload.no_room": "the disk is full, or almost"},
    },
)
