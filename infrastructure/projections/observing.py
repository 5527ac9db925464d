"""What is said of a page that a read model has digested: how far, how much, how long, for whom."""

from __future__ import annotations

from collections.abc import Sequence

from infrastructure.logging import get_logger
from infrastructure.observability.metrics import metrics
from projections.contract import RecordedEvent

log = get_logger(__name__)

MAX_CORRELATIONS = 20  # ids that one line names


def page_digested(
    name: str,
    version: int,
    *,
    is_rebuild: bool,
    after: int,
    position: int,
    events: Sequence[RecordedEvent],
    seconds: float,
) -> None:
    """
    Args:
        after: where the page began.
        position: that was reached; events that the read model does not want lie between, too.
        is_rebuild: thousands of pages at once, of old events: counted, and not logged as news.
    """
    own = metrics()
    own.pages.labels(name).observe(seconds)
    own.page_events.labels(name).inc(len(events))
    # In order, and each once: whoever looks for one request finds the pages that showed it.
    correlations = list(dict.fromkeys(str(event.correlation_id) for event in events))
    say = log.debug if is_rebuild else log.info
    say(
        "projection_stepped",
        projection=name,
        version=version,
        after=after,
        position=position,
        events=len(events),
        correlation_ids=correlations[:MAX_CORRELATIONS],
        duration_ms=round(seconds * 1000, 2),
    )
