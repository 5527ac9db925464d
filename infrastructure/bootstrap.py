"""From settings to a running system: the only place that constructs adapters."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from application.ports.embedder import Embedder
from application.ports.projections import (
    RebuildRunningError,
    RebuildStoppedError,
    SwapRefusedError,
)
from infrastructure.container import Container
from infrastructure.keys.master import MasterKey
from infrastructure.postgres.connection import impatient
from infrastructure.postgres.embedded import EmbeddedPostgres
from infrastructure.postgres.migrations import migrate
from infrastructure.saying import Say, announce, leaving_behind
from infrastructure.settings import Settings

RUNS_ON = (
    "PostgreSQL in {folder} runs on: the next command that needs it takes it over, and stops it at "
    "its end."
)
# Every connection: the role that may only append to the log, and Procrastinate's schema first.
SESSION = "-c role=chatledger_app -c search_path=jobs,public -c application_name=chatledger"


@contextmanager
def open_database(settings: Settings, *, say: Say = announce) -> Iterator[str]:
    """The database's URL, migrated. Starts the embedded server if no other one is named."""
    with ExitStack() as stack:
        url = settings.database_url
        if url is None:
            server = EmbeddedPostgres(settings.data_dir / "postgres", notice=say)
            stack.callback(server.stop)  # first: a signal may come as soon as it has started
            url = server.start()
            server.keep_alive()
            stack.enter_context(leaving_behind(RUNS_ON.format(folder=server.folder)))
        migrate(url)
        yield url


@contextmanager
def open_container(
    settings: Settings,
    *,
    make_embedder: Callable[[int | None], Embedder] | None = None,
    say: Say = announce,
) -> Iterator[Container]:
    """
    Everything, ready for use: database migrated, read models there, keys loaded.

    Raises:
        MasterKeyError, EmbeddedPostgresError, psycopg.Error: with a sentence that says what to do.
    """
    with (
        open_database(settings, say=say) as url,
        open_container_at(url, settings, make_embedder=make_embedder, say=say) as container,
    ):
        yield container


@contextmanager
def open_container_at(
    url: str,
    settings: Settings,
    *,
    make_embedder: Callable[[int | None], Embedder] | None = None,
    say: Say = announce,
) -> Iterator[Container]:
    """The same on a database that is open already, as `open_database` gives it."""
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
                text = f"The read model {name} is outdated, and stands still until `{command}`."
                say(text, "projection_outdated", level="warning", projection=name)
        yield container
    finally:
        container.close()


def rebuild(container: Container, name: str, say: Say) -> None:
    """
    A read model that another release has made. Who has the embedded server has no operator.

    If it cannot be done, what is read stays as it was, and a sentence says why.
    """
    text = f"The read model {name} was made by another release: it is built anew from the log."
    say(text, "projection_rebuilding", projection=name)
    try:
        container.rebuilder.rebuild(name)
    except (RebuildRunningError, RebuildStoppedError, SwapRefusedError) as error:
        text = f"The read model {name} is outdated: {error}."
        say(text, "projection_outdated", level="warning", projection=name)


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
    return impatient(make_conninfo(url, options=f"{options} {SESSION}".strip()))


def master_key(settings: Settings, url: str, say: Say) -> MasterKey:
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
            text = f"Made a master key in {path}: back it up, nothing can be read without it."
            say(text, "master_key_created", level="warning", path=str(path))
    return MasterKey.from_file(path)


def has_keys(url: str) -> bool:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT EXISTS (SELECT FROM keys.subject_key)").fetchone()
    return row is not None and bool(row[0])
