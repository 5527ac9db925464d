"""Errors as application/problem+json (RFC 9457): what is wrong, where, and what to do."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import psycopg
import structlog
from eventsourcing.persistence import PersistenceError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from infrastructure.discretion import describe
from infrastructure.log.appender import AppenderClosedError
from infrastructure.outage import is_outage
from interfaces.http.request_ids import HEADER, request_id_of
from interfaces.http.security_headers import SECURITY_HEADERS

# Of these `is_outage` says whether the database is away.
MAYBE_OUTAGES = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    PersistenceError,
    AppenderClosedError,
)
log = structlog.get_logger(__name__)

RETRY_SECONDS = 2  # what is away comes back within seconds, or not soon
AWAY = "the database is out of reach; nothing is known to be lost: try again in a moment"


class ProblemResponse(JSONResponse):
    """Says by itself which request it answers, from wherever it is sent."""

    media_type = "application/problem+json"

    def __init__(self, content: dict[str, Any], status: HTTPStatus) -> None:
        super().__init__(content, status, headers={"Cache-Control": "no-store"})
        self.content = content

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        facts = {"instance": scope.get("path"), "requestId": request_id_of(scope)}
        told = {name: value for name, value in facts.items() if value is not None}
        self.body = self.render(self.content | told)
        self.headers["Content-Length"] = str(len(self.body))
        if "requestId" in told:
            self.headers[HEADER] = told["requestId"]
        await super().__call__(scope, receive, send)


class RequestError(Exception):
    """The request cannot be carried out as it is."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.headers = dict(headers or {})


def problem(status: HTTPStatus, code: str, detail: str, **facts: Any) -> ProblemResponse:
    """
    Args:
        code: stable, for programs, such as "upload.too_large".
        detail: a sentence for people.
        facts: further members, named in camelCase.
    """
    content = {"title": status.phrase, "status": status.value, "code": code, "detail": detail}
    return ProblemResponse(content | facts, status)


def unavailable() -> ProblemResponse:
    """The database is away: the client may try again, whatever it was."""
    answer = problem(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", AWAY)
    answer.headers["Retry-After"] = str(RETRY_SECONDS)
    return answer


def bad_request(detail: str) -> RequestError:
    return RequestError(HTTPStatus.BAD_REQUEST, "bad_request", detail)


async def on_request_error(_request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestError):
        raise error
    answer = problem(error.status, error.code, str(error))
    answer.headers.update(error.headers)
    return answer


async def on_http_exception(_request: Request, error: Exception) -> Response:
    """What the router refuses: no such path, no such method."""
    if not isinstance(error, HTTPException):
        raise error
    status = HTTPStatus(error.status_code)
    answer = problem(status, f"http.{status.name.lower()}", error.detail)
    answer.headers.update(error.headers or {})
    return answer


async def on_outage(_request: Request, error: Exception) -> Response:
    """What drivers raise: most of it says that the database is away, and some that we are wrong."""
    if not is_outage(error):
        raise error
    log.warning("database_unavailable", error=describe(error))
    return unavailable()


async def on_unexpected_error(request: Request, error: Exception) -> Response:
    """Says nothing about the error, which may quote messages; the log has it by the request id."""
    trace = "".join([*traceback.format_tb(error.__traceback__), describe(error)])
    log.error("http_failed", request_id=request_id_of(request.scope), traceback=trace)
    answer = problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal",
        "something unexpected went wrong; the log of the server says what, under the request id",
    )
    answer.headers.update(SECURITY_HEADERS)  # it is answered outside of every middleware
    return answer
