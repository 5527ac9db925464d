"""`chatledger searches`: what one has searched for, and what one has saved to search for again."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

import click

from domain.search import SearchMode
from interfaces.cli.search import FAILED, NOTHING_FOUND, plain_errors, show

if TYPE_CHECKING:
    from psycopg import Connection

    from application.context import Context
    from application.ports.search import Sort
    from infrastructure.container import Container
    from projections.saved_searches.queries import SavedSearchRow

T = TypeVar("T")
CATCH_UP_SECONDS = 2.0  # for what was recorded just now
MOST = 1_000  # lines of a list

IN_WORKSPACE = click.option(
    "--workspace", default="default", show_default=True, help="The archive's name."
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="JSON for programs.")


class SearchesFailedError(click.ClickException):
    """Nothing was done; the message says why."""

    exit_code = FAILED


@dataclass(frozen=True, slots=True)
class Opened:
    container: Container
    context: Context  # of whoever is at the terminal, in the workspace
    workspace_id: UUID

    def ask(self, query: Callable[[Connection[Any]], T]) -> T:
        with self.container.pool.connection() as connection:
            return query(connection)

    def catch_up(self, name: str) -> None:
        """
        Does itself what a worker would, should none be running: these read models are small. Says
        so where a list does not have everything for all that.
        """
        head = self.container.archive.event_log.head()
        self.container.runner.advance(name)
        if not self.container.positions.wait([name], head, CATCH_UP_SECONDS):
            click.echo("not everything is in this list yet; is a worker running?", err=True)


@contextmanager
def opened(workspace: str) -> Iterator[Opened]:
    """
    Raises:
        click.ClickException: with a sentence that says why something was refused.
    """
    from application.archive import NotFoundError
    from application.commands.replay_search import SearchErasedError
    from application.ports.search import SearchTookTooLongError
    from domain.saved_search import SavedSearchNameError, TooManySavedSearchesError
    from infrastructure.bootstrap import open_container
    from infrastructure.settings import Settings
    from interfaces.cli.actor import cli_context
    from interfaces.cli.workspaces import workspace_named

    refusals = (
        NotFoundError,
        SavedSearchNameError,
        SearchErasedError,
        SearchTookTooLongError,
        TooManySavedSearchesError,
    )
    with plain_errors(), open_container(Settings.from_env()) as container:
        workspace_id = workspace_named(container, workspace)
        try:
            yield Opened(container, cli_context(workspace_id), workspace_id)
        except refusals as error:
            raise SearchesFailedError(" ".join(str(error).split())) from error


@click.group()
def searches() -> None:
    """What you have searched for, and the searches that you have saved. Nobody else sees them."""


@searches.command("list")
@IN_WORKSPACE
@AS_JSON
def list_saved(*, workspace: str, as_json: bool) -> None:
    """List the searches that you have saved, the newest first."""
    from interfaces.cli.render_searches import print_json, render_saved, saved_as_dict
    from projections.paging import Window
    from projections.saved_searches.queries import saved_searches_page

    with opened(workspace) as place:
        place.catch_up("saved_searches")
        rows = place.ask(
            lambda connection: saved_searches_page(
                connection,
                place.workspace_id,
                owner_id=place.context.actor_id,
                window=Window(limit=MOST),
            )
        ).rows
    if as_json:
        print_json([saved_as_dict(row) for row in rows])
    else:
        render_saved(rows)


# A query may begin with an exclusion, which is no option.
@searches.command(context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("query")
@IN_WORKSPACE
@click.option("--mode", type=click.Choice(["hybrid", "meaning", "words"]), default="hybrid")
@click.option("--sort", type=click.Choice(["relevance", "newest", "oldest"]), default="relevance")
@click.option("--time-zone", default="UTC", show_default=True, help="In which days begin.")
def save(*, name: str, query: str, workspace: str, mode: str, sort: str, time_zone: str) -> None:
    """Keep QUERY under NAME. Days in it, such as after:7d, are reckoned whenever it is run."""
    from application.commands.save_search import SaveSearch

    with opened(workspace) as place:
        command = SaveSearch(
            workspace_id=place.workspace_id,
            name=name,
            query=query,
            mode=cast("SearchMode", mode),
            sort=cast("Sort", sort),
            time_zone=time_zone,
        )
        accepted = place.container.save_search(command, place.context)
    click.echo(f"Saved as {accepted.result['saved_search_id']}.")


@searches.command()
@click.argument("saved", metavar="NAME|ID")
@click.argument("name")
@IN_WORKSPACE
def rename(*, saved: str, name: str, workspace: str) -> None:
    """Give a saved search another name."""
    from application.commands.rename_saved_search import RenameSavedSearch

    with opened(workspace) as place:
        id_ = named(place, saved).saved_search_id
        command = RenameSavedSearch(saved_search_id=id_, name=name)
        place.container.rename_saved_search(command, place.context)
    click.echo(f"Renamed {id_}.")


@searches.command()
@click.argument("saved", metavar="NAME|ID")
@IN_WORKSPACE
def delete(*, saved: str, workspace: str) -> None:
    """Delete a saved search. What it has found stays in the log."""
    from application.commands.delete_saved_search import DeleteSavedSearch

    with opened(workspace) as place:
        id_ = named(place, saved).saved_search_id
        place.container.delete_saved_search(DeleteSavedSearch(saved_search_id=id_), place.context)
    click.echo(f"Deleted {id_}.")


@searches.command()
@click.argument("saved", metavar="NAME|ID")
@IN_WORKSPACE
@click.option("--limit", default=10, show_default=True, help="Hits at most, 1 to 100.")
@click.option(
    "--context",
    "neighbours",
    default=2,
    show_default=True,
    help="Messages before and after each hit, 0 to 20.",
)
@AS_JSON
def run(*, saved: str, workspace: str, limit: int, neighbours: int, as_json: bool) -> None:
    """
    Search for what you have saved. The log records the search.

    Exit status 0: something was found; 1: nothing; 2: the search failed.
    """
    from application.ports.search import SearchRequest
    from application.searching.filters import Filters

    with opened(workspace) as place:
        row = named(place, saved)
        request = SearchRequest(
            workspace_id=place.workspace_id,
            query=row.query,
            filters=Filters.from_dict(row.filters),
            mode=cast("SearchMode", row.mode),
            sort=cast("Sort", row.sort),
            time_zone=row.time_zone,
            limit=limit,
            context=neighbours,
            saved_search_id=row.saved_search_id,
        )
        searched = place.container.perform_search(request, place.context)
    show(searched, request, as_json=as_json)
    sys.exit(0 if searched.answer.hits else NOTHING_FOUND)


@searches.command()
@IN_WORKSPACE
@click.option(
    "--limit",
    type=click.IntRange(1, MOST),
    default=20,
    show_default=True,
    help="Searches at most.",
)
@AS_JSON
def history(*, workspace: str, limit: int, as_json: bool) -> None:
    """List what you have searched for, the newest first."""
    from interfaces.cli.render_searches import past_as_dict, print_json, render_history
    from projections.paging import Window
    from projections.searches.queries import searches_page

    with opened(workspace) as place:
        place.catch_up("searches")
        rows = place.ask(
            lambda connection: searches_page(
                connection,
                place.workspace_id,
                searcher_id=place.context.actor_id,
                window=Window(limit=limit),
            )
        ).rows
    if as_json:
        print_json([past_as_dict(row) for row in rows])
    else:
        render_history(rows)


@searches.command()
@click.argument("position", type=click.IntRange(min=1))
@IN_WORKSPACE
@AS_JSON
def replay(*, position: int, workspace: str, as_json: bool) -> None:
    """
    Run the search that the log recorded at POSITION again: as of then, and as of today.

    Shows what has changed, and what could not be replayed exactly. The log records the replay.
    Exit status 0: it finds the same today; 1: something has changed; 2: it failed.
    """
    from application.commands.replay_search import ReplaySearch
    from infrastructure.search import messages
    from interfaces.cli.render_searches import print_json, render_replay, replay_as_dict

    with opened(workspace) as place:
        replayed = place.container.replay_search(ReplaySearch(position=position), place.context)
        ids = [
            hit.message_id
            for side in (replayed.as_of_then, replayed.today)
            for hit in (*side.hits, *side.gone)
        ]
        found = place.ask(
            lambda connection: messages.by_id(
                connection, workspace_id=place.workspace_id, ids=list(dict.fromkeys(ids))
            )()
        )
    if as_json:
        print_json(replay_as_dict(replayed))
    else:
        render_replay(replayed, found)
    sys.exit(0 if replayed.today.is_same else NOTHING_FOUND)


def named(place: Opened, text: str) -> SavedSearchRow:
    """
    Raises:
        SearchesFailedError: there is none of this name or id, or there are several.
    """
    from projections.saved_searches.queries import saved_searches_called

    place.catch_up("saved_searches")
    found: list[SavedSearchRow] = []
    if text.isprintable():  # as every name is
        found = place.ask(
            lambda connection: saved_searches_called(
                connection, place.workspace_id, place.context.actor_id, text
            )
        )
    if not found:
        raise SearchesFailedError(
            f"you have saved no search as {text!r}: `chatledger searches list` shows them"
        )
    if len(found) > 1:
        ids = ", ".join(str(row.saved_search_id) for row in found)
        raise SearchesFailedError(f"several are called {text!r}: give one of the ids {ids}")
    return found[0]
