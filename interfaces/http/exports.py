"""The log, the audit trail and conversations, as files."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from http import HTTPStatus
from typing import Any
from uuid import UUID

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from application.commands.make_export import MakeExport
from domain.workspace import Workspace
from infrastructure.exports import messages
from infrastructure.postgres.patience import OutOfPatienceError
from interfaces.http import export_description as description
from interfaces.http import rsmf_description, search_description
from interfaces.http.actor import context_of
from interfaces.http.describing import DescribedRoute
from interfaces.http.export_answers import (
    READ_SECONDS,
    Exported,
    Exports,
    ExportsContainer,
    Pages,
    to_pinned,
)
from interfaces.http.export_formats import MEDIA_TYPES
from interfaces.http.export_pages import entry_pages, event_pages, message_pages
from interfaces.http.parameters import pairs, read_parameters
from interfaces.http.problems import RETRY_SECONDS, RequestError
from interfaces.http.rsmf import rsmf_endpoint
from interfaces.http.search_export import search_endpoint
from interfaces.http.streaming import while_connected
from interfaces.http.transfers import id_of, unknown

AUDIT_MODELS = ("audit_trail",)


def export_routes(container: ExportsContainer) -> list[DescribedRoute]:
    exports = Exports(container)

    async def events(request: Request) -> Response:
        asked = read_parameters(request, description.EventsParameters)
        workspace_id = await exports.workspace(asked.workspace)
        up_to = await exports.pin((), asked.upTo, asked.after)
        if asked.upTo is None:
            return to_pinned(request, pairs(request), up_to)
        command = MakeExport(
            kind="events",
            format=asked.format,
            after=asked.after,
            up_to=up_to,
            topics=tuple(sorted(set(asked.topics or ()))),
        )
        export = exported(request, command, workspace_id, "events", partial(event_pages, exports))
        return await exports.answer(request, export)

    async def entries(request: Request) -> Response:
        asked = read_parameters(request, description.AuditTrailParameters)
        workspace_id = await exports.workspace(asked.workspace)
        up_to = await exports.pin(AUDIT_MODELS, asked.upTo, asked.after)
        if asked.upTo is None:
            return to_pinned(request, pairs(request), up_to)
        command = MakeExport(
            kind="audit_trail", format=asked.format, after=asked.after, up_to=up_to
        )
        export = exported(
            request,
            command,
            workspace_id,
            "audit-trail",
            partial(entry_pages, exports),
            AUDIT_MODELS,
        )
        return await exports.answer(request, export)

    async def conversation(request: Request) -> Response:
        conversation_id = id_of("Conversation", request.path_params["conversation_id"])
        asked = read_parameters(request, description.MessagesParameters)
        workspace_id = Workspace.create_id(asked.workspace)
        up_to = await exports.pin(messages.MODELS, asked.upTo)
        ask = partial(messages.title, workspace_id=workspace_id, conversation_id=conversation_id)
        if await exports.read(ask) is None:
            raise unknown("conversation")
        if asked.upTo is None:
            return to_pinned(request, pairs(request), up_to)
        await require_unchanged(exports, workspace_id, conversation_id, up_to)
        command = MakeExport(
            kind="messages", format=asked.format, up_to=up_to, conversation_id=conversation_id
        )
        export = exported(
            request,
            command,
            workspace_id,
            f"conversation-{str(conversation_id)[:8]}",
            partial(message_pages, exports),
            messages.MODELS,
        )
        return await exports.answer(request, export)

    of_events = {"GET": description.EVENTS, "HEAD": description.EVENTS_HEAD}
    of_entries = {"GET": description.AUDIT_TRAIL, "HEAD": description.AUDIT_TRAIL_HEAD}
    of_messages = {"GET": description.MESSAGES, "HEAD": description.MESSAGES_HEAD}
    return [
        DescribedRoute("/api/events", in_time(events), of_events),
        DescribedRoute("/api/audit-trail", in_time(entries), of_entries),
        DescribedRoute(
            "/api/conversations/{conversation_id}/messages", in_time(conversation), of_messages
        ),
        DescribedRoute(
            "/api/rsmf",
            in_time(rsmf_endpoint(exports)),
            {"GET": rsmf_description.RSMF, "HEAD": rsmf_description.RSMF_HEAD},
        ),
        DescribedRoute(
            "/api/search",
            in_time(search_endpoint(container, exports)),
            {"GET": search_description.SEARCH, "HEAD": search_description.SEARCH_HEAD},
        ),
    ]


Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]


def in_time(endpoint: Endpoint) -> Endpoint:
    """Ends when the client hangs up, and soon after a query has taken too long."""

    async def answer(request: Request) -> Response:
        try:
            return await while_connected(request.receive, endpoint(request))
        except OutOfPatienceError:
            raise RequestError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "export.timeout",
                f"to read it took longer than {READ_SECONDS:g} s: try again later",
                headers={"Retry-After": str(RETRY_SECONDS)},
            ) from None
        except ClientDisconnect:
            # Nobody hears this; it keeps a hang-up from looking like a fault of ours.
            detail = "the client hung up"
            raise RequestError(HTTPStatus.REQUEST_TIMEOUT, "export.cut_off", detail) from None

    return answer


def exported(
    request: Request,
    command: MakeExport,
    workspace_id: UUID,
    name: str,
    pages: Callable[[MakeExport, UUID, Any], Pages],
    models: tuple[str, ...] = (),
) -> Exported:
    return Exported(
        command=command,
        context=context_of(request, workspace_id=workspace_id),
        models=models,
        # Of the position, not of a title: that may be personal, and stay on a disk.
        filename=f"chatledger-{name}-to-{command.up_to}.{command.format}",
        media_type=MEDIA_TYPES[command.format],
        pages=partial(pages, command, workspace_id),
    )


async def require_unchanged(
    exports: Exports, workspace_id: UUID, conversation_id: UUID, up_to: int
) -> None:
    """
    Raises:
        RequestError: if the conversation as it was cannot be told any more.
    """
    ask = partial(
        messages.require_unchanged,
        workspace_id=workspace_id,
        conversation_id=conversation_id,
        up_to=up_to,
    )
    try:
        await exports.read(ask)
    except messages.ChangedSinceError:
        raise RequestError(
            HTTPStatus.GONE,
            "export.superseded",
            f"the conversation has changed since position {up_to}: ask again without upTo",
        ) from None
