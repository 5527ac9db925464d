"""How an error looks to clients: a code for what they can act on, a reference for the rest."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import strawberry
import structlog
from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.extensions import MaskErrors
from strawberry.types.execution import ExecutionContext, PreExecutionError

from application.archive import CommandIdReusedError, NotFoundError
from application.commands.replay_search import SearchErasedError, SearchNotFoundError
from application.ports.embedder import ModelLoadingError
from application.ports.search import EmptyQueryError, SearchTookTooLongError
from application.saved_searches import SavedSearchNotFoundError
from application.searches import QueryRefusedError
from domain.workspace import UnknownWorkspaceError
from infrastructure.discretion import describe
from infrastructure.outage import is_outage
from interfaces.graphql.deadline import DeadlineExceededError, OverloadedError

log = structlog.get_logger(__name__)

INTERNAL = "INTERNAL"
UNAVAILABLE = "UNAVAILABLE"
OVERLOADED = "OVERLOADED"
DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
BAD_INPUT = "BAD_USER_INPUT"
OPERATION_NAME_REQUIRED = "OPERATION_NAME_REQUIRED"
STREAM_REQUIRED = "STREAM_REQUIRED"
AWAY = "The database is out of reach. Nothing is known to be lost: try again in a moment."
SUGGESTION = " Did you mean"


class BeyondLogError(ValueError):
    """The log does not reach the position that the client has seen: it is not the same log."""


class ArgumentRefusedError(ValueError):
    """An argument is outside its limits; the message says which."""


class AnswerTooLargeError(ValueError):
    """The parts of one request ask for more than one answer may hold."""


# The messages of these are sentences for people, and quote nothing but the request.
CODES: Mapping[type[Exception], str] = {
    EmptyQueryError: "EMPTY_QUERY",
    QueryRefusedError: "QUERY_REFUSED",
    SearchTookTooLongError: "SEARCH_TIMEOUT",
    ArgumentRefusedError: "ARGUMENT_REFUSED",
    AnswerTooLargeError: "ANSWER_TOO_LARGE",
    UnknownWorkspaceError: "UNKNOWN_WORKSPACE",
    SearchNotFoundError: "SEARCH_NOT_FOUND",
    SearchErasedError: "SEARCH_ERASED",
    SavedSearchNotFoundError: "SAVED_SEARCH_NOT_FOUND",
    BeyondLogError: "POSITION_BEYOND_LOG",
    NotFoundError: "NOT_FOUND",
    CommandIdReusedError: "COMMAND_ID_REUSED",
    DeadlineExceededError: DEADLINE_EXCEEDED,
    OverloadedError: OVERLOADED,
    ModelLoadingError: UNAVAILABLE,
}
TRY_AGAIN = frozenset({UNAVAILABLE, OVERLOADED})
# The request does not say enough, whatever its document: HTTP 400 for every media type.
BAD_REQUESTS = frozenset({OPERATION_NAME_REQUIRED, STREAM_REQUIRED})


def presentable(error: GraphQLError) -> GraphQLError:
    """
    What a client may see of it: always a message and a code. Presenting it again changes nothing.

    Mistakes in the document or its variables stay as they are: GraphQL itself explains them.
    """
    cause = error.original_error
    if cause is None or isinstance(cause, GraphQLError):
        return error if "code" in (error.extensions or {}) else with_code(error)
    code = next((code for kind, code in CODES.items() if isinstance(cause, kind)), None)
    if code is not None:
        return rewritten(error, str(cause), {"code": code})
    if is_outage(cause):
        log.warning("graphql_unavailable", path=error.path, error=describe(cause))
        return rewritten(error, AWAY, {"code": UNAVAILABLE})
    reference = str(uuid4())
    # Neither the exception's message nor local variables: they may quote what somebody wrote.
    trace = "".join([*traceback.format_tb(cause.__traceback__), describe(cause)])
    log.error("graphql_failed", reference=reference, path=error.path, traceback=trace)
    message = f"Something unexpected went wrong. The log of the server explains {reference}."
    return rewritten(error, message, {"code": INTERNAL, "reference": reference})


def with_code(error: GraphQLError) -> GraphQLError:
    """For programs: what kind of mistake it is."""
    code = PARSE_FAILED if isinstance(error, GraphQLSyntaxError) else BAD_INPUT
    return rewritten(error, error.message, {**(error.extensions or {}), "code": code})


def rewritten(error: GraphQLError, message: str, extensions: dict[str, Any]) -> GraphQLError:
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions=extensions,
    )


class PresentErrors(MaskErrors):
    """Lets no error out as it is, neither of one answer nor of one in a stream."""

    def anonymise_error(self, error: GraphQLError) -> GraphQLError:
        return presentable(error)

    def _process_result(self, result: Any) -> None:
        """Most have no errors; the library finds that out by asking about a protocol."""
        if getattr(result, "errors", None):
            super()._process_result(result)


class PresentingSchema(strawberry.Schema):
    """Treats what goes wrong before an operation is carried out as the rest of its errors."""

    async def _prepare_operation_async(
        self, context: ExecutionContext, extensions_runner: Any
    ) -> PreExecutionError | None:
        """What an extension refuses; the library lets it out of streams as an exception."""
        try:
            return await super()._prepare_operation_async(context, extensions_runner)
        except GraphQLError as error:
            context.pre_execution_errors = [error]
            return PreExecutionError(data=None, errors=[error])

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """
        Logs nothing: `presentable` logs what is unexpected; Strawberry would log all of it.

        In production nobody learns the schema from guesses.
        """
        if execution_context is None or not is_production(execution_context.context):
            return
        for error in errors:
            error.message = error.message.split(SUGGESTION)[0]


def is_production(context: Any) -> bool:
    return bool(getattr(context, "is_production", False))
