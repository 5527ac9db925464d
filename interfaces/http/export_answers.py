"""How an export is answered: pinned to a position, recorded, in parts where they are asked for."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode
from uuid import UUID

import orjson
from psycopg import Connection
from psycopg.errors import QueryCanceled
from psycopg_pool import ConnectionPool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from application.archive import Archive
from application.commands.make_export import MakeExport, MakeExportHandler
from application.commands.perform_search import PerformSearchHandler
from application.context import Context
from domain.workspace import Workspace
from infrastructure.postgres.patience import OutOfPatienceError, Patience
from infrastructure.projections.positions import Positions
from infrastructure.projections.registry import read_version
from interfaces.http.dispositions import attachment
from interfaces.http.export_extent import Extent, Mark
from interfaces.http.problems import RETRY_SECONDS, RequestError, bad_request
from interfaces.http.ranges import ByteRange, is_known, range_of, require_match, wants_range
from interfaces.http.streaming import Pieces, StreamedResponse, no_pieces
from interfaces.http.transfers import CACHING, NOT_STORED, Threads, not_modified, part

FORMAT_VERSION = 2  # raised whenever the same rows would be written as other bytes
CATCH_UP_SECONDS = 1.0  # for what was recorded just now; the rest is in the next export
WAIT_SECONDS = 1.0  # for a position that the client has named; then it is told when to come back
READ_SECONDS = 20.0  # a page may take: nothing is sent meanwhile, and there are few threads
EXTENTS_KEPT = 256

T = TypeVar("T")
# Bytes, and the place where those after them are made from; None: they are the last.
Pages = AsyncGenerator[tuple[bytes, Any], None]


class ExportsContainer(Protocol):
    @property
    def archive(self) -> Archive: ...

    @property
    def pool(self) -> ConnectionPool[Connection[Any]]: ...

    @property
    def positions(self) -> Positions: ...

    @property
    def make_export(self) -> MakeExportHandler: ...

    @property
    def perform_search(self) -> PerformSearchHandler: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """One export, whose bytes are determined."""

    command: MakeExport
    context: Context
    models: tuple[str, ...]  # read models that it is made of
    filename: str
    media_type: str
    pages: Callable[[Any], Pages]  # from a place on; None: from the beginning. Anew each time
    writer: str = ""  # what else the bytes depend on: versions of what writes them


class Asking:
    """Asks the read models on a connection of its own each time, and not for ever."""

    def __init__(self, pool: ConnectionPool[Connection[Any]]) -> None:
        self._pool = pool
        self._patience: Patience | None = None
        self._is_abandoned = False

    def __call__(self, query: Callable[[Connection[Any]], T]) -> T:
        """
        Raises:
            OutOfPatienceError
        """
        self._patience = patience = Patience(READ_SECONDS)
        if self._is_abandoned:
            patience.abandon()
        try:
            with patience.applied(), self._pool.connection() as connection:
                return query(connection)
        except QueryCanceled as error:
            raise OutOfPatienceError("a page took too long to read") from error

    def abandon(self) -> None:
        """Whoever waited has gone: what is asked now is cancelled, and what would be asked next."""
        self._is_abandoned = True
        if self._patience is not None:
            self._patience.abandon()


class Exports:
    """What the export routes share: one a process."""

    def __init__(self, container: ExportsContainer) -> None:
        self._container = container
        self.threads = Threads()
        self._extents: OrderedDict[str, Extent] = OrderedDict()  # by ETag

    async def read(self, query: Callable[[Connection[Any]], Any]) -> Any:
        """
        On a connection that is given back before the client gets a byte of it. What the server is
        at is cancelled when it takes too long, and when whoever waits for it is.

        Raises:
            OutOfPatienceError
        """
        asking = Asking(self._container.pool)
        try:
            return await self.threads.run(partial(asking, query))
        except asyncio.CancelledError:
            asking.abandon()
            raise

    async def steps(self, make: Callable[[Asking], Iterator[T]]) -> AsyncGenerator[T, None]:
        """
        What an iterator gives that asks the read models as it goes: each step when the one before
        was taken. Else as `read`.
        """
        asking = Asking(self._container.pool)
        steps = make(asking)
        try:
            while (step := await self.threads.run(lambda: next(steps, None))) is not None:
                yield step
        except asyncio.CancelledError:
            asking.abandon()
            raise

    async def workspace(self, name: str) -> UUID:
        """
        Its id.

        Raises:
            RequestError: if there is none of this name.
        """
        workspace_id = Workspace.create_id(name)
        find = partial(self._container.archive.find, Workspace, workspace_id)
        if await self.threads.run(find) is None:
            raise RequestError(
                HTTPStatus.NOT_FOUND, "workspace.unknown", f"there is no workspace {name[:100]!r}"
            )
        return workspace_id

    async def pin(self, models: tuple[str, ...], up_to: int | None, after: int = 0) -> int:
        """
        The position to export up to: the one that is asked for, else the newest there is.

        Raises:
            RequestError: if one is in the future, or the read models are behind.
        """
        head = await self.threads.run(self._container.archive.event_log.head)
        if after > head:  # of another archive, or of one that was restored from a backup
            raise bad_request(f"the log ends at position {head}: after is beyond")
        if up_to is None:
            reached = await self._reach(models, head, CATCH_UP_SECONDS)
            if reached:
                return head
            return int(await self.read(partial(reached_by, models=models)))
        if up_to > head:
            raise bad_request(f"the log ends at position {head}: upTo is beyond")
        if not await self._reach(models, up_to, WAIT_SECONDS):
            raise RequestError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "export.behind",
                f"what is exported has not reached position {up_to} yet: try again in a moment",
                headers={"Retry-After": str(RETRY_SECONDS)},
            )
        return up_to

    async def answer(self, request: Request, export: Exported) -> Response:
        etag = await self._etag(export)
        require_match(request.headers, etag)
        if is_known(request.headers, etag):
            return not_modified(etag)
        headers = {
            "Content-Type": export.media_type,
            "Content-Disposition": attachment(export.filename),
            "Accept-Ranges": "bytes",
            "ETag": etag,
            "Cache-Control": CACHING,
        }
        if request.method == "HEAD":
            return StreamedResponse(HTTPStatus.OK, headers, no_pieces)
        extent = self._extent(etag)
        asked = await self._range(request, export, etag, extent)
        await self._record(export, None if asked is None else asked[0])
        if asked is None:
            whole = partial(made, export, extent, extent.before(0))
            return StreamedResponse(HTTPStatus.OK, headers, whole)
        wanted, size = asked
        headers["Content-Range"] = f"bytes {wanted.first}-{wanted.last}/{size}"
        headers["Content-Length"] = str(wanted.size)
        mark = extent.before(wanted.first)
        return StreamedResponse(
            HTTPStatus.PARTIAL_CONTENT,
            headers,
            lambda: part(made(export, extent, mark), wanted.first - mark.offset, wanted.size),
        )

    async def _record(self, export: Exported, part: ByteRange | None) -> None:
        command = export.command
        if part is not None:
            command = replace(command, first_byte=part.first, last_byte=part.last)
        await self.threads.run(partial(self._container.make_export, command, export.context))

    async def _range(
        self, request: Request, export: Exported, etag: str, extent: Extent
    ) -> tuple[ByteRange, int] | None:
        """With the size of the whole, which is found by making it once without sending it."""
        if not wants_range(request.headers, etag):
            return None
        async with extent.counting:
            if extent.size is None:
                async with aclosing(made(export, extent, extent.last)) as rest:
                    async for _ in rest:
                        pass
        size = extent.size or 0
        asked = range_of(request.headers, etag=etag, size=size)
        return None if asked is None else (asked, size)

    def _extent(self, etag: str) -> Extent:
        extent = self._extents.setdefault(etag, Extent())
        self._extents.move_to_end(etag)
        while len(self._extents) > EXTENTS_KEPT:
            self._extents.popitem(last=False)
        return extent

    async def _etag(self, export: Exported) -> str:
        """Strong: of all that the bytes depend on."""
        versions = {}
        if export.models:
            versions = await self.read(partial(versions_of, models=export.models))
        facts = {
            "format": FORMAT_VERSION,
            "workspace": str(export.context.workspace_id),
            "versions": versions,
            "kind": export.command.kind,
            "as": export.command.format,
            "after": export.command.after,
            "up_to": export.command.up_to,
            "topics": export.command.topics,
            "conversation": str(export.command.conversation_id),
            "selection": export.command.selection and export.command.selection.as_facts(),
            "writer": export.writer,
        }
        digest = hashlib.sha256(orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)).hexdigest()
        return f'"{digest[:32]}"'

    async def _reach(self, models: tuple[str, ...], position: int, seconds: float) -> bool:
        if not models:
            return True  # the log itself
        return await self._container.positions.wait_async(models, position, seconds)


async def made(export: Exported, extent: Extent, mark: Mark) -> Pieces:
    """The bytes from a mark on; what is found out about all of them on the way is noted."""
    offset = mark.offset
    async with aclosing(export.pages(mark.place)) as pages:
        async for piece, following in pages:
            offset += len(piece)
            if following is not None:
                extent.note(offset, following)
            yield piece
    extent.size = offset


def to_pinned(request: Request, given: Mapping[str, str], up_to: int) -> Response:
    """The same, with the position that it goes up to: its bytes are determined."""
    query = urlencode({**given, "upTo": str(up_to)})
    return RedirectResponse(
        f"{request.url.path}?{query}",
        HTTPStatus.TEMPORARY_REDIRECT,
        headers={"Cache-Control": NOT_STORED},
    )


def reached_by(connection: Connection[Any], *, models: tuple[str, ...]) -> int:
    return min(read_version(connection, name).position for name in models)


def versions_of(connection: Connection[Any], *, models: tuple[str, ...]) -> dict[str, int]:
    return {name: read_version(connection, name).version for name in models}
