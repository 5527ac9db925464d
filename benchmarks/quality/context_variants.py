"""What context is worth where neighbours say much, and what it costs where they say nothing."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from application.ports.embedder import Embedder
from benchmarks.quality import contexts, windows
from benchmarks.quality.contexts import late
from benchmarks.quality.metrics import halves, main_metrics
from benchmarks.quality.sets import LabelledSet, lines, shuffled
from infrastructure.search.context import CHOSEN, carry

RAISED = ((0.5, 4), (0.8, 4))  # decay with each step, steps
KERNELS = ([1.0, 0.5], [1.0, 0.6, 0.3], [1.0, 0.8, 0.6, 0.4, 0.2])
AROUND = (1, 2, 4)
SWEPT = {"power": (3.0, 4.0, 6.0), "lent": (0.7, 0.85, 0.95), "lonely": (0.1, 0.3)}
SWEPT_NEXT = (0.1, 0.2, 0.5)


def measure(sets: dict[str, LabelledSet], embedder: Embedder, data: Path) -> dict[str, Any]:
    irc = sets["irc"]
    found: dict[str, Any] = {"a message alone": both(irc.cosines, irc.cosines, irc)}
    for name, scores in embedded(irc, embedder).items():
        found[name] = both(*scores, irc)
    for name, scores in simple(irc).items():
        found[name] = both(*scores, irc)
    for name, settings in linked(data).items():
        found[f"links: {name}"] = both(
            late(irc.cosines, irc, **settings),
            late(irc.cosines, irc, is_strict=True, **settings),
            irc,
        )
    return {
        "irc": found,
        "sweep": sweep(irc),
        "banking77": harmless(sets["banking77"]),
        "goal": "irc R10 0.50 and R100 0.65; banking77 nDCG10 0.888 in any order",
    }


def both(lenient: Any, strict: Any, irc: LabelledSet) -> dict[str, Any]:
    """With the query's message in the archive, and, for each half of the queries, without."""
    return {
        "with the opening message": main_metrics(lenient, irc),
        "without it": main_metrics(strict, irc),
        "without it, halves": halves(strict, irc),
    }


def embedded(irc: LabelledSet, embedder: Embedder) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for around in AROUND:
        together = windows.texts_together(irc, embedder, windows.within(irc, around))
        found[f"text with {around} before and after"] = together
    run = windows.own_run(irc, 8)
    found["text with the same author's of 8 before and after"] = windows.texts_together(
        irc, embedder, run
    )
    for around in AROUND:
        near = windows.within(irc, around)
        found[f"mean vector with {around} before and after"] = windows.mean_vectors(irc, near)
    found["mean vector with the same author's"] = windows.mean_vectors(irc, run)
    return found


def simple(irc: LabelledSet) -> dict[str, Any]:
    cosines = irc.cosines
    alone = contexts.without_query(cosines, irc)
    found: dict[str, Any] = {}
    for kernel in KERNELS:
        found[f"scores of neighbours, weights {kernel}"] = tuple(
            contexts.near_in_time(own, irc, kernel) for own in (cosines, alone)
        )
    for decay, around in RAISED:
        found[f"best neighbour of {around}, {decay} for each step"] = tuple(
            contexts.raised(own, irc, decay, around) for own in (cosines, alone)
        )
    return found


def linked(data: Path) -> dict[str, dict[str, Any]]:
    rows = lines(data / "bench" / "irc-conversations.jsonl")
    place = {row["_id"]: at for at, row in enumerate(rows)}
    replies = {
        at: [place[key] for key in row["replies_to"] if key in place] for at, row in enumerate(rows)
    }
    return {
        "chosen": {},
        "not gated": {"tuning": CHOSEN._replace(is_gated=False)},
        "next only": {"tuning": CHOSEN._replace(same_author=0.0, addressed=0.0)},
        "no names in texts": {"tuning": CHOSEN._replace(addressed=0.0)},
        "not by author": {"tuning": CHOSEN._replace(same_author=0.0)},
        "annotated replies": {"relink": contexts.gold(replies)},
        "2 around": {"around": 2},
        "4 around": {"around": 4},
        "16 around": {"around": 16},
        "30 candidates": {"candidates": 30},
        "50 candidates": {"candidates": 50},
    }


def sweep(irc: LabelledSet) -> dict[str, Any]:
    """Choose by one half of the queries, look at the other; all without the opening message."""
    own, found = irc.cosines, []
    for weight in SWEPT_NEXT:
        linked = CHOSEN._replace(next=weight)
        around = contexts.neighbourhoods(own, irc, is_strict=True, tuning=linked)
        for values in product(*SWEPT.values()):
            settings = dict(zip(SWEPT, values, strict=True))
            scores = contexts.scored(own, around, tuning=linked._replace(**settings))
            found.append(({"next": weight, **settings}, halves(scores, irc)))
    picked = {}
    for half in (0, 1):
        best = max(found, key=lambda one: one[1]["R10"][half] + one[1]["R100"][half])
        picked[f"best by half {half}"] = {"settings": best[0], "halves": best[1]}
    least = {
        name: [round(min(one[1][name][half] for one in found), 4) for half in (0, 1)]
        for name in ("R10", "R100")
    }
    around = contexts.neighbourhoods(own, irc, is_strict=True)
    return {
        **picked,
        "worst of all": least,
        "settings tried": len(found),
        "carry": carried(own, around),
    }


def carried(own: Any, around: list[contexts.Neighbourhood]) -> list[float]:
    """5, 50 and 95 of 100 queries carry less than this."""
    found = [
        carry(np.maximum(row[near.rows], 0), near.links, background=near.background).share
        for row, near in zip(own, around, strict=True)
    ]
    return [round(float(value), 3) for value in np.percentile(found, (5, 50, 95))]


def harmless(banking: LabelledSet) -> dict[str, Any]:
    """In the order of its export, whose neighbours share their label, and where they do not."""
    orders = {
        "in the export's order": banking,
        "shuffled": shuffled(banking, is_dense=False),
        "shuffled, eight people, every 20 s": shuffled(banking, is_dense=True),
    }
    found: dict[str, Any] = {"a message alone": main_metrics(banking.cosines, banking)}
    for name, labelled in orders.items():
        cosines = labelled.cosines
        around = contexts.neighbourhoods(cosines, labelled)
        open_to_all = CHOSEN._replace(is_gated=False)
        found[name] = {
            "chosen": main_metrics(contexts.scored(cosines, around), labelled),
            "not gated": main_metrics(
                contexts.scored(cosines, around, tuning=open_to_all), labelled
            ),
            "carry": carried(cosines, around),
            "best neighbour of 4, 0.8 for each step": main_metrics(
                contexts.raised(cosines, labelled, 0.8, 4), labelled
            ),
            "scores of neighbours": main_metrics(
                np.asarray(contexts.near_in_time(cosines, labelled, KERNELS[1])), labelled
            ),
        }
    return found
