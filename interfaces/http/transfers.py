"""What downloads and exports have in common: versions, conditions, parts, threads."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable
from http import HTTPStatus
from typing import TypeVar
from uuid import UUID

from anyio import CapacityLimiter, to_thread
from starlette.responses import Response

from interfaces.http.describing import HeaderText, PathPart
from interfaces.http.problems import RequestError

T = TypeVar("T")

# Of this process, for what is read while a client takes it: many slow clients need few threads.
THREADS = 8
NODE_ID = r"(?:{kind}:)?([0-9a-fA-F]{{8}}-(?:[0-9a-fA-F]{{4}}-){{3}}[0-9a-fA-F]{{12}})"
# Kept only where it belongs, and asked about each time: an upload may be withdrawn meanwhile.
CACHING = "private, no-cache"
NOT_STORED = "no-store"


class Threads:
    """Where what blocks is done."""

    def __init__(self, count: int = THREADS) -> None:
        self._limiter = CapacityLimiter(count)

    async def run(self, work: Callable[[], T]) -> T:
        return await to_thread.run_sync(work, limiter=self._limiter)


def id_of(kind: str, text: str) -> UUID:
    """
    Of a path: a node id or the bare UUID.

    Raises:
        RequestError: if it is neither; then there is no such thing.
    """
    match = re.fullmatch(NODE_ID.format(kind=kind), text)
    if match is None:
        raise unknown(kind.lower())
    return UUID(match[1])


def id_part(kind: str, example: str) -> PathPart:
    return PathPart(
        description=f"The node id, as GraphQL gives it, or the UUID in it; for example "
        f"`{kind}:{example}`.",
        schema={"type": "string", "pattern": "^" + NODE_ID.format(kind=kind) + "$"},
        example=f"{kind}:{example}",
    )


def unknown(what: str) -> RequestError:
    """The same whether it is nowhere or in another workspace."""
    detail = f"there is no such {what} in this workspace"
    return RequestError(HTTPStatus.NOT_FOUND, f"{what}.unknown", detail)


def not_modified(etag: str) -> Response:
    return Response(
        status_code=HTTPStatus.NOT_MODIFIED, headers={"ETag": etag, "Cache-Control": CACHING}
    )


async def part(
    pieces: AsyncGenerator[bytes, None], first: int, size: int
) -> AsyncGenerator[bytes, None]:
    """`size` bytes from `first` on."""
    try:
        async for piece in pieces:
            if first >= len(piece):
                first -= len(piece)
                continue
            taken = piece[first : first + size]
            first, size = 0, size - len(taken)
            yield taken
            if not size:
                return
    finally:
        await pieces.aclose()


RANGE_HEADERS = {
    "Range": HeaderText(
        description="One range of bytes. Several are answered with the whole.",
        example="bytes=1048576-",
    ),
    "If-Range": HeaderText(
        description="The ETag that the part belongs to: of another version the whole comes.",
        example='"9f86d081884c7d65"',
    ),
    "If-None-Match": HeaderText(
        description="The ETags that are known already: then the answer is 304.",
        example='"9f86d081884c7d65"',
    ),
    "If-Match": HeaderText(
        description="The ETags that are wanted: else the answer is 412.",
        example='"9f86d081884c7d65"',
    ),
}
ETAG = HeaderText(
    description="Names these very bytes (a strong validator).",
    schema={"type": "string", "pattern": '^"[0-9a-f]+"$'},
    example='"9f86d081884c7d65"',
)
ACCEPT_RANGES = HeaderText(
    description="Parts can be asked for.", schema={"type": "string", "const": "bytes"}
)
DISPOSITION = HeaderText(
    description="To be saved, under this name.", example='attachment; filename="chat.txt"'
)
CONTENT_RANGE = HeaderText(
    description="Which part of how many bytes this is.", example="bytes 1048576-2097151/2097152"
)
WHOLE_HEADERS = {
    "ETag": ETAG,
    "Accept-Ranges": ACCEPT_RANGES,
    "Content-Disposition": DISPOSITION,
}
PART_HEADERS = {**WHOLE_HEADERS, "Content-Range": CONTENT_RANGE}
CONDITION_PROBLEMS = {
    HTTPStatus.PRECONDITION_FAILED: {
        "http.precondition_failed": "this is another version than the one that If-Match names"
    },
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: {
        "http.requested_range_not_satisfiable": "the range begins after the last byte"
    },
}
