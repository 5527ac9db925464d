"""How an error looks to clients: a code for what they can act on, a reference for the rest."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import structlog
from graphql import GraphQLError
from strawberry.extensions import MaskErrors

from application.archive import NotFoundError
from application.commands.perform_search import QueryRefusedError
from application.ports.search import EmptyQueryError, SearchTookTooLongError
from infrastructure.discretion import describe

log = structlog.get_logger(__name__)

INTERNAL = "INTERNAL"


class UnknownWorkspaceError(Exception):
    """There is no workspace of this name, or it is not the actor's."""


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
    NotFoundError: "NOT_FOUND",
}


def presentable(error: GraphQLError) -> GraphQLError:
    """
    What a client may see of it. Presenting it again changes nothing.

    Mistakes in the document or its variables stay as they are: GraphQL itself explains them.
    """
    cause = error.original_error
    if cause is None or isinstance(cause, GraphQLError):
        return error
    code = next((code for kind, code in CODES.items() if isinstance(cause, kind)), None)
    if code is not None:
        return rewritten(error, str(cause), {"code": code})
    reference = str(uuid4())
    # Neither the exception's message nor local variables: they may quote what somebody wrote.
    trace = "".join([*traceback.format_tb(cause.__traceback__), describe(cause)])
    log.error("graphql_failed", reference=reference, path=error.path, traceback=trace)
    message = f"Something unexpected went wrong. The log of the server explains {reference}."
    return rewritten(error, message, {"code": INTERNAL, "reference": reference})


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
