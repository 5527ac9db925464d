"""Uploading over HTTP: a real server, real blobs on disk, a real log."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from application.commands.create_workspace import CreateWorkspaceHandler
from application.commands.receive_upload import ReceiveUploadHandler, Receiving
from domain.upload import RefusedUpload, Upload
from domain.workspace import Workspace
from infrastructure.blobs.disk import DiskBlobStore
from interfaces.http import uploads
from interfaces.http.app import make_app
from projections.contract import RecordedEvent
from tests.support.archive import MASTER, Ledger
from tests.support.archive_fixture import settings_for
from tests.support.http_server import serve
from tests.support.shared_ledger import own_ledger, recorded_in, shared_ledger

__all__ = ["own_ledger", "shared_ledger"]


MIB = 1024 * 1024
LIMIT = 8 * MIB
KINDS = (Upload.Received, Upload.ReceivedAgain, RefusedUpload.Refused)
CHAT = b"[1/2/24, 10:00] Ada: hello"


class Parts:
    """What the application needs of the container."""

    def __init__(self, ledger: Ledger, folder: Path) -> None:
        self.settings = settings_for(ledger.url, folder)
        self.blobs = DiskBlobStore(folder, MASTER, keep_free=0)
        self.archive = ledger.archive
        self.create_workspace = CreateWorkspaceHandler(ledger.archive)
        self.receive_upload = ReceiveUploadHandler(ledger.archive, self.blobs, max_bytes=LIMIT)


@dataclass(frozen=True)
class Site:
    ledger: Ledger
    parts: Parts
    folder: Path
    port: int
    client: httpx.Client
    workspace: str

    def send(self, content: Any = CHAT, **changes: Any) -> httpx.Response:
        headers = changes.pop("headers", {})
        parameters = {"workspace": self.workspace, "filename": "chat.txt"} | changes
        return self.client.post("/api/uploads", params=parameters, content=content, headers=headers)

    def connect(self, *headers: str, filename: str = "chat.txt") -> socket.socket:
        """The beginning of an upload; what follows is up to the test."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        lines = [
            f"POST /api/uploads?workspace={self.workspace}&filename={filename} HTTP/1.1",
            f"Host: 127.0.0.1:{self.port}",
            *headers,
        ]
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        return connection

    def events(self) -> list[RecordedEvent]:
        workspace_id = Workspace.create_id(self.workspace)
        return recorded_in(self.ledger, workspace_id, *KINDS)

    def has_workspace(self, name: str | None = None) -> bool:
        workspace_id = Workspace.create_id(name or self.workspace)
        return self.ledger.archive.find(Workspace, workspace_id) is not None

    def wait_for_refusal(self) -> RefusedUpload.Refused:
        deadline = time.monotonic() + 10
        while not self.events():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        [recorded] = self.events()
        assert isinstance(recorded.event, RefusedUpload.Refused)
        return recorded.event

    def files(self) -> list[Path]:
        return [p for p in self.folder.rglob("*") if p.is_file() and p.name != ".lock"]


@pytest.fixture
def site(own_ledger: Ledger, tmp_path: Path) -> Iterator[Site]:
    parts = Parts(own_ledger, tmp_path)
    with (
        serve(make_app(parts)) as port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client,
    ):
        yield Site(own_ledger, parts, tmp_path, port, client, workspace=uuid4().hex)


def answer_on(connection: socket.socket) -> tuple[int, str]:
    with connection, HTTPResponse(connection) as answer:
        answer.begin()
        return answer.status, answer.read().decode()


def test_an_upload_says_which_column_holds_what(site: Site) -> None:
    answer = site.send(columns='{"text": "Nachricht, lang", "sent_at": "Zeit"}')
    upload = site.ledger.archive.load(Upload, UUID(answer.json()["uploadId"]))
    assert upload.options == {"columns": {"text": "Nachricht, lang", "sent_at": "Zeit"}}


def test_an_upload_is_answered_when_it_is_durable(site: Site) -> None:
    answer = site.send(timezone="Europe/Berlin", date_order="dmy", format="whatsapp")
    [recorded] = site.events()
    upload = site.ledger.archive.load(Upload, UUID(answer.json()["uploadId"]))
    assert answer.status_code == 201
    assert answer.json() == {
        "id": f"Upload:{upload.id}",
        "uploadId": str(upload.id),
        "position": recorded.position,
        "again": False,
        "size": len(CHAT),
        "sha256": upload.sha256,
    }
    assert upload.options == {
        "timezone": "Europe/Berlin",
        "date_order": "dmy",
        "format": "whatsapp",
    }
    assert recorded.workspace_id == Workspace.create_id(site.workspace)
    assert recorded.origin["channel"] == "http"
    assert recorded.origin["client"] == "127.0.0.1"
    assert recorded.origin["user_agent"].startswith("python-httpx")
    with site.parts.blobs.open(upload.blob) as blob:
        assert blob.read() == CHAT


def test_the_same_file_again_is_known(site: Site) -> None:
    first, second = site.send(), site.send(filename="copy.txt")
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["again"] is True
    assert first.json()["uploadId"] == second.json()["uploadId"]
    assert first.json()["position"] < second.json()["position"]
    assert "optionsIgnored" not in second.json()


def test_options_that_come_too_late_are_said_to_be_ignored(site: Site) -> None:
    site.send(timezone="Europe/Berlin")
    assert site.send(timezone="Europe/Rome").json()["optionsIgnored"] is True


def test_a_repeated_request_gets_the_first_answer(site: Site) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    first, second = site.send(headers=key), site.send(headers=key)
    assert (second.status_code, second.json()) == (201, first.json())
    assert len(site.events()) == 1
    reused = site.send(b"another file", headers=key)
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")


def test_the_same_request_sent_twice_at_once_gets_the_same_answer(site: Site) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    answers: list[httpx.Response] = []
    threads = [
        threading.Thread(target=lambda: answers.append(site.send(headers=key))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len(site.events()) == 1


def test_a_key_that_is_used_for_two_files_at_once_is_kept_by_one(site: Site) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    answers: list[httpx.Response] = []
    threads = [
        threading.Thread(target=lambda n=n: answers.append(site.send(b"file %d" % n, headers=key)))
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [201, 422, 422, 422]
    assert len(site.events()) == 1


def test_a_client_that_asks_before_it_sends_is_told_to_go_on(site: Site) -> None:
    connection = site.connect("Content-Length: 5", "Expect: 100-continue", "Connection: close")
    with connection:
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"hello")
        assert connection.recv(100).startswith(b"HTTP/1.1 201 ")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Чат с Ада 👩‍🚀.txt", "Чат с Ада 👩‍🚀.txt"),
        ("../../../etc/cron.d/evil", "evil"),
        ("..\\..\\windows\\evil.bat", "evil.bat"),
        ("a\r\nSet-Cookie: b=1\x00.txt", "aSet-Cookie: b=1.txt"),
        ("x" * 5000 + ".zip", "x" * 251 + ".zip"),
    ],
)
def test_a_filename_is_kept_as_a_name(site: Site, given: str, kept: str) -> None:
    assert site.send(filename=given).status_code == 201
    assert site.events()[0].event.filename == kept
    assert all(site.folder in file.resolve().parents for file in site.files())


def test_a_slow_body_in_small_pieces_arrives_whole(site: Site) -> None:
    def pieces() -> Iterator[bytes]:
        for number in range(20):
            yield b"%d," % number
            time.sleep(0.01)

    answer = site.send(pieces())
    assert (answer.status_code, answer.json()["size"]) == (201, 50)


def test_a_large_body_arrives_whole(site: Site) -> None:
    content = bytes(range(256)) * (LIMIT // 256)
    upload_id = UUID(site.send(content).json()["uploadId"])
    with site.parts.blobs.open(site.ledger.archive.load(Upload, upload_id).blob) as blob:
        assert blob.read() == content


def test_a_client_that_hangs_up_half_way_leaves_one_fact(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    with site.connect("Content-Length: 3000000") as connection:
        connection.sendall(bytes(1_500_000))
        while not site.files():
            time.sleep(0.01)
    event = site.wait_for_refusal()
    assert event.filename == "chat.txt"
    assert event.reason.startswith("the client hung up after 1,")
    assert site.files() == []
    assert [r for r in caplog.records if r.levelname == "ERROR"] == []
    assert site.send().status_code == 201


def test_a_server_that_stops_half_way_leaves_one_fact(site: Site) -> None:
    with serve(make_app(site.parts)) as port:
        connection = replace(site, port=port).connect("Content-Length: 3000000")
        connection.sendall(bytes(1_500_000))
        while not site.files():
            time.sleep(0.01)
    connection.close()
    assert site.wait_for_refusal().reason.startswith("the server was interrupted after 1,")
    assert site.files() == []


def test_two_gigabytes_are_refused_before_they_are_sent(site: Site) -> None:
    status, text = answer_on(site.connect("Content-Length: 2147483648", filename="big.zip"))
    assert status == 413
    assert "big.zip: it is larger than 8,388,608 bytes" in text
    assert site.wait_for_refusal().received == 0


def test_curl_is_told_before_it_sends_a_file_that_is_too_large(site: Site) -> None:
    """It asks first (Expect: 100-continue) and must not be told to go on."""
    connection = site.connect("Content-Length: 9000000", "Expect: 100-continue")
    with connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_grows_too_large_is_refused(site: Site) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(LIMIT // MIB + 1):
            yield bytes(MIB)

    answer = site.send(pieces())
    assert (answer.status_code, answer.json()["code"]) == (413, "upload.too_large")
    assert site.files() == []


def test_a_full_disk_is_said_so(site: Site) -> None:
    site.parts.blobs._keep_free = 2**62
    answer = site.send()
    assert (answer.status_code, answer.json()["code"]) == (507, "upload.no_room")
    assert "make room" in answer.json()["detail"]
    assert answer.headers["content-type"] == "application/problem+json"
    assert isinstance(site.events()[0].event, RefusedUpload.Refused)
    assert site.files() == []


def test_what_is_refused_leaves_no_workspace(site: Site) -> None:
    """A mistyped name would stay for ever."""
    assert site.send(b"").status_code == 400
    assert site.send(bytes(LIMIT + 1)).status_code == 413
    assert site.send(timezone="Europe/Atlantis").status_code == 400
    assert not site.has_workspace()
    key = {"Idempotency-Key": str(uuid4())}
    assert site.send(headers=key).status_code == 201
    assert site.has_workspace()
    reused = site.send(headers=key, workspace="mistyped")
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")
    assert "Idempotency-Key" in reused.json()["detail"]
    assert not site.has_workspace("mistyped")


def test_the_hint_names_the_address_that_was_asked(site: Site) -> None:
    assert f"127.0.0.1:{site.port}/api/uploads?" in site.send(filename="").json()["detail"]


def test_an_empty_file_is_refused(site: Site) -> None:
    answer = site.send(b"")
    assert (answer.status_code, answer.json()["code"]) == (400, "upload.empty")
    assert site.wait_for_refusal().reason in answer.json()["detail"]


def test_a_withdrawn_file_comes_again_as_another_upload(site: Site) -> None:
    upload = site.ledger.archive.load(Upload, UUID(site.send().json()["uploadId"]))
    upload.withdraw()
    site.ledger.record(upload, workspace_id=upload.workspace_id)
    answer = site.send()
    assert (answer.status_code, answer.json()["again"]) == (201, False)
    assert answer.json()["uploadId"] != str(upload.id)


def test_two_at_once_of_the_same_file_are_one_upload(site: Site) -> None:
    answers: list[httpx.Response] = []
    threads = [threading.Thread(target=lambda: answers.append(site.send())) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert len({answer.json()["uploadId"] for answer in answers}) == 1


def test_others_are_served_while_a_disk_is_slow(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()
    begin = site.parts.receive_upload.begin

    def slow(*arguments: Any, **named: Any) -> Any:
        released.wait(10)
        return begin(*arguments, **named)

    monkeypatch.setattr(site.parts.receive_upload, "begin", slow)
    answers: list[httpx.Response] = []
    thread = threading.Thread(target=lambda: answers.append(site.send()))
    thread.start()
    assert site.client.get("/healthz").status_code == 200
    assert answers == []
    released.set()
    thread.join()
    assert answers[0].status_code == 201


def test_others_are_served_while_an_upload_that_broke_waits_for_the_log(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    released, waiting = threading.Event(), threading.Event()
    cut_off = Receiving.cut_off

    def broken(*_arguments: Any) -> None:
        raise OSError(5, "Input/output error")

    def slow(*arguments: Any) -> None:
        waiting.set()
        released.wait(10)
        cut_off(*arguments)

    monkeypatch.setattr(Receiving, "write", broken)
    monkeypatch.setattr(Receiving, "cut_off", slow)
    answers: list[httpx.Response] = []
    thread = threading.Thread(target=lambda: answers.append(site.send()))
    thread.start()
    try:
        assert waiting.wait(5)
        assert site.client.get("/healthz", timeout=2).status_code == 200
        assert answers == []
    finally:
        released.set()
        thread.join()
    assert answers[0].status_code == 500
    assert site.wait_for_refusal().reason == "the server was interrupted after 0 bytes"


def test_a_server_that_stops_waits_for_the_facts_of_what_it_cuts_off(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off = Receiving.cut_off

    def slow(*arguments: Any) -> None:
        time.sleep(0.6)
        cut_off(*arguments)

    monkeypatch.setattr(Receiving, "cut_off", slow)
    with serve(make_app(site.parts)) as port:
        connections = [replace(site, port=port).connect("Content-Length: 9") for _ in range(3)]
        for connection in connections:
            connection.sendall(b"half")
        while len(site.files()) < 3:
            time.sleep(0.01)
    for connection in connections:
        connection.close()
    assert len(site.events()) == 3


def test_a_client_that_sends_nothing_is_not_waited_for(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    routes = uploads.upload_routes
    monkeypatch.setattr(
        "interfaces.http.app.upload_routes", lambda parts: routes(parts, stall_seconds=0.2)
    )
    with serve(make_app(site.parts)) as port:
        connection = replace(site, port=port).connect("Content-Length: 100")
        connection.sendall(b"ten bytes.")
        assert answer_on(connection)[0] == 408
    assert site.wait_for_refusal().reason == "no byte came for 0.2 seconds after 0 bytes"
    assert site.files() == []


@pytest.mark.parametrize(
    ("changes", "status", "says"),
    [
        ({"headers": {"Content-Type": "multipart/form-data; boundary=x"}}, 415, "--data-binary"),
        ({"headers": {"Content-Type": "Multipart/Mixed"}}, 415, "--data-binary"),
        ({"headers": {"Content-Encoding": "gzip"}}, 415, "gzip"),
        ({"headers": {"Idempotency-Key": "1"}}, 400, "UUID"),
        ({"workspace": ""}, 400, "'workspace' is missing"),
        ({"workspace": "a\nb"}, 400, "printable"),
        ({"workspace": "x" * 101}, 400, "1 to 100"),
        ({"filename": ""}, 400, "'filename' is missing"),
        ({"filename": ["a", "b"]}, 400, "more than once"),
        ({"timezome": "UTC"}, 400, "no parameter 'timezome'"),
        ({"timezone": "Europe/Atlantis"}, 400, "IANA"),
        ({"date_order": "ydm"}, 400, "'ymd', 'dmy', 'mdy' or ''"),
        ({"columns": "text=Zeit"}, 400, "a JSON object"),
        ({"columns": '{"text": 1}'}, 400, "a JSON object"),
        ({"columns": '{"tezt": "Zeit"}'}, 400, "no column 'tezt'; there are"),
    ],
)
def test_a_request_that_cannot_be_meant_is_told_how_to_be(
    site: Site, changes: dict[str, Any], status: int, says: str
) -> None:
    answer = site.send(**changes)
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert says in answer.json()["detail"]
    assert answer.headers["content-type"] == "application/problem+json"
    assert (site.events(), site.files()) == ([], [])
