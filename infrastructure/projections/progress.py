"""How far a rebuild is, and how it is told to stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from psycopg import Connection

from application.ports.jobs import Stopped
from infrastructure.projections.cancelling import CancelledError, cancelled_when

Stage = Literal["loading", "indexing", "switching"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildProgress:
    stage: Stage
    position: int  # reached by the new version
    head: int  # of the log


OnProgress = Callable[[RebuildProgress], None]


def ignore(progress: RebuildProgress) -> None:
    del progress


def never() -> bool:
    return False


@contextmanager
def stopped_when(should_stop: Callable[[], bool], connection: Connection[Any]) -> Iterator[None]:
    """An index may take minutes to build: its statement is cancelled."""
    if should_stop is never:
        yield
        return
    try:
        with cancelled_when(should_stop, connection):
            yield
    except CancelledError:
        raise Stopped from None
