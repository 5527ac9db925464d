"""A migrated database on an embedded server that lasts for one measurement."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infrastructure.postgres.embedded import EmbeddedPostgres
from infrastructure.postgres.migrations import migrate


@contextmanager
def fresh_database() -> Iterator[tuple[str, Path]]:
    """The database's URL and a folder for other data."""
    folder = Path(tempfile.mkdtemp(prefix="chatledger-bench-"))
    folder.chmod(0o711)
    try:
        with EmbeddedPostgres(folder / "postgres") as server:
            url = server.start()
            migrate(url)
            yield url, folder
    finally:
        shutil.rmtree(folder)
