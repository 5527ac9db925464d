"""Who asks. Until accounts exist everybody on this machine is the owner."""

from __future__ import annotations

from uuid import UUID

from starlette.requests import HTTPConnection

from application.context import LOCAL_OWNER, Context
from interfaces.http.request_ids import correlation_id_of

MAX_USER_AGENT = 200  # characters


def context_of(
    connection: HTTPConnection, *, workspace_id: UUID | None = None, command_id: UUID | None = None
) -> Context:
    """Of a request or a WebSocket: the one place that decides for whom it is carried out."""
    origin = {"channel": "http"}
    if connection.client is not None:
        origin["client"] = connection.client.host
    if user_agent := connection.headers.get("user-agent"):
        origin["user_agent"] = user_agent[:MAX_USER_AGENT]
    return Context(
        actor_id=LOCAL_OWNER,
        workspace_id=workspace_id,
        correlation_id=correlation_id_of(connection.scope),
        command_id=command_id,
        origin=origin,
    )
