"""
Where an object or list ends, without a look at each of its tokens: from a block at a time texts
are cut out, then all but the brackets, then all pairs of them.
"""

from __future__ import annotations

import re

# A quote that stands alone opens a text whose end is not there.
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["{}\[\]]', re.DOTALL)
_TEXT_REST = re.compile(rb"[^\"\\]*+(?:\\.[^\"\\]*+)*+", re.DOTALL)
_BLOCK = 4096  # bytes; longer blocks are hardly faster, and the last one is looked at twice
_SMALL = 512  # bytes in which each token is looked at
_SHORT = 1024  # bytes of a value that is likely to be over before blocks are worth it
_ALIKE = bytes.maketrans(b"[]", b"{}")
_OTHERS = bytes(sorted(set(range(256)) - set(b"{}[]")))
_PAIRS_INSIDE = 20  # levels after which brackets are counted one by one


class Nesting:
    """Follows one object or list through the bytes that hold it, in one piece or several."""

    __slots__ = ("_depth", "in_text")

    def __init__(self) -> None:
        self._depth = 0
        self.in_text = False

    @property
    def is_over(self) -> bool:
        return self._depth == 0

    def follow(self, buffer: bytes, at: int) -> int:
        """
        Go on from `at`, at first at the opening bracket, to the end of the value or, if that is
        not there, as far as the buffer can be understood: to where the next piece must go on.
        """
        at = self._by_tokens(buffer, at, at + _SHORT)
        size = _BLOCK
        while self._depth and at < len(buffer):
            if self.in_text:
                match = _TEXT_REST.match(buffer, at)
                at = match.end() if match else at
                if buffer[at : at + 1] != b'"':
                    break  # the end of the buffer, or a backslash there without its second byte
                at += 1
                self.in_text = False
                continue
            end = _block_end(buffer, at, size)
            if end == at:
                break
            opened, closed, in_text = _count(buffer[at:end])
            if closed >= self._depth:  # it ends in here
                if size <= _SMALL:
                    return self._by_tokens(buffer, at, len(buffer))
                size //= 2
                continue
            self._depth += opened - closed
            self.in_text = in_text
            at = end
        return at

    def _by_tokens(self, buffer: bytes, at: int, stop: int) -> int:
        if self.in_text:
            return at
        depth = self._depth
        for match in _TOKEN.finditer(buffer, at):
            if match.start() >= stop:
                self._depth = depth
                return match.start()
            token = match[0]
            if token in (b"{", b"["):
                depth += 1
            elif token in (b"}", b"]"):
                depth -= 1
                if depth == 0:
                    self._depth = 0
                    return match.end()
            elif token == b'"':
                self._depth = depth
                self.in_text = True
                return match.end()
        self._depth = depth
        return len(buffer)


def _block_end(buffer: bytes, at: int, size: int) -> int:
    """Where a block ends, but not between a backslash and what it stands for."""
    end = min(at + size, len(buffer))
    block = buffer[at:end]
    if (len(block) - len(block.rstrip(b"\\"))) % 2:
        end += 1 if end < len(buffer) else -1
    return end


def _count(block: bytes) -> tuple[int, int, bool]:
    """
    Brackets opened and closed beyond those that are pairs, and whether a text is open at the end.

    Args:
        block: begins outside of texts.
    """
    if b"\\" in block:
        block = block.replace(b"\\\\", b"").replace(b'\\"', b"")
    parts = block.split(b'"')
    brackets = b"".join(parts[::2]).translate(_ALIKE, _OTHERS)
    in_text = len(parts) % 2 == 0
    for _ in range(_PAIRS_INSIDE):
        if b"{}" not in brackets:
            closed = brackets.count(b"}")
            return len(brackets) - closed, closed, in_text
        brackets = brackets.replace(b"{}", b"")
    opened = closed = 0
    for bracket in brackets:
        if bracket == ord("{"):
            opened += 1
        elif opened:
            opened -= 1
        else:
            closed += 1
    return opened, closed, in_text
