"""The running server, seen from its files: is it alive, is it ready, who uses it."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

import psutil

from infrastructure.postgres.embedded_places import (
    ENVIRONMENT,
    EmbeddedPostgresError,
    ServerAccount,
    private_folder,
)

POLL_SECONDS = 0.02
HIDDEN_SECONDS = 30.0  # a server that is just starting, or just dying, has no visible process
LOG_LIMIT = 16 * 1024 * 1024  # bytes; a longer log is set aside at the next start
SETTINGS = {
    "listen_addresses": "",  # nobody reaches it over a network
    "unix_socket_permissions": "0700",
    "fsync": "on",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "maintenance_work_mem": "256MB",
    "max_parallel_maintenance_workers": "2",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "log_checkpoints": "off",  # or an idle year fills the log file
    # A refused row or statement is not quoted: it may be what somebody wrote in a chat.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
}


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time starts or stops a server. A signal's handler runs while this waits."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Running:
    """A server that accepts connections."""

    pid: int
    socket_dir: str

    def url(self, database: str) -> str:
        # The port only names the socket's file; said, so that a PGPORT around us does not matter.
        return f"postgresql://postgres@/{database}?host={quote(self.socket_dir)}&port=5432"


@dataclass(frozen=True, slots=True)
class _Note:
    """Kept beside the data: where the socket is, to be removed after a crash."""

    socket_dir: str


class ServerFolder:
    """
    cluster/ (the data), server.log, socket (the note of where it is), and two files that are only
    locked: alive, as long as any process of the server lives; users, shared by all who use it.
    """

    def __init__(self, folder: Path) -> None:
        self.cluster = folder / "cluster"
        self.log = folder / "server.log"
        self._alive = folder / "alive"
        self._socket = folder / "socket"
        self._users = folder / "users"
        self._membership: int | None = None  # our descriptor of `users`

    def join(self) -> None:
        """From now on nobody else stops the server. A killed process leaves by being killed."""
        descriptor = os.open(self._users, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        self._membership = descriptor

    def leave(self) -> bool:
        """True if we were the last user. Harmless to repeat."""
        descriptor, self._membership = self._membership, None
        if descriptor is None:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        else:
            return True
        finally:
            os.close(descriptor)

    def wait_for_running(self, deadline: float) -> Running | None:
        """None when no server lives; else waits until it is ready, or quite gone."""
        hidden_until = time.monotonic() + HIDDEN_SECONDS
        while True:
            running, status = self.read_postmaster()
            if running is None and not self.is_alive():
                return None
            if running is not None and status == "ready":
                return running
            if time.monotonic() > (hidden_until if running is None else deadline):
                raise EmbeddedPostgresError(
                    f"another server process holds {self.cluster} (in another container, perhaps) "
                    f"and does not become ready{self.log_tail()}"
                )
            time.sleep(POLL_SECONDS)

    def read_ready(self) -> Running | None:
        running, status = self.read_postmaster()
        return running if status == "ready" else None

    def launch(self, programs: Path, account: ServerAccount) -> subprocess.Popen[bytes]:
        """Starts the server in a session of its own: Ctrl-C in our terminal is not for it."""
        # Where it was, if it was: whoever has used it finds it again without being told.
        socket_dir = self._kept_socket_dir(account)
        self.remove_leftovers(keep_socket_dir=socket_dir is not None)
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        socket_dir = socket_dir or self._make_socket_dir(account)
        settings = SETTINGS | {"unix_socket_directories": socket_dir}
        shared = Path("/dev/shm")  # noqa: S108 # asked for its size only
        if not shared.is_dir() or shutil.disk_usage(shared).free < 2**30:
            # Containers often have 64 MB there, too little for a parallel index build.
            settings["dynamic_shared_memory_type"] = "mmap"
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        alive = self._open_alive()
        try:
            fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return subprocess.Popen(  # noqa: S603 # our own programs and paths, no shell
                [str(programs / "postgres"), "-D", str(self.cluster), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=ENVIRONMENT,
                start_new_session=True,
                user=account.uid if account.is_other else None,
                group=account.gid if account.is_other else None,
                extra_groups=[] if account.is_other else None,
                umask=0o077,
                pass_fds=(alive,),  # the kernel drops the lock with the last process that has it
            )
        finally:
            os.close(alive)
            os.close(log)

    def stop(self, timeout_seconds: float) -> bool:
        """Fast shutdown. False if that took too long and the server was stopped at once instead."""
        deadline = time.monotonic() + timeout_seconds
        # Not the one we found at our start: that may have crashed, and another user launched this.
        running, _ = self.read_postmaster()
        if running is not None:
            _signal(running.pid, signal.SIGINT)
        while self.is_alive() and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        was_fast = not self.is_alive()
        if not was_fast and running is not None:
            _signal(running.pid, signal.SIGQUIT)
            while self.is_alive() and time.monotonic() < deadline + 10:
                time.sleep(POLL_SECONDS)
        self.remove_leftovers()
        return was_fast

    def log_tail(self, lines: int = 15) -> str:
        if not self.log.exists():
            return ""
        text = self.log.read_bytes()[-8192:].decode("utf-8", "replace")
        tail = "\n  ".join(text.splitlines()[-lines:])
        hint = "\nThe disk is full." if "No space left on device" in tail else ""
        return f"; the end of {self.log}:\n  {tail}{hint}"

    def read_postmaster(self) -> tuple[Running | None, str]:
        """The server's first process, if it lives, and how far its start has come."""
        try:
            lines = (self.cluster / "postmaster.pid").read_text("utf-8").splitlines()
            pid = int(lines[0])
            # Another program may have the number of a server that died: this folder tells.
            if Path(psutil.Process(pid).cwd()) != self.cluster:
                return None, ""
        except (FileNotFoundError, IndexError, ValueError, psutil.Error):
            return None, ""
        if len(lines) < 8:
            return Running(pid, ""), "starting"
        return Running(pid, lines[4].strip()), lines[7].strip()

    def _open_alive(self) -> int:
        return os.open(self._alive, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def is_alive(self) -> bool:
        """Any process of the server. Ask under the lock: asking takes what launching takes."""
        descriptor = self._open_alive()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            return False
        finally:
            os.close(descriptor)

    def _read_note(self) -> _Note:
        try:
            return _Note(**json.loads(self._socket.read_text("utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return _Note("")  # a power cut can leave it empty

    def _write_note(self, note: _Note) -> None:
        draft = self._socket.with_suffix(".new")
        draft.write_text(json.dumps(asdict(note)), "utf-8")
        draft.replace(self._socket)

    def _make_socket_dir(self, account: ServerAccount) -> str:
        folder = private_folder(account)
        try:
            self._write_note(_Note(str(folder)))  # so that it is removed, whatever happens to us
        except OSError:
            folder.rmdir()
            raise
        return str(folder)

    def _kept_socket_dir(self, account: ServerAccount) -> str | None:
        """Of a server that died; None if there is none, or it could be somebody else's by now."""
        socket_dir = self._read_note().socket_dir
        try:
            found = os.lstat(socket_dir)
        except OSError:
            return None
        is_private = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o077
        return socket_dir if is_private and found.st_uid == account.uid else None

    def remove_leftovers(self, *, keep_socket_dir: bool = False) -> None:
        """Only if no server lives. A dead one's pid file may name a process of another program."""
        if self.is_alive():
            return
        (self.cluster / "postmaster.pid").unlink(missing_ok=True)
        if socket_dir := self._read_note().socket_dir:
            for name in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
                Path(socket_dir, name).unlink(missing_ok=True)
            if keep_socket_dir:
                return
            if Path(socket_dir).is_dir() and not any(Path(socket_dir).iterdir()):
                Path(socket_dir).rmdir()
        self._socket.unlink(missing_ok=True)


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # it ended by itself, which is what we ask for
