"""What a person can put right is one sentence; all else is a defect, and shows as one."""

from __future__ import annotations

from typing import IO, Any

import click
from psycopg import OperationalError
from sqlalchemy.exc import DBAPIError

from application.ports.search import SearchTookTooLongError
from infrastructure.keys.master import MasterKeyError
from infrastructure.postgres.embedded_places import EmbeddedPostgresError
from infrastructure.saying import Voice, announce
from infrastructure.settings import SettingError

EXPECTED = (
    EmbeddedPostgresError,
    MasterKeyError,
    OperationalError,
    SearchTookTooLongError,
    SettingError,
)


class LoggedError(click.ClickException):
    """Says in a line of the log what another one says in text."""

    def show(self, file: IO[Any] | None = None) -> None:
        del file
        announce(self.message, "command_failed", level="error", status=self.exit_code)


class LoggedUsageError(LoggedError):
    exit_code = click.UsageError.exit_code


def as_said(error: Exception) -> click.ClickException | None:
    """What ends the command with a sentence. None if it is a defect."""
    if not isinstance(error, click.ClickException):
        if (said := sentence(error)) is None:
            return None
        error = click.ClickException(said)
    if not Voice.is_structured:
        return error
    kind = LoggedUsageError if isinstance(error, click.UsageError) else LoggedError
    return kind(error.format_message())


def sentence(error: Exception) -> str | None:
    """Of a wrong setting, or of a database out of reach. None if it is a defect."""
    if isinstance(error, DBAPIError):  # of the migrations: the driver's own words are inside
        return one_line(str(error.orig))
    return one_line(str(error)) if isinstance(error, EXPECTED) else None


def one_line(text: str) -> str:
    return " ".join(text.split())
