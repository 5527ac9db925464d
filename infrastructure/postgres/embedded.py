"""PostgreSQL without an installation: started by its first user, stopped by its last."""

from __future__ import annotations

import logging
import shutil
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql

from infrastructure.postgres.embedded_keeper import Keeper
from infrastructure.postgres.embedded_places import (
    FALLBACK_ROOT,
    EmbeddedPostgresError,
    Notice,
    ServerAccount,
    find_programs,
    make_folder,
    settle,
)
from infrastructure.postgres.embedded_process import (
    POLL_SECONDS,
    Running,
    ServerFolder,
    locked,
)
from infrastructure.postgres.embedded_signals import postponed_signals

DATABASE = "chatledger"
STOP_SECONDS = 120.0

_log = logging.getLogger(__name__)


class EmbeddedPostgres:
    """One server for one folder. Safe to start from several processes: the first one launches it,
    the others use it, and whoever leaves last stops it. What killed users left running is found
    and used by the next one to start.

    It listens on a Unix socket only, in a folder that its user alone (and root) can enter.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        notice: Notice = _log.warning,
        fallback_root: Path = FALLBACK_ROOT,
        start_timeout_seconds: float = 600.0,  # replaying a long log after a crash takes minutes
    ) -> None:
        self.data_dir = data_dir.absolute()
        self.folder = self.data_dir  # where the data is; another one if that is out of reach
        self._notice = notice
        self._fallback_root = fallback_root
        self._start_timeout_seconds = start_timeout_seconds
        self._files: ServerFolder | None = None
        self._running: Running | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper: Keeper | None = None

    @property
    def pid(self) -> int | None:
        return self._running.pid if self._running else None

    def start(self) -> str:
        """Starts the server, or finds it running. Returns the URL of the database `chatledger`."""
        if self._running is not None:
            return self._running.url(DATABASE)
        make_folder(self.data_dir)
        self.data_dir = self.data_dir.resolve()
        try:
            with locked(self.data_dir / "lock"):
                return self._start()
        except OSError as error:
            raise EmbeddedPostgresError(
                f"cannot use {error.filename or self.data_dir}: {error.strerror}; "
                "put it right, choose another folder, or set DATABASE_URL"
            ) from error

    def stop(self) -> None:
        """Leaves the server to its other users, or stops it if there are none. Harmless twice."""
        if self._keeper is not None:
            self._keeper.stop()
        files, running = self._files, self._running
        self._running = None
        if files is None or running is None:
            return
        with locked(self.data_dir / "lock"):  # nobody joins between the question and the stop
            if not files.leave():
                return
            if not files.stop(STOP_SECONDS):
                self._notice("PostgreSQL did not stop in time; it will recover at the next start")
        if self._process is not None:
            self._process.wait()
            self._process = None

    def keep_alive(self) -> None:
        """From now on, in a thread: if the server dies, it is started again where it was."""
        self._keeper = Keeper(self.revive)

    def revive(self) -> bool:
        """
        Start the server again if it has died. Returns whether it had.

        Raises:
            EmbeddedPostgresError, OSError
        """
        files = self._files
        if files is None or self._running is None or files.read_postmaster()[0] is not None:
            return False
        with locked(self.data_dir / "lock"):
            if files.is_alive():  # its last processes are ending, or another user was quicker
                return False
            if self._process is not None:
                self._process.wait()
            deadline = time.monotonic() + self._start_timeout_seconds
            account = ServerAccount.for_cluster(files.cluster)
            self._running = self._launch(files, account, deadline)
        return True

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _start(self) -> str:
        self.folder, account = settle(self.data_dir, self._fallback_root, self._notice)
        files = self._files = ServerFolder(self.folder)
        try:
            files.join()
            running = self._find_or_launch(files, account)
            _ensure_database(running)
            self._running = running
        except BaseException:  # Ctrl-C included: nothing of ours stays behind half started
            self._abandon(files)
            raise
        return running.url(DATABASE)

    def _find_or_launch(self, files: ServerFolder, account: ServerAccount) -> Running:
        deadline = time.monotonic() + self._start_timeout_seconds
        running = files.wait_for_running(deadline)
        return self._launch(files, account, deadline) if running is None else running

    def _launch(self, files: ServerFolder, account: ServerAccount, deadline: float) -> Running:
        programs = find_programs(account, self._fallback_root, self._notice)
        self._prepare_cluster(files, programs, account)
        with postponed_signals():  # or the server would live, and we not know of it
            self._process = files.launch(programs, account)
        return self._wait_until_ready(files, self._process, deadline)

    def _prepare_cluster(self, files: ServerFolder, programs: Path, account: ServerAccount) -> None:
        version_file = files.cluster / "PG_VERSION"
        if not files.cluster.is_dir():
            self._initialise(files, programs, account)
            return
        if not version_file.is_file():
            raise EmbeddedPostgresError(
                f"{files.cluster} holds no PostgreSQL data; move it away to begin with an empty one"
            )
        ours = account.run(programs / "postgres", "--version").stdout.split()[-1].split(".")[0]
        theirs = version_file.read_text("utf-8").strip()
        if ours != theirs:
            raise EmbeddedPostgresError(
                f"{files.cluster} was written by PostgreSQL {theirs}, and this is {ours}: "
                f"dump it with version {theirs} and restore it into an empty folder"
            )

    def _initialise(self, files: ServerFolder, programs: Path, account: ServerAccount) -> None:
        """Into a draft, then renamed: a folder named `cluster` is always a whole one."""
        draft = files.cluster.with_name("cluster.new")
        if draft.is_dir():
            shutil.rmtree(draft)  # of an earlier try that was killed
        draft.mkdir(mode=0o700)
        account.give(draft)
        done = account.run(
            programs / "initdb",
            f"--pgdata={draft}",
            "--username=postgres",
            "--auth=trust",  # who reaches the socket is trusted; its folder lets nobody else in
            "--encoding=UTF8",
            # PostgreSQL's own collation: a new C library cannot break the order of an index.
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C.UTF-8",
            "--data-checksums",
        )
        if done.returncode != 0:
            shutil.rmtree(draft)
            output = (done.stdout + done.stderr).strip()
            full = "; the disk is full" if "No space left on device" in output else ""
            tail = "\n  ".join(output.splitlines()[-15:])
            raise EmbeddedPostgresError(
                f"cannot create a database in {self.folder}{full}:\n  {tail}"
            )
        draft.rename(files.cluster)

    def _wait_until_ready(
        self, files: ServerFolder, process: subprocess.Popen[bytes], deadline: float
    ) -> Running:
        told_at = time.monotonic() + 10
        while process.poll() is None:
            running = files.read_ready()
            if running is not None:
                return running
            now = time.monotonic()
            if now > deadline:
                raise EmbeddedPostgresError(f"PostgreSQL does not become ready{files.log_tail()}")
            if now > told_at:
                self._notice(f"PostgreSQL is recovering after a crash; see {files.log}")
                told_at = deadline + 1
            time.sleep(POLL_SECONDS)
        raise EmbeddedPostgresError(
            f"PostgreSQL ended with status {process.returncode}{files.log_tail()}"
        )

    def _abandon(self, files: ServerFolder) -> None:
        process, self._process, self._running = self._process, None, None
        files.leave()
        if process is not None:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)  # fast shutdown
                process.wait(STOP_SECONDS)
            files.remove_leftovers()


def _ensure_database(running: Running) -> None:
    with psycopg.connect(running.url("postgres"), autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
        if known.fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
