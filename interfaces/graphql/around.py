"""A page of a conversation with one message in its middle."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from interfaces.graphql.connections import Connection, PageInfo
from interfaces.graphql.context import Ask
from interfaces.graphql.errors import ArgumentRefusedError
from interfaces.graphql.node_ids import parse_number
from interfaces.graphql.opening import opened
from interfaces.graphql.pages import MESSAGES
from projections.messages.queries import MessageRow, messages_by_id, messages_in_conversation
from projections.paging import Slice, Window

T = TypeVar("T")


async def page_around(
    info: Ask,
    conversation: tuple[UUID, UUID],
    id: str,
    window: Window,
    node: Callable[[MessageRow], T],
    **times: datetime | None,
) -> Connection[T]:
    """
    As many messages before it as after it, as far as there are, and itself: it was opened.

    Raises:
        ArgumentRefusedError: it is not in this conversation, or the page is placed otherwise, too.
    """
    if window.after or window.before or window.is_backward:
        raise ArgumentRefusedError("give `around` with `first` alone, without other places")
    info.context.spend_window(window)
    anchor = await anchor_of(info, conversation, id)
    keys = MESSAGES.keys(anchor)
    size = max(1, window.limit // 2)  # one of each side is read in any case: is there more?
    earlier = Window(limit=size, before=keys, is_backward=True)
    later = Window(limit=size, after=keys)
    load = info.context.load
    preceding = load(messages_in_conversation, conversation, window=earlier, **times)
    following = load(messages_in_conversation, conversation, window=later, **times)
    page = joined(await preceding, anchor, await following, window, node)
    await opened(info, [anchor])
    return page


async def anchor_of(info: Ask, conversation: tuple[UUID, UUID], id: str) -> MessageRow:
    number = parse_number("Message", id)
    found: MessageRow | None = None
    if number is not None:
        found = await info.context.load(messages_by_id, (conversation[0], number))
    if found is None or found.conversation_id != conversation[1]:
        raise ArgumentRefusedError("`around` names no message of this conversation")
    return found


def joined(
    preceding: Slice[MessageRow],
    anchor: MessageRow,
    following: Slice[MessageRow],
    window: Window,
    node: Callable[[MessageRow], T],
) -> Connection[T]:
    """Where one side is short, the other does not grow: who asks again gets the same middle."""
    size = window.limit // 2
    before = preceding.rows[-size:] if size else []
    after = following.rows[: window.limit - size - 1]
    rows = [*before, anchor, *after]
    found = MESSAGES.connection(Slice(rows=rows, has_more=False), window, node)
    found.page_info = PageInfo(
        has_previous_page=preceding.has_more or len(before) < len(preceding.rows),
        has_next_page=following.has_more or len(after) < len(following.rows),
        start_cursor=found.page_info.start_cursor,
        end_cursor=found.page_info.end_cursor,
    )
    return found
