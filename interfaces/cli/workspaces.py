"""Workspaces by the names that people give them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import click

if TYPE_CHECKING:
    from infrastructure.container import Container


class UnknownWorkspaceError(click.ClickException):
    """There is none of this name; the message names those there are."""

    exit_code = 2


def workspace_named(container: Container, name: str) -> UUID:
    """
    Its id.

    Raises:
        UnknownWorkspaceError
    """
    from projections.workspaces.queries import workspace_by_name, workspaces

    with container.pool.connection() as connection:
        row = workspace_by_name(connection, name)
        if row is not None:
            return row.workspace_id
        names = ", ".join(repr(row.name) for row in workspaces(connection))
    raise UnknownWorkspaceError(
        f"there is no workspace {name!r}; there are: {names}"
        if names
        else f"there is no workspace {name!r}, and no other: `chatledger ingest FILE` makes one"
    )
