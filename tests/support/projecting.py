"""Read models that follow the log by themselves, as a worker would let them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from infrastructure.container import Container
from tests.support.archive_fixture import advance

LOOK_SECONDS = 0.02


@contextmanager
def projecting(container: Container) -> Iterator[None]:
    """Within, what is recorded is soon in every read model."""
    is_over = threading.Event()

    def follow() -> None:
        known = 0
        while not is_over.wait(LOOK_SECONDS):
            if (head := container.archive.event_log.head()) > known:
                advance(container)
                known = head

    thread = threading.Thread(target=follow, name="projecting")
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
