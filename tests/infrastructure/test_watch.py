"""What counts as a database that is away, and what does not: sound connections are not cut."""

from __future__ import annotations

import resource
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Self

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from infrastructure.postgres.connection import GuardedConnection, impatient
from infrastructure.postgres.greeting import is_there
from infrastructure.postgres.watch import DatabaseWatch
from tests.support.crashable import CrashableServer, crashable_server, restart
from tests.support.eventually import eventually

SLOW = "SELECT pg_sleep(2.5)"
WATCHES = """
SELECT pid FROM pg_stat_activity
WHERE usename = 'narrow' AND application_name = 'watch' AND query = 'SELECT 1'
"""
OF_THE_WATCH = f"SELECT pg_terminate_backend(pid, 2000) FROM ({WATCHES}) AS watch"


@pytest.fixture(scope="module")
def server() -> Iterator[CrashableServer]:
    with crashable_server() as crashable:
        with psycopg.connect(crashable.url, autocommit=True) as owner:
            owner.execute("CREATE ROLE narrow LOGIN")
        yield crashable


@contextmanager
def watching(conninfo: str) -> Iterator[DatabaseWatch]:
    watch = DatabaseWatch(impatient(make_conninfo(conninfo, application_name="watch")))
    watch.start()
    try:
        yield watch
    finally:
        watch.stop()


Trouble = Callable[[psycopg.Connection[Any], ExitStack], None]


def too_many(owner: psycopg.Connection[Any], stack: ExitStack) -> None:
    owner.execute("ALTER ROLE narrow CONNECTION LIMIT 1")
    stack.callback(owner.execute, "ALTER ROLE narrow CONNECTION LIMIT -1")


def refused(owner: psycopg.Connection[Any], stack: ExitStack) -> None:
    owner.execute("ALTER ROLE narrow NOLOGIN")
    stack.callback(owner.execute, "ALTER ROLE narrow LOGIN")


def no_files(owner: psycopg.Connection[Any], stack: ExitStack) -> None:
    del owner
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))  # none can be opened any more


@pytest.mark.parametrize("trouble", [too_many, refused, no_files])
def test_a_connection_refused_to_the_watch_cuts_no_statement_of_others(
    server: CrashableServer, caplog: pytest.LogCaptureFixture, trouble: Trouble
) -> None:
    narrow = make_conninfo(server.url, user="narrow")
    with (
        psycopg.connect(server.url, autocommit=True) as owner,
        watching(narrow) as watch,
        GuardedConnection.connect(narrow, autocommit=True) as sound,
        ExitStack() as stack,
    ):
        sound.presence = watch
        eventually(lambda: len(owner.execute(WATCHES).fetchall()) == 1)
        trouble(owner, stack)
        owner.execute(OF_THE_WATCH)
        assert sound.execute(SLOW).rowcount == 1
        assert not watch.is_away
        warnings = [line for line in caplog.messages if "not watched" in line]
        assert len(warnings) == 1, caplog.messages
        stack.close()
        # It is watched again as soon as that is possible.
        eventually(lambda: len(owner.execute(WATCHES).fetchall()) == 1, 5)


def test_only_a_server_that_is_not_there_counts_as_away(server: CrashableServer) -> None:
    assert is_there(server.url) is True
    assert is_there(make_conninfo(server.url, user="nobody-known")) is True
    assert is_there("host=nowhere.invalid") is None
    assert is_there("service=elsewhere") is None
    assert is_there("host=/nowhere port=5432") is False
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        assert is_there(f"host=127.0.0.1 port={port}") is False
        assert is_there(f"hostaddr=127.0.0.1 host=nowhere.invalid port={port}") is False
        assert is_there(f"host=127.0.0.1,nowhere.invalid port={port}") is None
        unused.listen()  # takes connections, and says nothing
        began = time.monotonic()
        assert is_there(f"host=127.0.0.1 port={port}") is False
        assert time.monotonic() - began < 3


@dataclass
class Impostor:
    """
    Speaks PostgreSQL's language as far as letting people in; what comes then is up to the test.

    Attributes:
        word: to every statement; None: it hangs up.
    """

    word: bytes | None
    welcome: bytes = b"R" + struct.pack("!ii", 8, 0) + b"Z" + struct.pack("!i", 5) + b"I"
    connections: int = 0
    asked: int = 0
    _listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def conninfo(self) -> str:
        port = self._listener.getsockname()[1]
        return f"host=127.0.0.1 port={port} user=me sslmode=disable gssencmode=disable"

    def __enter__(self) -> Self:
        threading.Thread(target=self._run, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _run(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                with client, suppress(OSError):
                    self._talk(client)

    def _talk(self, client: socket.socket) -> None:
        client.recv(4096)
        client.sendall(self.welcome)
        while client.recv(4096):
            self.asked += 1
            if self.word is None:
                return
            client.sendall(self.word)


def refusal(code: bytes) -> bytes:
    facts = b"SERROR\0VERROR\0C%b\0Mno\0\0" % code
    return b"E" + struct.pack("!i", len(facts) + 4) + facts


READY = b"Z" + struct.pack("!i", 5) + b"I"


def test_a_server_that_lets_in_and_hangs_up_is_away_and_is_not_beset() -> None:
    with Impostor(word=None) as impostor, watching(impostor.conninfo) as watch:
        eventually(lambda: watch.is_away, 3)
        before = impostor.connections
        time.sleep(2)
        assert 2 <= impostor.connections - before <= 10


def test_a_server_that_answers_with_an_error_is_there() -> None:
    with (
        Impostor(word=refusal(b"53200") + READY) as impostor,
        watching(impostor.conninfo) as watch,
    ):
        eventually(lambda: impostor.asked >= 3, 5)
        assert not watch.is_away
        assert impostor.connections == 1


@pytest.mark.parametrize(("code", "is_away"), [(b"53300", False), (b"57P03", True)])
def test_a_refusal_in_any_language_is_told_from_a_server_that_starts(
    code: bytes, is_away: bool
) -> None:
    with (
        Impostor(word=None, welcome=refusal(code)) as impostor,
        watching(impostor.conninfo) as watch,
    ):
        eventually(lambda: impostor.connections >= 3, 5)
        assert watch.is_away == is_away


def test_a_lost_connection_of_the_watch_alone_is_no_outage(server: CrashableServer) -> None:
    narrow = make_conninfo(server.url, user="narrow")
    with psycopg.connect(server.url, autocommit=True) as owner, watching(narrow) as watch:
        for _ in range(3):
            eventually(lambda: owner.execute(OF_THE_WATCH).rowcount == 1)
            time.sleep(0.7)
            assert not watch.is_away


def test_a_server_that_is_killed_is_away(server: CrashableServer) -> None:
    with watching(server.url) as watch:
        eventually(lambda: server.answers() and not watch.is_away)
        time.sleep(0.3)
        server.kill()
        eventually(lambda: watch.is_away, 3)
        restart(server)
        eventually(lambda: not watch.is_away, 3)
