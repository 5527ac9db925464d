"""What says that a file holds conversations of Claude."""

from __future__ import annotations

import re

from infrastructure.readers.ai_conversations.choice import Claim

_MESSAGES = re.compile(rb'"chat_messages"\s*:\s*\[')
_NO_MESSAGES = re.compile(rb'"chat_messages"\s*:\s*\[\s*\]')
_SENDER = re.compile(rb'"sender"\s*:\s*"(?:human|assistant)"')
_UUID = re.compile(rb'"uuid"\s*:\s*"')


def claim_of(head: bytes) -> Claim | None:
    """
    Args:
        head: the beginning of a file.
    """
    if not head.lstrip().startswith((b"[", b"{")) or not _MESSAGES.search(head):
        return None
    if _SENDER.search(head):
        reason = "“chat_messages” whose “sender” is “human” or “assistant”"
        return 0.95, f"{reason}, as Claude exports them"
    if _UUID.search(head):
        # The first message may be longer than what was looked at, or there may be none.
        is_empty = _NO_MESSAGES.search(head) is not None
        return (0.8 if is_empty else 0.9), "conversations with “chat_messages” and “uuid”"
    return None
