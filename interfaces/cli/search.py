"""`chatledger search`: find messages by meaning and by words."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

import click

from domain.search import SearchMode

if TYPE_CHECKING:
    from application.commands.perform_search import Searched
    from application.ports.search import SearchRequest, Sort

NOTHING_FOUND = 1  # exit status
FAILED = 2
MOST_DIGITS = 19  # a bigint has


class SearchFailedError(click.ClickException):
    """Nothing was searched; the message says what to do."""

    exit_code = FAILED


# A query may begin with an exclusion, which is no option.
@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("query", required=False)
@click.option(
    "--like",
    metavar="MESSAGE",
    help="What is near in meaning to the message with this id; QUERY has operators at most then.",
)
@click.option("--workspace", default="default", show_default=True, help="The archive's name.")
@click.option(
    "--mode",
    type=click.Choice(["hybrid", "meaning", "words"]),
    default="hybrid",
    show_default=True,
    help="What to go by.",
)
@click.option(
    "--sort",
    type=click.Choice(["relevance", "newest", "oldest"]),
    default="relevance",
    show_default=True,
    help="What to order by.",
)
@click.option(
    "--time-zone",
    default="UTC",
    show_default=True,
    help="In which the days of QUERY begin, for example Europe/Berlin.",
)
@click.option("--facets", is_flag=True, help="Also how the whole result is made up.")
@click.option("--limit", default=10, show_default=True, help="Hits at most, 1 to 100.")
@click.option(
    "--context",
    "neighbours",
    default=2,
    show_default=True,
    help="Messages before and after each hit, 0 to 20.",
)
@click.option(
    "--duplicates",
    default=0,
    show_default=True,
    help="Messages that each hit stands for because they say the same, 0 to 20.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object for programs.")
def search(  # noqa: PLR0913 - the options
    *,
    query: str | None,
    like: str | None,
    workspace: str,
    mode: str,
    sort: str,
    time_zone: str,
    facets: bool,
    limit: int,
    neighbours: int,
    duplicates: int,
    as_json: bool,
) -> None:
    """
    Find the messages that mean QUERY, or say it. The log records the search.

    QUERY may hold "exact phrases", -exclusions, `or`, beginnings*, and operators: from: in: before:
    after: on: has: kind: lang: label: upload:. An example: 'life jackets from:"Ada Lovelace"
    after:2024-03 -has:link'. With operators alone, all that they leave is listed, the newest first.

    With --like MESSAGE, no words are needed: `chatledger search --like 52224 in:Kitchen`.

    Exit status 0: something was found; 1: nothing; 2: the search failed.
    """
    if query is None and like is None:
        raise click.UsageError("Missing argument 'QUERY', or --like MESSAGE.")
    with plain_errors():
        # Here, so that `--help` and a wrong option answer at once.
        from application.ports.search import SearchRequest
        from infrastructure.bootstrap import open_container
        from infrastructure.settings import Settings
        from interfaces.cli.actor import cli_context
        from interfaces.cli.workspaces import workspace_named

        with open_container(Settings.from_env()) as container:
            workspace_id = workspace_named(container, workspace)
            request = SearchRequest(
                workspace_id=workspace_id,
                query=query or "",
                like=None if like is None else message_number(like),
                mode=cast("SearchMode", mode),
                sort=cast("Sort", sort),
                time_zone=time_zone,
                with_facets=facets,
                limit=limit,
                context=neighbours,
                duplicates=duplicates,
            )
            searched = container.perform_search(request, cli_context(workspace_id))
    show(searched, request, as_json=as_json)
    sys.exit(0 if searched.answer.hits else NOTHING_FOUND)


def message_number(id: str) -> int:
    """
    From `Message:52224`, or the bare number.

    Raises:
        SearchFailedError: no message has such an id.
    """
    bare = id.removeprefix("Message:")
    if not (bare.isascii() and bare.isdecimal() and len(bare) < MOST_DIGITS):
        raise SearchFailedError(f"--like takes a message's id, such as 52224, not {id!r}")
    return int(bare)


def show(searched: Searched, request: SearchRequest, *, as_json: bool) -> None:
    if as_json:
        import orjson

        from interfaces.cli.terminal import clean_json

        found = orjson.dumps(as_dict(searched, request), option=orjson.OPT_APPEND_NEWLINE)
        sys.stdout.buffer.write(clean_json(found))
        sys.stdout.buffer.flush()
        return
    from rich.console import Console

    from interfaces.cli.render_search import render

    render(Console(), searched, request)


@contextmanager
def plain_errors() -> Iterator[None]:
    """One line on stderr for what a person can act on; all else is a defect and shows as one."""
    from psycopg import Error

    from application.ports.embedder import EmbedderUnavailableError
    from application.ports.search import EmptyQueryError
    from application.searches import QueryRefusedError
    from interfaces.cli.errors import sentence

    try:
        yield
    except (EmbedderUnavailableError, EmptyQueryError, Error, QueryRefusedError) as error:
        raise SearchFailedError(" ".join(str(error).split())) from error
    except Exception as error:
        if (said := sentence(error)) is None:
            raise
        raise SearchFailedError(said) from error


def as_dict(searched: Searched, request: SearchRequest) -> dict[str, Any]:
    """Highlights count characters, as Python does. Ids are text: some readers round numbers."""
    answer = searched.answer
    found = asdict(answer)
    for hit in found["hits"]:
        del hit["place"], hit["stands_for"]
        for message in (hit["message"], *hit["before"], *hit["after"], *hit["others"]):
            message["id"] = str(message["id"])
    found["coverage"]["is_partial"] = answer.coverage.is_partial
    return {
        "query": request.query,
        "like": None if request.like is None else str(request.like),
        "mode": request.mode,
        **found,
        "milliseconds": round(searched.milliseconds, 3),
        "event_position": searched.position,
    }
