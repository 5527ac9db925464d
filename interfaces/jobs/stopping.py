"""Whether a running job should stop."""

from __future__ import annotations

from collections.abc import Callable

from procrastinate import JobContext


def should_stop(context: JobContext) -> Callable[[], bool]:
    """To be asked between two batches: the process stops, or somebody discarded the job."""
    is_stopping: Callable[[], bool] = context.additional_context["should_stop"]
    return lambda: is_stopping() or context.should_abort()
