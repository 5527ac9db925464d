"""A PostgreSQL of a test's own that is killed with all its processes, and comes back."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree

import psutil
import psycopg

from infrastructure.postgres.embedded import EmbeddedPostgres
from infrastructure.postgres.embedded_places import ENVIRONMENT, ServerAccount
from tests.support.eventually import eventually


class CrashableServer:
    """Comes back at the address that it had, as a server does that a service manager restarts."""

    def __init__(self, url: str, pid: int, cluster: Path) -> None:
        self.url = url
        self._process = psutil.Process(pid)
        self._command = self._process.cmdline()
        self._account = ServerAccount.for_cluster(cluster)
        self._log = cluster.parent / "server.log"
        self._restarted: list[subprocess.Popen[bytes]] = []

    def kill(self) -> None:
        """kill -9: the postmaster first, so that it notices nothing of the others."""
        tree = [self._process, *self._process.children(recursive=True)]
        for process in tree:
            process.kill()
        for restarted in self._restarted:
            restarted.wait()
        psutil.wait_procs(tree, 10)

    def start(self) -> None:
        account = self._account
        with self._log.open("ab") as log:
            started = subprocess.Popen(
                self._command,
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
            )
        self._restarted.append(started)
        self._process = psutil.Process(started.pid)

    def answers(self) -> bool:
        try:
            psycopg.connect(self.url).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def crashable_server() -> Iterator[CrashableServer]:
    folder = Path(tempfile.mkdtemp(prefix="chatledger-crashes-")).resolve()
    folder.chmod(0o711)  # as root the server is another user
    embedded = EmbeddedPostgres(folder / "postgres")
    try:
        url = embedded.start()
        assert embedded.pid is not None
        server = CrashableServer(url, embedded.pid, embedded.folder / "cluster")
        try:
            yield server
        finally:
            server.kill()
            embedded.stop()  # it is gone already: clears away its socket
    finally:
        rmtree(folder)


def restart(server: CrashableServer) -> None:
    server.start()
    eventually(server.answers, 30)
