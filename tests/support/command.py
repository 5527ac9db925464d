"""The command line as people start it: processes of their own, in a folder of their own."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

import psutil

REPOSITORY = Path(__file__).parents[2]
PROGRAM: Sequence[str] = (sys.executable, "-c", "from interfaces.cli.main import main; main()")
OURS = re.compile("CHATLEDGER_|DATABASE_URL|PG")  # settings around us are not for these processes


@contextmanager
def home() -> Iterator[Path]:
    """A folder that the embedded server's user can enter; what runs in it ends with it."""
    folder = Path(tempfile.mkdtemp(prefix="chatledger-home-")).resolve()
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        for process in servers_in(folder):
            with suppress(psutil.NoSuchProcess):  # the first one takes the others along
                process.kill()
                process.wait(10)
        shutil.rmtree(folder)


def servers_in(folder: Path) -> list[psutil.Process]:
    """PostgreSQL's processes whose data is below the folder."""
    return [
        process
        for process in psutil.process_iter(["name", "cwd"])
        if process.info["name"] == "postgres"
        and (process.info["cwd"] or "").startswith(f"{folder}/")
    ]


def still_running(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Without those that have ended and that whoever inherited them has not yet asked about."""
    running = []
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                running.append(process)
    return running


def server_url(data_dir: Path) -> str:
    """Of the embedded server, for looking in from outside."""
    note = json.loads((data_dir / "postgres" / "socket").read_text("utf-8"))
    return f"postgresql://postgres@/chatledger?host={quote(note['socket_dir'])}&port=5432"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Running:
    """A command that runs; what it says is gathered."""

    process: subprocess.Popen[str]
    port: int
    started: float
    said: list[str] = field(default_factory=list)
    _listeners: list[threading.Thread] = field(default_factory=list)

    def listen(self, *streams: IO[str] | None) -> None:
        for stream in streams:
            assert stream is not None
            listener = threading.Thread(target=self.said.extend, args=(stream,), daemon=True)
            listener.start()
            self._listeners.append(listener)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    @property
    def text(self) -> str:
        return "".join(self.said)

    def tree(self) -> list[psutil.Process]:
        own = psutil.Process(self.process.pid)
        return [own, *own.children(recursive=True)]

    def end(self, number: int, timeout_seconds: float) -> float:
        """Send the signal. Returns how long the process took to end."""
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(timeout_seconds)
        took = time.monotonic() - began
        for listener in self._listeners:
            listener.join(5)
        return took

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.text
        try:
            return bool(self.get("/healthz") == {"status": "ok"})
        except URLError:
            return False

    def get(self, path: str) -> Any:
        return self._ask(Request(f"http://127.0.0.1:{self.port}{path}"))

    def graphql(self, query: str) -> Any:
        headers = {"Content-Type": "application/json"}
        body = json.dumps({"query": query}).encode()
        return self._ask(Request(f"http://127.0.0.1:{self.port}/graphql", body, headers))["data"]

    def upload(self, data: bytes, filename: str, workspace: str) -> Any:
        path = f"/api/uploads?workspace={workspace}&filename={filename}"
        headers = {"Content-Type": "application/octet-stream"}
        return self._ask(Request(f"http://127.0.0.1:{self.port}{path}", data, headers))

    @staticmethod
    def _ask(request: Request) -> Any:
        with urlopen(request, timeout=30) as answer:
            return json.load(answer)


@contextmanager
def start(data_dir: Path, *arguments: str, **settings: str) -> Iterator[Running]:
    """Killed at the end if it has not ended by itself."""
    port = free_port()
    with subprocess.Popen(
        [*PROGRAM, *arguments],
        cwd=REPOSITORY,
        env=environment(data_dir, {"CHATLEDGER_PORT": str(port), **settings}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        running = Running(process, port, time.monotonic())
        running.listen(process.stdout, process.stderr)
        try:
            yield running
        finally:
            process.kill()


def run(data_dir: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments],
        cwd=REPOSITORY,
        env=environment(data_dir, settings),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def environment(data_dir: Path, settings: Mapping[str, str]) -> dict[str, str]:
    around = {name: value for name, value in os.environ.items() if not OURS.match(name)}
    return around | {"CHATLEDGER_DATA_DIR": str(data_dir), "COLUMNS": "100", **settings}
