"""POST /api/uploads: the body is the file, as it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from http import HTTPStatus
from typing import Protocol
from uuid import UUID

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from application.archive import Accepted, CommandIdReusedError
from application.commands.create_workspace import CreateWorkspace, CreateWorkspaceHandler
from application.commands.receive_upload import (
    ReceiveUpload,
    ReceiveUploadHandler,
    Receiving,
    UploadRefusedError,
)
from application.uploads import UploadOptionsError
from domain.workspace import WorkspaceNameError
from interfaces.http.actor import context_of
from interfaces.http.problems import RequestError

PIECE = 1024 * 1024  # bytes that are written at once: going to a thread costs more than a packet
STALL_SECONDS = 60.0  # without a single byte
OPTIONS = {"timezone", "date_order", "format"}
PARAMETERS = OPTIONS | {"workspace", "filename"}
HOW_TO_SEND = (
    "send the file itself: curl --data-binary @chat.txt "
    "'http://127.0.0.1:8000/api/uploads?workspace=team&filename=chat.txt'"
)
REFUSALS = {
    "too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "empty": HTTPStatus.BAD_REQUEST,
    "cut_off": HTTPStatus.BAD_REQUEST,
    "no_room": HTTPStatus.INSUFFICIENT_STORAGE,
    "withdrawn": HTTPStatus.CONFLICT,
}


class UploadsContainer(Protocol):
    @property
    def create_workspace(self) -> CreateWorkspaceHandler: ...

    @property
    def receive_upload(self) -> ReceiveUploadHandler: ...


class StalledError(Exception):
    """The client is connected but sends nothing."""


def upload_routes(
    container: UploadsContainer, *, stall_seconds: float = STALL_SECONDS
) -> list[Route]:
    async def receive(request: Request) -> Response:
        try:
            accepted = await receive_body(container, request, stall_seconds)
        except (UploadOptionsError, WorkspaceNameError) as error:
            raise bad_request(str(error)) from error
        except CommandIdReusedError as error:
            code = "idempotency_key_reused"
            raise RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, code, str(error)) from error
        except UploadRefusedError as error:
            raise RequestError(REFUSALS[error.kind], f"upload.{error.kind}", str(error)) from error
        except ClientDisconnect as error:
            # Nobody hears this; it keeps a hang-up from looking like a fault of ours.
            raise RequestError(
                HTTPStatus.BAD_REQUEST, "upload.cut_off", "the client hung up"
            ) from error
        except StalledError as error:
            raise RequestError(
                HTTPStatus.REQUEST_TIMEOUT, "upload.cut_off", f"{error}; send the file again"
            ) from error
        result = accepted.result
        content = {
            "uploadId": result["upload_id"],
            "position": accepted.position,
            "again": result["again"],
            "size": result["size"],
            "sha256": result["sha256"],
        }
        if result.get("options_ignored"):
            content["optionsIgnored"] = True
        status = HTTPStatus.OK if result["again"] else HTTPStatus.CREATED
        return JSONResponse(content, status, headers={"Cache-Control": "no-store"})

    return [Route("/api/uploads", receive, methods=["POST"])]


async def receive_body(
    container: UploadsContainer, request: Request, stall_seconds: float
) -> Accepted:
    parameters = parameters_of(request)
    require_plain_body(request)
    announced = announced_size(request)
    context = context_of(request, command_id=command_id_of(request))
    workspace = await run_in_threadpool(
        container.create_workspace,
        CreateWorkspace(name=parameters["workspace"]),
        replace(context, command_id=None),
    )
    context = replace(context, workspace_id=UUID(workspace.result["workspace_id"]))
    command = ReceiveUpload(
        filename=parameters["filename"],
        options={name: parameters[name] for name in OPTIONS & parameters.keys()},
    )

    def begin() -> Receiving:
        return container.receive_upload.begin(command, context, announced=announced)

    receiving = await run_in_threadpool(begin)
    try:
        async for piece in pieces(request, stall_seconds):
            await run_in_threadpool(receiving.write, piece)
        return await run_in_threadpool(receiving.finish)
    except ClientDisconnect:
        await run_in_threadpool(receiving.cut_off, "the client hung up")
        raise
    except StalledError as error:
        await run_in_threadpool(receiving.cut_off, str(error))
        raise
    except BaseException:
        # What is refused is settled already; this is for a server that stops or breaks. A stopping
        # server cancels whatever is awaited, more than once: so nothing is awaited here.
        receiving.cut_off("the server was interrupted")
        raise


async def pieces(request: Request, stall_seconds: float) -> AsyncIterator[bytes]:
    """The body in pieces that are worth a thread's while."""
    stream = request.stream()
    gathered = bytearray()
    while True:
        try:
            async with asyncio.timeout(stall_seconds):
                chunk = await anext(stream, None)
        except TimeoutError as error:
            raise StalledError(f"no byte came for {stall_seconds:g} seconds") from error
        if chunk is None:
            break
        gathered += chunk
        if len(gathered) >= PIECE:
            yield bytes(gathered)
            gathered.clear()
    if gathered:
        yield bytes(gathered)


def parameters_of(request: Request) -> dict[str, str]:
    given = request.query_params
    for name in given:
        if name not in PARAMETERS:
            known = ", ".join(sorted(PARAMETERS))
            raise bad_request(f"there is no parameter {name!r}; there are {known}")
        if len(given.getlist(name)) > 1:
            raise bad_request(f"the parameter {name!r} was given more than once")
    for name in ("workspace", "filename"):
        if not given.get(name):
            raise bad_request(f"the parameter {name!r} is missing; {HOW_TO_SEND}")
    return dict(given)


def require_plain_body(request: Request) -> None:
    kind = request.headers.get("content-type", "").strip().lower()
    if kind.startswith("multipart/"):
        raise unsupported(f"a form is not taken; {HOW_TO_SEND}")
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        raise unsupported(f"the body must not be encoded as {encoding}; {HOW_TO_SEND}")


def announced_size(request: Request) -> int | None:
    text = request.headers.get("content-length")
    return int(text) if text is not None and text.isdecimal() else None


def command_id_of(request: Request) -> UUID | None:
    text = request.headers.get("idempotency-key")
    try:
        return None if text is None else UUID(text)
    except ValueError as error:
        raise bad_request(
            f"the header Idempotency-Key must be a UUID, a new one for each file, not {text!r}"
        ) from error


def bad_request(detail: str) -> RequestError:
    return RequestError(HTTPStatus.BAD_REQUEST, "bad_request", detail)


def unsupported(detail: str) -> RequestError:
    return RequestError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
