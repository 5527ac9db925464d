"""Searches that were made, saved and replayed, for people and for programs."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import orjson
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from application.commands.replay_search import ComparedHit, Comparison, Replayed
from application.ports.search import FoundMessage
from interfaces.cli.terminal import clean_json, clean_line
from projections.saved_searches.queries import SavedSearchRow
from projections.searches.queries import SearchRow

MAX_TEXT = 80  # characters of a message or a query in a table
ERASED = "[erased]"


def print_json(found: object) -> None:
    sys.stdout.buffer.write(clean_json(orjson.dumps(found, option=orjson.OPT_APPEND_NEWLINE)))
    sys.stdout.buffer.flush()


def saved_as_dict(row: SavedSearchRow) -> dict[str, Any]:
    facts = asdict(row)
    del facts["workspace_id"], facts["owner_id"]
    return facts


def past_as_dict(row: SearchRow) -> dict[str, Any]:
    facts = asdict(row)
    del facts["workspace_id"], facts["searcher_id"], facts["is_first_page"]
    return facts


def replay_as_dict(replayed: Replayed) -> dict[str, Any]:
    """Ids are text: some readers round numbers."""
    search = replayed.search
    return {
        "search": {
            "event_position": search.event_position,
            "searched_at": search.searched_at,
            "query": search.query,
            "mode": search.mode,
            "sort": search.sort,
            "hits": [str(id_) for id_ in search.hits],
        },
        "as_of_then": comparison_as_dict(replayed.as_of_then),
        "today": comparison_as_dict(replayed.today),
        "notes": [asdict(note) for note in replayed.notes],
        "model": replayed.model,
        "position": replayed.answered_position,
        "milliseconds": round(replayed.milliseconds, 3),
        "event_position": replayed.position,
    }


def comparison_as_dict(found: Comparison) -> dict[str, Any]:
    return {
        "is_same": found.is_same,
        "hits": [hit_as_dict(hit) for hit in found.hits],
        "gone": [hit_as_dict(hit) for hit in found.gone],
    }


def hit_as_dict(hit: ComparedHit) -> dict[str, Any]:
    return {**asdict(hit), "message_id": str(hit.message_id)}


def render_saved(rows: Sequence[SavedSearchRow]) -> None:
    table = Table("name", "query", "by", "order", "saved")
    table.add_column("saved search", no_wrap=True)
    for row in rows:
        table.add_row(
            shown(row.name),
            shown(row.query),
            row.mode,
            row.sort,
            f"{row.saved_at:%Y-%m-%d %H:%M}",
            str(row.saved_search_id),
        )
    Console().print(table)


def render_history(rows: Sequence[SearchRow]) -> None:
    table = Table("when", "query", "by", "hits", "ms", "position")
    for row in rows:
        table.add_row(
            f"{row.searched_at:%Y-%m-%d %H:%M}",
            escape(ERASED) if row.query is None else shown(row.query),
            row.mode,
            f"{row.hits:,}",
            f"{row.milliseconds:.0f}",
            str(row.position),
        )
    Console().print(table)


def render_replay(replayed: Replayed, found: Mapping[int, FoundMessage]) -> None:
    """A line for each hit of then and of today."""
    console, search = Console(), replayed.search
    query = clean_line(search.query or ERASED)
    console.print(f"«{query}» of {search.searched_at:%Y-%m-%d %H:%M} UTC", markup=False)
    then = {hit.message_id: hit for hit in (*replayed.as_of_then.hits, *replayed.as_of_then.gone)}
    today = {hit.message_id: hit for hit in (*replayed.today.hits, *replayed.today.gone)}
    table = Table("then", "as of then", "today", "why", "message")
    for id_ in dict.fromkeys([*today, *then]):
        one, other = then.get(id_), today.get(id_)
        hit = other or one
        if hit is None:
            continue
        message = found.get(id_)
        text = "(not there any more)" if message is None else message.text
        table.add_row(
            rank(hit.former_rank),
            rank(None if one is None else one.rank),
            rank(None if other is None else other.rank),
            hit.reason or "",
            shown(text),
        )
    console.print(table)
    for note in replayed.notes:
        console.print(note.message, markup=False, style="yellow")
    same = "the same" if replayed.today.is_same else "not the same"
    console.print(
        f"Today it finds {same}; recorded at position {replayed.position:,}.", markup=False
    )


def rank(number: int | None) -> str:
    return "–" if number is None else str(number)


def shown(text: str) -> str:
    line = clean_line(text)
    return escape(line if len(line) <= MAX_TEXT else f"{line[:MAX_TEXT]}…")
