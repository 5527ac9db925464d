"""Errors as application/problem+json (RFC 9457): what is wrong, where, and what to do."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from interfaces.http.security_headers import SECURITY_HEADERS


class ProblemResponse(JSONResponse):
    media_type = "application/problem+json"


class RequestError(Exception):
    """The request cannot be carried out as it is."""

    def __init__(self, status: HTTPStatus, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code


def problem(status: HTTPStatus, code: str, detail: str, **facts: Any) -> ProblemResponse:
    """
    Args:
        code: stable, for programs, such as "upload.too_large".
        detail: a sentence for people.
        facts: further members, named in camelCase.
    """
    content = {"title": status.phrase, "status": status.value, "code": code, "detail": detail}
    return ProblemResponse(content | facts, status, headers={"Cache-Control": "no-store"})


async def on_request_error(_request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestError):
        raise error
    return problem(error.status, error.code, str(error))


async def on_http_exception(_request: Request, error: Exception) -> Response:
    """What the router refuses: no such path, no such method."""
    if not isinstance(error, HTTPException):
        raise error
    status = HTTPStatus(error.status_code)
    answer = problem(status, f"http.{status.name.lower()}", error.detail)
    answer.headers.update(error.headers or {})
    return answer


async def on_unexpected_error(_request: Request, _error: Exception) -> Response:
    """Says nothing about the error, which may quote messages; the server logs it."""
    answer = problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal",
        "something unexpected went wrong; the log of the server says what",
    )
    answer.headers.update(SECURITY_HEADERS)  # it is answered outside of every middleware
    return answer
