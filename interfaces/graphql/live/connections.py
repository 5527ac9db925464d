"""Every WebSocket and event stream that this process holds: to count them, and to end them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

RESTARTING = 1012  # WebSocket close code: clients connect again
TRY_AGAIN_LATER = 1013
MAX_PER_ADDRESS = 2_000
CLOSING_SECONDS = 2.0  # for peers that read nothing any more

Close = Callable[[int, str], Awaitable[None]]


class ConnectionNotHeldError(Exception):
    """One more is not held. Has the WebSocket close code, and a reason for people."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class LiveConnections:
    """
    Of one process. The server's shutdown calls `close_all`, in the server's event loop, before it
    waits for requests to end and before the container is closed.
    """

    def __init__(self, max_per_address: int = MAX_PER_ADDRESS) -> None:
        self._max_per_address = max_per_address
        self._by_address: Counter[str] = Counter()
        self._closes: dict[int, Close] = {}
        self._next = 0
        self._is_closing = False

    def __len__(self) -> int:
        return len(self._closes)

    @property
    def is_closing(self) -> bool:
        return self._is_closing

    @contextmanager
    def hold(self, address: str, close: Close) -> Iterator[None]:
        """
        Count a connection while it lasts.

        Args:
            address: of the client, without the port.
            close: ends it with this code and reason; called once, at most.

        Raises:
            ConnectionNotHeldError
        """
        if self._is_closing:
            raise ConnectionNotHeldError(RESTARTING, "the server restarts")
        if self._by_address[address] >= self._max_per_address:
            raise ConnectionNotHeldError(TRY_AGAIN_LATER, "too many connections of this address")
        key = self._next = self._next + 1
        self._by_address[address] += 1
        self._closes[key] = close
        try:
            yield
        finally:
            del self._closes[key]
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]

    async def close_all(self, code: int = RESTARTING, reason: str = "the server restarts") -> None:
        """
        Close every WebSocket with this code, end every event stream without `complete`, and hold
        no more from now on. Clients connect again, and go on after the last thing they were told.
        """
        self._is_closing = True
        closing = [asyncio.ensure_future(close(code, reason)) for close in self._closes.values()]
        if closing:
            _, late = await asyncio.wait(closing, timeout=CLOSING_SECONDS)
            for task in late:
                task.cancel()
