"""The hits of a search as a file: searched a page at a time, while the client takes it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from application.commands.make_export import MakeExport, MessageSelection
from application.ports.embedder import ModelLoadingError
from application.ports.search import EmptyQueryError, SearchRequest, SearchTookTooLongError
from application.searches import QueryRefusedError, understood
from infrastructure.exports.hits import HitsPage, hit_pages
from infrastructure.search.opening import READ_MODELS
from interfaces.http.actor import context_of
from interfaces.http.dispositions import attachment
from interfaces.http.export_answers import CATCH_UP_SECONDS, Exports, ExportsContainer
from interfaces.http.export_formats import MEDIA_TYPES, csv_header, csv_rows, jsonl
from interfaces.http.parameters import read_parameters
from interfaces.http.problems import RETRY_SECONDS, RequestError, bad_request
from interfaces.http.search_description import SearchParameters
from interfaces.http.search_rows import HIT, hit_row
from interfaces.http.streaming import Pieces, StreamedResponse, no_pieces
from interfaces.http.transfers import NOT_STORED

WRITERS = {"jsonl": jsonl, "csv": csv_rows}


def search_endpoint(
    container: ExportsContainer, exports: Exports
) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    async def search(request: Request) -> Response:
        asked = read_parameters(request, SearchParameters)
        workspace_id = await exports.workspace(asked.workspace)
        wanted = SearchRequest(
            workspace_id=workspace_id,
            query=asked.query,
            mode=asked.mode,
            sort=asked.sort,
            time_zone=asked.timeZone,
            with_highlights=False,
        )
        require_sense(wanted)
        headers = {
            "Content-Type": MEDIA_TYPES[asked.format],
            "Cache-Control": NOT_STORED,
        }
        if request.method == "HEAD":
            return StreamedResponse(HTTPStatus.OK, headers, no_pieces)
        head = await exports.threads.run(container.archive.event_log.head)
        await container.positions.wait_async(READ_MODELS, head, CATCH_UP_SECONDS)
        context = context_of(request, workspace_id=workspace_id)
        pages = hit_pages(container.perform_search, container.pool, wanted, context, asked.limit)
        first = await exports.threads.run(partial(begun, pages))
        command = MakeExport(
            kind="search",
            format=asked.format,
            up_to=first.searched.answer.position,
            selection=MessageSelection(search=first.searched.position),
            limit=asked.limit,
        )
        await exports.threads.run(partial(container.make_export, command, context))
        # Of the event, not of the query: that may be personal, and stay on a disk.
        name = f"chatledger-search-{first.searched.position}.{asked.format}"
        headers["Content-Disposition"] = attachment(name)
        return StreamedResponse(
            HTTPStatus.OK, headers, partial(written, exports, asked.format, first, pages)
        )

    return search


def require_sense(request: SearchRequest) -> None:
    """
    Raises:
        RequestError: what was asked for cannot be searched for.
    """
    try:
        understood(request)
    except (EmptyQueryError, QueryRefusedError) as error:
        raise bad_request(str(error)) from None


def begun(pages: Iterator[HitsPage]) -> HitsPage:
    """
    Raises:
        RequestError: it cannot be searched for now.
    """
    try:
        return next(pages)
    except (SearchTookTooLongError, ModelLoadingError) as error:
        raise RequestError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "search.unavailable",
            str(error),
            headers={"Retry-After": str(RETRY_SECONDS)},
        ) from None


async def written(
    exports: Exports, format: str, first: HitsPage, following: Iterator[HitsPage]
) -> Pieces:
    write = WRITERS[format]
    if format == "csv":
        yield csv_header(HIT)
    page: HitsPage | None = first
    while page is not None:
        if piece := write([hit_row(hit) for hit in page.hits]):
            yield piece
        page = await exports.threads.run(lambda: next(following, None))
