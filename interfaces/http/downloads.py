"""GET /api/uploads/{id}/file: the bytes that were received."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from functools import partial
from http import HTTPStatus
from typing import Any, BinaryIO, Protocol
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from application.archive import NotFoundError
from application.commands.download_upload import (
    DownloadUpload,
    DownloadUploadHandler,
    UploadedFile,
    UploadGoneError,
)
from application.context import Context
from application.ports.blobs import BlobDamagedError
from domain.workspace import Workspace
from interfaces.http.actor import context_of
from interfaces.http.describing import Answer, Content, DescribedRoute, HeaderText, Operation
from interfaces.http.dispositions import attachment
from interfaces.http.openapi_document import UNAVAILABLE
from interfaces.http.parameters import Parameters, WorkspaceName, read_parameters
from interfaces.http.problems import RequestError
from interfaces.http.ranges import ByteRange, is_known, range_of, require_match
from interfaces.http.streaming import StreamedResponse, no_pieces
from interfaces.http.transfers import (
    CACHING,
    CONDITION_PROBLEMS,
    PART_HEADERS,
    RANGE_HEADERS,
    WHOLE_HEADERS,
    Threads,
    id_of,
    id_part,
    not_modified,
    unknown,
)

PIECE = 256 * 1024  # bytes


class DownloadsContainer(Protocol):
    @property
    def download_upload(self) -> DownloadUploadHandler: ...


class DownloadParameters(Parameters):
    workspace: WorkspaceName


def download_routes(container: DownloadsContainer) -> list[DescribedRoute]:
    threads = Threads()

    async def download(request: Request) -> Response:
        upload_id = id_of("Upload", request.path_params["upload_id"])
        name = read_parameters(request, DownloadParameters).workspace
        context = context_of(request, workspace_id=Workspace.create_id(name))
        try:
            return await answer(container.download_upload, threads, request, upload_id, context)
        except NotFoundError:
            raise unknown("upload") from None
        except UploadGoneError as error:
            raise RequestError(HTTPStatus.GONE, "upload.gone", str(error)) from None
        except BlobDamagedError:
            raise RequestError(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                "upload.damaged",
                "the stored bytes are not the ones that were received: send the file again, "
                "which repairs it, or restore it from a backup",
            ) from None

    path = "/api/uploads/{upload_id}/file"
    return [DescribedRoute(path, download, {"GET": DOWNLOAD, "HEAD": DOWNLOAD_HEAD})]


async def answer(
    handler: DownloadUploadHandler,
    threads: Threads,
    request: Request,
    upload_id: UUID,
    context: Context,
) -> Response:
    file = await threads.run(partial(handler.describe, upload_id, context))
    etag = f'"{file.sha256}"'
    require_match(request.headers, etag)
    if is_known(request.headers, etag):
        return not_modified(etag)
    whole = ByteRange(0, file.size - 1)
    if request.method == "HEAD":
        return StreamedResponse(HTTPStatus.OK, facts(file, etag, whole), no_pieces)
    asked = range_of(request.headers, etag=etag, size=file.size)
    sent = asked or whole
    command = DownloadUpload(upload_id=upload_id, first_byte=sent.first, last_byte=sent.last)
    blob = await threads.run(partial(handler, command, context))
    headers = facts(file, etag, sent)
    if asked is not None:
        headers["Content-Range"] = f"bytes {sent.first}-{sent.last}/{file.size}"
    status = HTTPStatus.OK if asked is None else HTTPStatus.PARTIAL_CONTENT
    return StreamedResponse(status, headers, partial(pieces, threads, blob, sent))


def facts(file: UploadedFile, etag: str, sent: ByteRange) -> dict[str, str]:
    return {
        "Content-Type": "application/octet-stream",
        "Content-Length": str(sent.size),
        "Content-Disposition": attachment(file.filename),
        "Accept-Ranges": "bytes",
        "ETag": etag,
        "Cache-Control": CACHING,
    }


async def pieces(
    threads: Threads, blob: BinaryIO, wanted: ByteRange
) -> AsyncGenerator[bytes, None]:
    """Each is decrypted and verified when the client has taken the one before."""
    with blob:
        blob.seek(wanted.first)
        left = wanted.size
        while left:
            piece = await threads.run(partial(blob.read, min(PIECE, left)))
            if not piece:
                raise BlobDamagedError("the stored file ends too early")
            left -= len(piece)
            yield piece


LENGTH = HeaderText(description="Bytes.", schema={"type": "integer", "minimum": 0}, example=48_213)
FILE = {
    "application/octet-stream": Content(
        schema={"type": "string", "format": "binary"}, example="[1/2/24, 10:00] Ada: hello\n"
    )
}
COMMON: dict[str, Any] = {
    "tag": "uploads",
    "query": DownloadParameters,
    "path": {"upload_id": id_part("Upload", "7c9e6679-7425-40de-944b-e07fc1f90ae7")},
    "headers": RANGE_HEADERS,
}
PROBLEMS = {
    HTTPStatus.NOT_FOUND: {"upload.unknown": "the workspace has no such upload"},
    HTTPStatus.GONE: {"upload.gone": "the upload was withdrawn or erased"},
    **CONDITION_PROBLEMS,
    HTTPStatus.INTERNAL_SERVER_ERROR: {
        "upload.damaged": "the stored bytes are not the ones that were received"
    },
    **UNAVAILABLE,
}
NOT_MODIFIED = Answer(description="You have it already.", headers={"ETag": WHOLE_HEADERS["ETag"]})
DOWNLOAD = Operation(
    id="downloadUpload",
    summary="Get a file back",
    description="""
The bytes as they were received, decrypted while they are sent. The `ETag` is their SHA-256.

Every answer that holds bytes is a fact in the audit trail (`upload.downloaded`), recorded before
the first byte leaves; a part that is asked for later is one of its own.
""",
    answers={
        HTTPStatus.OK: Answer(
            description="The whole file.",
            content=FILE,
            headers={**WHOLE_HEADERS, "Content-Length": LENGTH},
        ),
        HTTPStatus.PARTIAL_CONTENT: Answer(
            description="The part that was asked for.",
            content=FILE,
            headers={**PART_HEADERS, "Content-Length": LENGTH},
        ),
        HTTPStatus.NOT_MODIFIED: NOT_MODIFIED,
    },
    problems=PROBLEMS,
    **COMMON,
)
DOWNLOAD_HEAD = Operation(
    id="describeUploadFile",
    summary="Ask about a file",
    description="The headers of the whole file, and nothing of it: so nothing is recorded.",
    answers={
        HTTPStatus.OK: Answer(
            description="There is such a file.", headers={**WHOLE_HEADERS, "Content-Length": LENGTH}
        ),
        HTTPStatus.NOT_MODIFIED: NOT_MODIFIED,
    },
    problems=PROBLEMS,
    **COMMON,
)
