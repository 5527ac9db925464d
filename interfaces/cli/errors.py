"""What a person can put right is one sentence; all else is a defect, and shows as one."""

from __future__ import annotations

from psycopg import OperationalError
from sqlalchemy.exc import DBAPIError

from application.ports.search import SearchTookTooLongError
from infrastructure.keys.master import MasterKeyError
from infrastructure.postgres.embedded_places import EmbeddedPostgresError
from infrastructure.settings import SettingError

EXPECTED = (
    EmbeddedPostgresError,
    MasterKeyError,
    OperationalError,
    SearchTookTooLongError,
    SettingError,
)


def sentence(error: Exception) -> str | None:
    """Of a wrong setting, or of a database out of reach. None if it is a defect."""
    if isinstance(error, DBAPIError):  # of the migrations: the driver's own words are inside
        return one_line(str(error.orig))
    return one_line(str(error)) if isinstance(error, EXPECTED) else None


def one_line(text: str) -> str:
    return " ".join(text.split())
