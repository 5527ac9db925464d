"""From settings to a running system: the only place that constructs adapters."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from application.ports.embedder import Embedder
from infrastructure.container import Container
from infrastructure.keys.master import MasterKey
from infrastructure.postgres.embedded import EmbeddedPostgres
from infrastructure.postgres.migrations import migrate
from infrastructure.projections.rebuild import (
    RebuildRunningError,
    RebuildStoppedError,
    SwapRefusedError,
)
from infrastructure.settings import Settings

# Every connection: the role that may only append to the log, and Procrastinate's schema first.
SESSION = "-c role=chatledger_app -c search_path=jobs,public -c application_name=chatledger"


def notice(text: str) -> None:
    """For the person at the terminal; never mixed into output that a program may read."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201


@contextmanager
def open_database(settings: Settings, *, say: Callable[[str], None] = notice) -> Iterator[str]:
    """The database's URL, migrated. Starts the embedded server if no other one is named."""
    with ExitStack() as stack:
        url = settings.database_url
        if url is None:
            server = EmbeddedPostgres(settings.data_dir / "postgres", notice=say)
            stack.callback(server.stop)  # first: a signal may come as soon as it has started
            url = server.start()
        migrate(url)
        yield url


@contextmanager
def open_container(
    settings: Settings,
    *,
    make_embedder: Callable[[int | None], Embedder] | None = None,
    say: Callable[[str], None] = notice,
) -> Iterator[Container]:
    """
    Everything, ready for use: database migrated, read models there, keys loaded.

    Raises:
        MasterKeyError, EmbeddedPostgresError, psycopg.Error: with a sentence that says what to do.
    """
    with open_database(settings, say=say) as url:
        keep_private(settings.data_dir)
        container = Container(
            settings=settings,
            conninfo=session_conninfo(url),
            master=master_key(settings, url, say),
            make_embedder=make_embedder,
        )
        try:
            for name in container.runner.ensure_all():
                if settings.database_url is None:
                    rebuild(container, name, say)
                else:  # others use it too, and may be busy
                    command = f"chatledger projection rebuild {name}"
                    say(f"The read model {name} is outdated, and stands still until `{command}`.")
            yield container
        finally:
            container.close()


def rebuild(container: Container, name: str, say: Callable[[str], None]) -> None:
    """
    A read model that another release has made. Who has the embedded server has no operator.

    If it cannot be done, what is read stays as it was, and a sentence says why.
    """
    say(f"The read model {name} was made by another release: it is built anew from the log.")
    try:
        container.rebuilder.rebuild(name)
    except (RebuildRunningError, RebuildStoppedError, SwapRefusedError) as error:
        say(f"The read model {name} is outdated: {error}.")


def keep_private(data_dir: Path) -> None:
    """
    What holds keys or personal data is for its owner alone, whoever made it and however.

    `data_dir` itself stays as it is: the embedded server's user has to pass through.
    """
    for name in ("blobs", "keys", "vectors"):
        folder = data_dir / name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
        if found.st_uid == os.geteuid() and found.st_mode & 0o077:
            folder.chmod(0o700)


def session_conninfo(url: str) -> str:
    options = conninfo_to_dict(url).get("options") or ""
    return make_conninfo(url, options=f"{options} {SESSION}".strip())


def master_key(settings: Settings, url: str, say: Callable[[str], None]) -> MasterKey:
    """
    From the settings, else from its file, which is made on the very first start.

    Raises:
        MasterKeyError: if there is none, but the archive holds what another one has sealed.
    """
    if settings.master_key is not None:
        return MasterKey.from_text(settings.master_key)
    path = settings.data_dir / "keys" / "master.key"
    if not path.exists() and not has_keys(url):
        # Another process may be quicker, with the same intent: then its key is the key.
        with suppress(FileExistsError):
            MasterKey.create_file(path)
            say(f"Made a master key in {path}: back it up, nothing can be read without it.")
    return MasterKey.from_file(path)


def has_keys(url: str) -> bool:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT EXISTS (SELECT FROM keys.subject_key)").fetchone()
    return row is not None and bool(row[0])
