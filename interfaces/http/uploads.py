"""POST /api/uploads: the body is the file, as it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from http import HTTPStatus
from typing import Protocol
from uuid import UUID

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from application.archive import Accepted, Archive, CommandIdReusedError
from application.commands.create_workspace import CreateWorkspace, CreateWorkspaceHandler
from application.commands.receive_upload import (
    ReceiveUpload,
    ReceiveUploadHandler,
    Receiving,
    UploadRefusedError,
)
from application.context import Context
from application.uploads import UploadOptionsError
from domain.workspace import Workspace, WorkspaceNameError
from infrastructure.discretion import describe
from interfaces.http.actor import context_of
from interfaces.http.describing import DescribedRoute
from interfaces.http.parameters import read_parameters
from interfaces.http.problems import RequestError, bad_request
from interfaces.http.upload_description import (
    RECEIVE_UPLOAD,
    UploadParameters,
    columns_of,
    how_to_send,
)

PIECE = 1024 * 1024  # bytes that are written at once: going to a thread costs more than a packet
STALL_SECONDS = 60.0  # without a single byte
OPTIONS = {"timezone", "date_order", "format", "merge"}
REFUSALS = {
    "too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "empty": HTTPStatus.BAD_REQUEST,
    "cut_off": HTTPStatus.BAD_REQUEST,
    "no_room": HTTPStatus.INSUFFICIENT_STORAGE,
}


log = structlog.get_logger(__name__)


class UploadsContainer(Protocol):
    @property
    def archive(self) -> Archive: ...

    @property
    def create_workspace(self) -> CreateWorkspaceHandler: ...

    @property
    def receive_upload(self) -> ReceiveUploadHandler: ...


class StalledError(Exception):
    """The client is connected but sends nothing."""


def upload_routes(
    container: UploadsContainer, *, stall_seconds: float = STALL_SECONDS
) -> list[DescribedRoute]:
    async def receive(request: Request) -> Response:
        try:
            accepted = await receive_body(container, request, stall_seconds)
        except (UploadOptionsError, WorkspaceNameError) as error:
            raise bad_request(str(error)) from error
        except CommandIdReusedError as error:
            raise RequestError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "this Idempotency-Key was used for something else; take a new one for each file",
            ) from error
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
            "id": f"Upload:{result['upload_id']}",
            "uploadId": result["upload_id"],
            "position": accepted.position,
            "again": result["again"],
            "size": result["size"],
            "sha256": result["sha256"],
        }
        if result.get("options_ignored"):
            content["optionsIgnored"] = True
        if before := result.get("after_withdrawal_of"):
            content["afterWithdrawalOf"] = f"Upload:{before}"
        status = HTTPStatus.OK if result["again"] else HTTPStatus.CREATED
        return JSONResponse(content, status, headers={"Cache-Control": "no-store"})

    return [DescribedRoute("/api/uploads", receive, {"POST": RECEIVE_UPLOAD})]


async def receive_body(
    container: UploadsContainer, request: Request, stall_seconds: float
) -> Accepted:
    how = how_to_send(request.headers["host"])
    parameters = read_parameters(request, UploadParameters, how)
    require_plain_body(request, how)
    announced = announced_size(request)
    command_id = command_id_of(request)
    workspace_id = Workspace.create(parameters.workspace).id
    context = context_of(request, workspace_id=workspace_id, command_id=command_id)
    options = parameters.model_dump(include=OPTIONS, exclude_none=True)
    if parameters.columns:
        options["columns"] = columns_of(parameters.columns)
    command = ReceiveUpload(
        filename=parameters.filename,
        options=options,
        confirm=parameters.confirm,
    )

    def begin() -> Receiving:
        return container.receive_upload.begin(command, context, announced=announced)

    def finish() -> Accepted:
        if receiving.received and is_first(container.archive, context):
            create = CreateWorkspace(name=parameters.workspace)
            container.create_workspace(create, replace(context, command_id=None))
        return receiving.finish()

    receiving = await run_in_threadpool(begin)
    try:
        async for piece in pieces(request, stall_seconds):
            await run_in_threadpool(receiving.write, piece)
        return await run_in_threadpool(finish)
    except ClientDisconnect:
        await cut_off(receiving, "the client hung up")
        raise
    except StalledError as error:
        await cut_off(receiving, str(error))
        raise
    except UploadRefusedError:
        raise  # settled already
    except BaseException:
        await cut_off(receiving, "the server was interrupted")
        raise


def is_first(archive: Archive, context: Context) -> bool:
    """Whether nothing was answered under this command id: a refusal must not leave a workspace."""
    command_id = context.command_id
    return command_id is None or archive.event_log.first_answer(command_id) is None


async def cut_off(receiving: Receiving, reason: str) -> None:
    """
    In a thread: it waits for who still writes, and for the log.

    A stopping server cancels whatever is awaited, more than once. That ends the waiting here but
    not the thread, which is one of those that the event loop waits for at its own end.
    """
    cutting = asyncio.get_running_loop().run_in_executor(None, receiving.cut_off, reason)
    cutting.add_done_callback(report_cut_off)
    await asyncio.wait({cutting})


def report_cut_off(cutting: asyncio.Future[None]) -> None:
    if not cutting.cancelled() and (error := cutting.exception()) is not None:
        log.warning("upload_end_not_recorded", error=describe(error))


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


def require_plain_body(request: Request, how: str) -> None:
    kind = request.headers.get("content-type", "").strip().lower()
    if kind.startswith("multipart/"):
        raise unsupported(f"a form is not taken; {how}")
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        raise unsupported(f"the body must not be encoded as {encoding}; {how}")


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


def unsupported(detail: str) -> RequestError:
    return RequestError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
