"""The GraphQL schema: what can be asked. `python -m interfaces.graphql.schema` prints it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import strawberry
from strawberry.extensions import SchemaExtension
from strawberry.extensions.runner import SchemaExtensionsRunner
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.exceptions import InvalidOperationTypeError
from strawberry.schema.schema import DEFAULT_ALLOWED_OPERATION_TYPES
from strawberry.types import ExecutionContext, ExecutionResult
from strawberry.types.graphql import OperationType

from interfaces.graphql.audit import AuditEntry, audit_trail
from interfaces.graphql.author import Author, author, authors
from interfaces.graphql.choosing import NeedsStreamError
from interfaces.graphql.connections import Connection
from interfaces.graphql.conversation import Conversation, conversation, conversations
from interfaces.graphql.errors import PresentErrors
from interfaces.graphql.event import Event, event, events
from interfaces.graphql.executing import Execution
from interfaces.graphql.hooks import QuickRunner
from interfaces.graphql.job import Job, QueueState, failed_jobs, job, queues
from interfaces.graphql.label import Label, labels
from interfaces.graphql.limits import limits
from interfaces.graphql.live.operation import LiveSchema
from interfaces.graphql.message import Message, message
from interfaces.graphql.mutations.root import Mutation
from interfaces.graphql.node import Node
from interfaces.graphql.nodes import node, nodes
from interfaces.graphql.observing import ObserveOperations, observe_root_fields
from interfaces.graphql.operation import OperationContext
from interfaces.graphql.projection import Projection, projection, projections
from interfaces.graphql.replaying import SearchReplayAnswer, replay_search
from interfaces.graphql.saved_search import (
    SavedSearch,
    SavedSearchAnswer,
    run_saved_search,
    saved_searches,
)
from interfaces.graphql.scalars import BIG_INT, BigInt
from interfaces.graphql.search import SearchAnswer, search
from interfaces.graphql.search_history import PastSearch, search_history
from interfaces.graphql.subscription import Subscription
from interfaces.graphql.topics import EventTopic, event_topics
from interfaces.graphql.upload import Upload, upload, uploads
from interfaces.graphql.workspace import Workspace, workspace, workspaces


# Fields are null where they were refused: then the other parts of the request have their answers.
@strawberry.type(description="What can be asked.")
class Query:
    search: SearchAnswer | None = strawberry.field(
        resolver=search,
        description="Messages by meaning and by words. The log records every search.",
    )
    search_history: Connection[PastSearch] | None = strawberry.field(
        resolver=search_history,
        description="What you have searched for in a workspace, the newest first. What others "
        "did is in the audit trail.",
    )
    saved_searches: Connection[SavedSearch] | None = strawberry.field(
        resolver=saved_searches,
        description="The searches that you have saved in a workspace, the newest first.",
    )
    run_saved_search: SavedSearchAnswer | None = strawberry.field(
        resolver=run_saved_search,
        description="What a search that you have saved finds now. The log records every search.",
    )
    replay_search: SearchReplayAnswer | None = strawberry.field(
        resolver=replay_search,
        description="A search of yours, run again as of then and as of today, and what has "
        "changed. The log records every replay.",
    )
    uploads: Connection[Upload] | None = strawberry.field(
        resolver=uploads, description="Uploads of a workspace, the latest first."
    )
    upload: Upload | None = strawberry.field(
        resolver=upload, description="One upload; null if the workspace has none with this id."
    )
    conversations: Connection[Conversation] | None = strawberry.field(
        resolver=conversations,
        description="Conversations of a workspace. One whose title was erased is left out.",
    )
    conversation: Conversation | None = strawberry.field(
        resolver=conversation, description="One conversation; null if there is none with this id."
    )
    authors: Connection[Author] | None = strawberry.field(
        resolver=authors,
        description="Who wrote in a workspace, by name. Erased people are left out.",
    )
    author: Author | None = strawberry.field(
        resolver=author, description="One author; null if there is none with this id."
    )
    message: Message | None = strawberry.field(
        resolver=message,
        description="One message; null if there is none with this id. The log records that it was "
        "opened.",
    )
    labels: Connection[Label] | None = strawberry.field(
        resolver=labels, description="Labels of a workspace, by name, with how much they are on."
    )
    workspaces: Connection[Workspace] | None = strawberry.field(
        resolver=workspaces, description="Every workspace that you may read, the oldest first."
    )
    workspace: Workspace | None = strawberry.field(
        resolver=workspace, description="One workspace; null if there is none of this name or id."
    )
    node: Node | None = strawberry.field(
        resolver=node,
        description="Anything, by its id; null if there is nothing with this id. The log records "
        "messages that are opened so.",
    )
    nodes: list[Node | None] | None = strawberry.field(
        resolver=nodes,
        description="Many things by their ids, in the order of the ids. The log records messages "
        "that are opened so.",
    )
    audit_trail: Connection[AuditEntry] | None = strawberry.field(
        resolver=audit_trail,
        description="What happened in a workspace, or to the instance, the latest first.",
    )
    events: Connection[Event] | None = strawberry.field(
        resolver=events, description="The log of a workspace, in order. `eventFeed` goes on."
    )
    event: Event | None = strawberry.field(
        resolver=event, description="One event; null if there is none at this position."
    )
    event_topics: list[EventTopic] | None = strawberry.field(
        resolver=event_topics, description="Every kind of event that the log may hold."
    )
    projections: Connection[Projection] | None = strawberry.field(
        resolver=projections, description="Every read model, by name, with its versions and lag."
    )
    projection: Projection | None = strawberry.field(
        resolver=projection, description="One read model; null if there is none of this name."
    )
    failed_jobs: Connection[Job] | None = strawberry.field(
        resolver=failed_jobs, description="Jobs that were given up, the newest first."
    )
    job: Job | None = strawberry.field(
        resolver=job, description="One job; null if there is none, or it has succeeded."
    )
    queues: list[QueueState] | None = strawberry.field(
        resolver=queues, description="How many jobs there are, by queue and state."
    )


class ArchiveSchema(LiveSchema):
    async def execute(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any | None = None,
        root_value: Any | None = None,
        operation_name: str | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
        operation_extensions: dict[str, Any] | None = None,
    ) -> ExecutionResult:
        """For whoever takes one answer: a subscription needs a connection that takes many."""
        allowed = set(allowed_operation_types or DEFAULT_ALLOWED_OPERATION_TYPES)
        try:
            return await super().execute(
                query,
                variable_values,
                context_value,
                root_value,
                operation_name,
                allowed - {OperationType.SUBSCRIPTION},
                operation_extensions,
            )
        except InvalidOperationTypeError as error:
            if error.operation_type is not OperationType.SUBSCRIPTION:
                raise
            return ExecutionResult(data=None, errors=[NeedsStreamError()])

    def create_extensions_runner(
        self, execution_context: ExecutionContext, extensions: list[SchemaExtension]
    ) -> SchemaExtensionsRunner:
        return QuickRunner(execution_context=execution_context, extensions=extensions)


schema = ArchiveSchema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    execution_context_class=Execution,
    config=StrawberryConfig(scalar_map={BigInt: BIG_INT}),
    extensions=[ObserveOperations, OperationContext, PresentErrors, *limits()],
)
observe_root_fields(schema)

if __name__ == "__main__":
    print(schema.as_str())  # noqa: T201
