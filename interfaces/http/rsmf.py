"""Messages as RSMF, for review platforms: whole conversations, a time range, a search's hits."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Coroutine
from functools import partial
from http import HTTPStatus
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from application.commands.make_export import MakeExport, MessageSelection
from infrastructure.exports.messages import MODELS, ChangedSinceError
from infrastructure.exports.rsmf.bundle import zipped
from infrastructure.exports.selection import (
    Selection,
    UnknownConversationError,
    UnknownSearchError,
    require_unchanged,
    selection_of,
)
from interfaces.http.actor import context_of
from interfaces.http.export_answers import Exported, Exports, Pages, to_pinned
from interfaces.http.parameters import pairs, read_parameters
from interfaces.http.problems import RequestError, bad_request
from interfaces.http.rsmf_description import RsmfParameters
from interfaces.http.transfers import id_of, unknown
from interfaces.time_range import require_order

FORMAT = 1  # raised whenever the same messages would be written as other bytes


def rsmf_endpoint(exports: Exports) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    async def rsmf(request: Request) -> Response:
        asked = read_parameters(request, RsmfParameters)
        chosen = conversations_of(asked)
        require_sense(asked)
        workspace_id = await exports.workspace(asked.workspace)
        up_to = await exports.pin(MODELS, asked.upTo)
        conditions = MessageSelection(
            conversation_ids=chosen,
            since=asked.since,
            until=asked.until,
            search=asked.search,
            context=asked.context,
        )
        selection = await selected(exports, conditions, workspace_id, up_to)
        if asked.upTo is None:
            return to_pinned(request, pairs(request, asked.repeated), up_to)
        await require_same(exports, selection)
        export = Exported(
            command=MakeExport(kind="rsmf", format="rsmf", up_to=up_to, selection=conditions),
            context=context_of(request, workspace_id=workspace_id),
            models=MODELS,
            filename=f"chatledger-rsmf-to-{up_to}.zip",
            media_type="application/zip",
            pages=partial(zip_pages, exports, selection),
            writer=f"{FORMAT}, zlib {zlib.ZLIB_RUNTIME_VERSION}",
        )
        return await exports.answer(request, export)

    return rsmf


def conversations_of(asked: RsmfParameters) -> tuple[UUID, ...]:
    """
    In order, each once.

    Raises:
        RequestError: if one of them is no id.
    """
    return tuple(sorted({id_of("Conversation", text) for text in asked.conversation or ()}))


def require_sense(asked: RsmfParameters) -> None:
    """
    Raises:
        RequestError: if the conditions do not go together.
    """
    if asked.context and asked.search is None:
        raise bad_request("context is of a search's hits: name the search, too")
    try:
        require_order(asked.since, asked.until)
    except ValueError as error:
        raise bad_request(str(error)) from None


async def selected(
    exports: Exports, conditions: MessageSelection, workspace_id: UUID, up_to: int
) -> Selection:
    ask = partial(selection_of, asked=conditions, workspace_id=workspace_id, up_to=up_to)
    try:
        found: Selection = await exports.read(ask)
    except UnknownConversationError:
        raise unknown("conversation") from None
    except UnknownSearchError as error:
        raise RequestError(HTTPStatus.NOT_FOUND, "search.unknown", str(error)) from None
    return found


async def require_same(exports: Exports, selection: Selection) -> None:
    """
    Raises:
        RequestError: if what was selected then cannot be told any more.
    """
    try:
        await exports.read(partial(require_unchanged, selection=selection))
    except ChangedSinceError:
        raise RequestError(
            HTTPStatus.GONE,
            "export.superseded",
            f"what was selected has changed since position {selection.up_to}: ask again without "
            "upTo",
        ) from None


def zip_pages(exports: Exports, selection: Selection, place: Any) -> Pages:
    return exports.steps(lambda ask: zipped(ask, selection, place))
