"""Messages that somebody asks for by their ids: the log records that they were opened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from application.commands.open_messages import OpenMessages
from interfaces.graphql.context import Ask
from projections.messages.queries import MessageRow


async def opened(info: Ask, messages: Iterable[MessageRow]) -> None:
    """One fact a workspace, durable before any of them is shown. Without messages, none."""
    by_workspace: defaultdict[UUID, list[MessageRow]] = defaultdict(list)
    for message in messages:
        by_workspace[message.workspace_id].append(message)
    if not by_workspace:
        return
    context = info.context
    handle = context.container.open_messages

    def record() -> None:
        for workspace_id, rows in by_workspace.items():
            command = OpenMessages(
                message_ids=[row.message_id for row in rows],
                conversation_ids=[row.conversation_id for row in rows],
            )
            handle(command, context.within(workspace_id))

    await context.run(record)
