"""Which operation of a document is carried out, and whether the connection can carry its answer."""

from __future__ import annotations

from graphql import GraphQLError, OperationDefinitionNode
from strawberry.types import ExecutionContext

from interfaces.graphql.errors import OPERATION_NAME_REQUIRED, STREAM_REQUIRED


class NotChosenError(GraphQLError):
    """The document has several operations, and the request does not say which to carry out."""

    def __init__(self) -> None:
        super().__init__(
            "The document has several operations: say by `operationName` which to carry out.",
            extensions={"code": OPERATION_NAME_REQUIRED},
        )


class NeedsStreamError(GraphQLError):
    """A subscription came as a request that takes one answer."""

    def __init__(self) -> None:
        super().__init__(
            "A subscription needs a WebSocket (graphql-transport-ws), or a request with "
            "`Accept: text/event-stream`.",
            extensions={"code": STREAM_REQUIRED},
        )


def check_choice(asked: ExecutionContext) -> None:
    """
    Strawberry would carry out the first of several operations.

    Raises:
        NotChosenError
    """
    document = asked.graphql_document
    if document is None or asked._provided_operation_name is not None:  # noqa: SLF001
        return
    kinds = [isinstance(part, OperationDefinitionNode) for part in document.definitions]
    if sum(kinds) > 1:
        raise NotChosenError
