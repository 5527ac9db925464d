"""A migrated database on an embedded server that lasts for one measurement; its read models."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infrastructure.container import Container
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


def advance(container: Container) -> None:
    """Until every read model has taken in the whole log."""
    for name in container.runner.names:
        while container.runner.advance(name):
            continue
