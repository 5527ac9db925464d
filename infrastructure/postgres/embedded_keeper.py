"""Looks whether the embedded server still lives, for as long as somebody uses it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from infrastructure.postgres.embedded_places import EmbeddedPostgresError

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0  # after attempts to start it that failed


class Keeper:
    """
    A thread, from the beginning until `stop`.

    Args:
        revive: starts the server again if it has died, and returns whether it had.
    """

    def __init__(self, revive: Callable[[], bool]) -> None:
        self._revive = revive
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="postgres-keeper", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Waits for a start that has begun. Harmless to repeat."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        wait_seconds = LOOK_SECONDS
        while not self._stopping.wait(wait_seconds):
            try:
                if self._revive():
                    log.warning("PostgreSQL had ended, and was started again")
            except (EmbeddedPostgresError, OSError) as error:
                wait_seconds = min(wait_seconds * 2, LONGEST_WAIT_SECONDS)
                # Its own sentence says what would help; where in our code is of no interest.
                log.error("PostgreSQL has ended and cannot be started again: %s", error)  # noqa: TRY400
            else:
                wait_seconds = LOOK_SECONDS
