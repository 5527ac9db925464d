"""The GraphQL schema: what can be asked. `python -m interfaces.graphql.schema` prints it."""

from __future__ import annotations

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from interfaces.graphql.audit import AuditEntry, audit_trail
from interfaces.graphql.errors import PresentErrors
from interfaces.graphql.limits import limits
from interfaces.graphql.projection import Projection, projections
from interfaces.graphql.scalars import BIG_INT, BigInt
from interfaces.graphql.search import SearchResult, search
from interfaces.graphql.upload import Upload, upload, uploads
from interfaces.graphql.workspace import Workspace, workspaces


@strawberry.type(description="What can be asked.")
class Query:
    # Null where it was refused: then the other parts of the request have their answers.
    search: SearchResult | None = strawberry.field(
        resolver=search,
        description="Messages by meaning and by words. The log records every search.",
    )
    uploads: list[Upload] | None = strawberry.field(
        resolver=uploads, description="Uploads of a workspace, the latest first."
    )
    upload: Upload | None = strawberry.field(
        resolver=upload, description="One upload; null if the workspace has none with this id."
    )
    workspaces: list[Workspace] = strawberry.field(
        resolver=workspaces, description="Every workspace, the oldest first."
    )
    audit_trail: list[AuditEntry] | None = strawberry.field(
        resolver=audit_trail, description="What happened in a workspace, the latest first."
    )
    projections: list[Projection] = strawberry.field(
        resolver=projections, description="Every version of every read model, with its lag."
    )


class Schema(strawberry.Schema):
    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Logs nothing: `presentable` logs what is unexpected; Strawberry would log all of it."""


schema = Schema(
    query=Query,
    config=StrawberryConfig(scalar_map={BigInt: BIG_INT}),
    extensions=[PresentErrors, *limits()],
)

if __name__ == "__main__":
    print(schema.as_str())  # noqa: T201
