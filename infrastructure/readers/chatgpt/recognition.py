"""What says that a file holds conversations of ChatGPT."""

from __future__ import annotations

import re

from infrastructure.readers.ai_conversations.choice import Claim

_MAPPING = re.compile(rb'"mapping"\s*:\s*\{')
_NODE = re.compile(rb'"(?:children"\s*:\s*\[|parent"\s*:\s*(?:"|null))')
_MESSAGE = re.compile(rb'"(?:author"\s*:\s*\{\s*"role"|content_type"\s*:\s*"|message"\s*:\s*null)')
_CURRENT = re.compile(rb'"(?:current_node|conversation_id|moderation_results)"\s*:')


def claim_of(head: bytes) -> Claim | None:
    """
    Args:
        head: the beginning of a file.
    """
    if not head.lstrip().startswith((b"[", b"{")) or not _MAPPING.search(head):
        return None
    if _NODE.search(head) and _MESSAGE.search(head):
        reason = "conversations whose “mapping” holds messages by “parent” and “children”"
        return 0.95, f"{reason}, as ChatGPT exports them"
    if _CURRENT.search(head):
        return 0.5, "objects with “mapping” and “current_node”, as ChatGPT exports conversations"
    return None
