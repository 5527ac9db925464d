"""What a search finds, written to a file as it is found."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import click

from application.commands.make_export import MakeExport, MessageSelection
from application.context import Context
from application.ports.search import SearchRequest
from infrastructure.container import Container
from infrastructure.exports.hits import hit_pages
from infrastructure.search.ranking import DEPTHS
from interfaces.cli.complete_files import complete_file
from interfaces.http.export_formats import csv_header, csv_rows, jsonl
from interfaces.http.search_rows import HIT, hit_row
from projections.wording import counted, size_in_words

WRITERS = {"jsonl": jsonl, "csv": csv_rows}
CUT = (
    f"by relevance no more than {DEPTHS[-1]:,} of each of meaning and words are ranked, and more "
    "messages than that have the words: --sort newest writes all that match"
)


def write_hits(
    container: Container,
    context: Context,
    request: SearchRequest,
    format: str,
    limit: int | None,
    output: Path,
    is_forced: bool,  # noqa: FBT001 - as the other writers have it
) -> bool:
    """
    Returns whether there was anything to write. The search is recorded in any case, the export
    before the file is begun.

    Args:
        limit: None: all.

    Raises:
        EmptyQueryError, QueryRefusedError, SearchTookTooLongError, OutputError
    """
    pages = hit_pages(container.perform_search, container.pool, request, context, limit)
    first = next(pages)
    if not first.hits:
        return False
    searched = first.searched
    command = MakeExport(
        kind="search",
        format=format,
        up_to=searched.answer.position,
        selection=MessageSelection(search=searched.position),
        limit=limit,
    )
    container.make_export(command, context)
    written, has_more, is_cut = 0, False, False
    with complete_file(output, is_forced=is_forced) as target:
        if format == "csv":
            target.write(csv_header(HIT))
        for page in chain([first], pages):
            target.write(WRITERS[format]([hit_row(hit) for hit in page.hits]))
            written += len(page.hits)
            has_more = page.searched.answer.has_more
            is_cut |= page.searched.answer.is_cut
        size = target.tell()
    more = f"; there are more than --limit {limit:,}" if has_more and limit else ""
    click.echo(
        f"{output}: {counted(written, 'hit')}, {size_in_words(size)}, as of position "
        f"{searched.answer.position:,}{more}"
    )
    for note in searched.answer.notes:
        click.echo(note, err=True)
    if limit is None and is_cut:
        click.echo(CUT, err=True)
    return True
