"""A quicker way to see where a long element of a list ends."""

from __future__ import annotations

import re

import orjson

from infrastructure.readers.json_cursor import JsonCursor

_BEFORE = 16  # bytes in which the end of the element before lies
_TEXT = rb'[^"\\]*+(?:\\.[^"\\]*+)*+'
_JOINT = re.compile(rb"\}\s*,\s*", re.DOTALL)
_HEAD = re.compile(
    rb'(\{\s*"[^"\\]{1,40}"\s*:\s*")' + _TEXT + rb'("\s*,\s*"[^"\\]{1,40}"\s*:)', re.DOTALL
)


class ConversationCursor(JsonCursor):
    """
    For a list of conversations, whose messages begin with the same key as they do. The next
    conversation is guessed to begin as this one does: with the same two keys, the first of them
    with a text. A wrong guess costs time only, and all of them together no more than reading.
    """

    _beginning: re.Pattern[bytes] | None = None
    _wasted = 0  # bytes looked at for wrong guesses

    def _find_end(self) -> int:
        end = -1
        # A chunk is granted in advance: within the first one nearly nothing has been read yet.
        if self._wasted <= self.position + self._chunk:
            end = self._guessed_end()
        return end if end >= 0 else super()._find_end()

    def _guessed_end(self) -> int:
        """Where the next conversation seems to begin, if the value really ends there; else -1."""
        buffer, at = self._buffer, self._at
        joint = _JOINT.search(buffer, max(at - _BEFORE, 0), at)
        head = _HEAD.match(buffer, at)
        if joint is not None and joint.end() == at and head is not None:
            before, after = re.escape(joint[0] + head[1]), re.escape(head[2])
            self._beginning = re.compile(before + _TEXT + after, re.DOTALL)
        if self._beginning is None:
            return -1
        following = self._beginning.search(buffer, at)
        end = len(buffer) if following is None else following.start() + 1
        if following is not None and _is_json(buffer[at:end]):
            return end
        self._wasted += end - at
        return -1


def _is_json(data: bytes) -> bool:
    try:
        orjson.loads(data)
    except orjson.JSONDecodeError:
        return False
    return True
