"""Who asks at the command line: until accounts exist, the local owner."""

from __future__ import annotations

import getpass
import socket
from uuid import UUID

from application.context import LOCAL_OWNER, Context


def cli_context(workspace_id: UUID | None) -> Context:
    """The one place that decides for whom a command is carried out."""
    origin = {"channel": "cli", "host": socket.gethostname(), "user": user_name()}
    return Context(actor_id=LOCAL_OWNER, workspace_id=workspace_id, origin=origin)


def user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"  # in a container there may be no entry for this user
