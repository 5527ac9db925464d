"""
What a whole search finds of labelled messages: python -m benchmarks whole_quality.

Each set is uploaded into an archive of its own and asked as an API process asks: parsed, embedded,
looked for in memory or by PostgreSQL alone, ranked, cut off, collapsed, and read page by page.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from application.ports.embedder import EmbeddingModel
from application.ports.search import Hit, Place, SearchRequest
from application.searches import understood
from benchmarks.database import fresh_database
from benchmarks.quality.archives import Archived, Line, archive, conversations, unrelated
from benchmarks.quality.metrics import ndcg10, recall
from benchmarks.quality.sets import LabelledSet, load
from domain.search import SearchMode
from infrastructure.bootstrap import open_container
from infrastructure.container import Container
from infrastructure.embedders.weights import MINILM
from infrastructure.search import scoring
from infrastructure.search.hybrid import HybridSearcher
from infrastructure.settings import Settings

MODES: tuple[SearchMode, ...] = get_args(SearchMode)
MOST_HITS = 100  # of a page
DEPTHS = {"recall": 100, "nDCG10": 10}  # messages that the metric looks at
SIGNS = re.compile(r"""["“”„‟«»*:|]|(?<!\w)-|\b(?:or|OR)\b""")
NO_CUT_OFF = 0.0
CATCH_UP_SECONDS = 60.0


class Labels:
    """The labelled sets need no vectors here: the archive makes its own."""

    model: EmbeddingModel = MINILM

    def embed(
        self, texts: Sequence[str], *, on_progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        del on_progress
        return np.zeros((len(texts), 1), dtype=np.float32)


def measure(data: Path) -> dict[str, Any]:
    """Takes some minutes, of which searching by PostgreSQL is most."""
    began = time.perf_counter()
    report: dict[str, Any] = {"load": os.getloadavg()}
    with fresh_database() as (url, folder):
        environment = {"DATABASE_URL": url, "CHATLEDGER_DATA_DIR": str(folder / "data")}
        with open_container(Settings.from_env(environment)) as container:
            archives = {
                name: archive(container, folder, name, labelled, told)
                for name, (labelled, told) in told_of(load(data, Labels())).items()
            }
            report["archives_made_after_s"] = round(time.perf_counter() - began)
            asked = archives | without_signs(archives)
            remembering = in_memory(container)
            alone = HybridSearcher(container.pool, container.positions, container.query_embedder)
            report["memory"] = measured(remembering, asked)
            report["postgresql"] = measured(alone, asked)
            # What would be found further down, were it shown.
            conversations_only = {name: one for name, one in asked.items() if "irc" in name}
            with mock.patch.object(scoring, "least_shown", return_value=NO_CUT_OFF):
                report["memory_without_cut_off"] = measured(remembering, conversations_only)
            alone.close()
    report["load at the end"] = os.getloadavg()
    report["seconds"] = round(time.perf_counter() - began)
    return report


def told_of(sets: dict[str, LabelledSet]) -> dict[str, tuple[LabelledSet, list[Line]]]:
    """What is uploaded of each, by the workspace's name."""
    irc = sets["irc"]
    assert irc.own is not None
    return {
        "irc": (irc, conversations(irc)),
        "irc-without-openings": (irc, conversations(irc, without=irc.own.tolist())),
        "banking77": (sets["banking77"], unrelated(sets["banking77"])),
        "snips": (sets["snips"], unrelated(sets["snips"])),
        "web": (sets["web"], unrelated(sets["web"])),
    }


def in_memory(container: Container) -> HybridSearcher:
    """
    The container's searcher, once messages and vectors are in memory.

    Raises:
        RuntimeError: if they are not there after a minute.
    """
    container.follower.start()
    container.words_follower.start()
    head = container.archive.event_log.head()
    deadline = time.monotonic() + CATCH_UP_SECONDS
    while time.monotonic() < deadline:
        if all(
            follower.is_trusted and follower.position >= head
            for follower in (container.follower, container.words_follower)
        ):
            return container.searcher
        time.sleep(0.1)
    raise RuntimeError(f"not in memory after {CATCH_UP_SECONDS:.0f} s: position {head}")


def without_signs(archives: dict[str, Archived]) -> dict[str, Archived]:
    """
    Conversations, asked without what the query language would take for more than text.

    Who pastes `-audio` or `"no"` excludes the one and requires the other.
    """
    return {
        f"{name}, signs taken out": replace(
            one, labelled=replace(one.labelled, queries=list(map(plain, one.labelled.queries)))
        )
        for name, one in archives.items()
        if one.labelled.metric == "recall"
    }


def plain(query: str) -> str:
    return " ".join(SIGNS.sub(" ", query).split())


def measured(searcher: HybridSearcher, archives: dict[str, Archived]) -> dict[str, Any]:
    """
    By set and mode: its metric, how many messages an answer has of those that the metric is about,
    and what the hybrid is worth beside the better of its sides.
    """
    found: dict[str, Any] = {}
    for name, archived in archives.items():
        modes = {mode: of_mode(searcher, archived, mode) for mode in MODES}
        above = {
            metric: round(value - max(modes["meaning"][metric], modes["words"][metric]), 4)
            for metric, value in modes["hybrid"].items()
            if metric != "messages"
        }
        found[name] = {**modes, "hybrid_above_better_side": above}
        print(f"whole_quality, {name}: {found[name]}", flush=True)
    return found


def of_mode(searcher: HybridSearcher, archived: Archived, mode: SearchMode) -> dict[str, float]:
    labelled, depth = archived.labelled, DEPTHS[archived.labelled.metric]
    found = np.zeros((len(labelled.queries), depth), dtype=bool)
    answered = []
    for query in range(len(labelled.queries)):
        rows = messages_found(searcher, archived, query, mode, depth)
        found[query, : len(rows)] = np.isin(rows, labelled.relevant[query])
        answered.append(len(rows))
    if labelled.metric == "recall":
        values = {f"R{at}": recall(found, labelled, at) for at in (10, 100)}
    else:
        values = {"nDCG10": ndcg10(found, labelled)}
    values["messages"] = np.array(answered, dtype=np.float64)
    return {name: round(float(each.mean()), 4) for name, each in values.items()}


def messages_found(
    searcher: HybridSearcher, archived: Archived, query: int, mode: SearchMode, depth: int
) -> list[int]:
    """The rows of the best messages, at most so many; the query itself is none of them."""
    own = None if archived.labelled.own is None else int(archived.labelled.own[query])
    found: dict[int, None] = {}
    for hit in hits(searcher, archived, archived.labelled.queries[query], mode):
        found |= dict.fromkeys(row for row in archived.stood_for(hit) if row != own)
        if len(found) >= depth:
            break
    return list(found)[:depth]


def hits(
    searcher: HybridSearcher, archived: Archived, text: str, mode: SearchMode
) -> Iterator[Hit]:
    """All of them, page after page."""
    after: Place | None = None
    while True:
        request = SearchRequest(
            workspace_id=archived.workspace_id,
            query=text,
            mode=mode,
            limit=MOST_HITS,
            after=after,
            context=0,
            with_highlights=False,
            with_same_text=False,
            with_duplicates=False,
        )
        answer = searcher.search(request, understood(request))
        yield from answer.hits
        if not answer.has_more:
            return
        after = answer.hits[-1].place
