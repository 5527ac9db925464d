"""What a server does beside its first requests, so that they do not wait for it."""

from __future__ import annotations

import gc
import sys
from threading import Thread

from infrastructure.discretion import describe
from infrastructure.embedders.query_embedder import QueryEmbedder
from infrastructure.logging import get_logger

TURN_SECONDS = 0.0005
SELDOM = (20_000, 20, 50)  # objects more than before; so many collections of the next younger

log = get_logger(__name__)


def warm(embedder: QueryEmbedder) -> Thread:
    """Load the model of queries in a thread. If it cannot be loaded, the first search says why."""
    thread = Thread(target=load, args=(embedder,), name="warming", daemon=True)
    thread.start()
    return thread


def load(embedder: QueryEmbedder) -> None:
    try:
        embedder.load()
    except Exception as error:  # noqa: BLE001 - it is met again by whoever searches
        log.warning("model_not_loaded", error=describe(error))
    keep_for_good()


def keep_for_good() -> None:
    """
    What there is by now lives as long as the process: let no collection of garbage look at it
    again. All of it took a fifth of a second each time, and every client waited.
    """
    gc.collect()
    gc.freeze()


def take_short_turns() -> None:
    """
    For what answers many at once: whoever has waited long enough for the interpreter gets it ten
    times as soon. Searches at 30 a second over a million messages took half the time at p50.
    """
    sys.setswitchinterval(TURN_SECONDS)


def collect_seldom() -> None:
    """
    For what reads messages: it makes many objects that live for a page, and hardly a circle among
    them. To look for circles after every 700 took a quarter of the time.
    """
    gc.set_threshold(*SELDOM)
