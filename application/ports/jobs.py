"""Port: work to be done later, exactly once asked for."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """
    A job to defer in the transaction that records why.

    Arguments are ids and numbers only: they are logged and stay in the queue's table.
    """

    task: str  # "family:verb_noun"
    queue: str
    arguments: dict[str, str | int] = field(default_factory=dict)
    lock: str | None = None  # at most one job with the same lock runs at a time
    priority: int = 0  # higher runs first


class Stopped(Exception):  # noqa: N818 - it reports no error
    """The process is stopping: what was recorded stays, run the job again later."""
