"""Getting a file back: the very bytes, in parts, under its name, and never without a trace."""

from __future__ import annotations

import hashlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psutil
import pytest

from application.commands.withdraw_upload import WithdrawUpload
from application.context import LOCAL_OWNER, Context
from domain.upload import Upload
from interfaces.http.dispositions import attachment
from interfaces.http.streaming import StreamedResponse
from tests.support.archive_fixture import CHAT, export
from tests.support.ids import NOBODYS
from tests.support.rest_fixture import site
from tests.support.rest_site import RestSite

__all__ = ["site"]

MIB = 1024 * 1024
CONTENT = export(CHAT)
SIZE = len(CONTENT)
ETAG = f'"{hashlib.sha256(CONTENT).hexdigest()}"'


def path_of(site: RestSite) -> str:
    return f"/api/uploads/{site.archive.upload_id}/file"


def downloads(site: RestSite) -> list[tuple[int, int]]:
    return [(e.event.first_byte, e.event.last_byte) for e in site.events(Upload.Downloaded)]


def test_the_bytes_come_back_as_they_were(site: RestSite) -> None:
    before = len(downloads(site))
    request_id = str(uuid4())
    answer = site.get(path_of(site), headers={"X-Request-Id": request_id})
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["etag"] == ETAG
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-length"] == str(SIZE)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == 'attachment; filename="chat.jsonl"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert downloads(site)[before:] == [(0, SIZE - 1)]
    recorded = site.events(Upload.Downloaded)[-1]
    assert str(recorded.correlation_id) == request_id
    assert recorded.origin is not None
    assert recorded.origin["channel"] == "http"


def test_a_node_id_names_the_upload_too(site: RestSite) -> None:
    assert site.get(f"/api/uploads/Upload:{site.archive.upload_id}/file").content == CONTENT


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-", 0, SIZE - 1),
        ("bytes=10-19", 10, 19),
        ("Bytes= 10-19", 10, 19),
        (f"bytes=10-{SIZE}", 10, SIZE - 1),
        (f"bytes=10-{'9' * 19}", 10, SIZE - 1),
        ("bytes=-5", SIZE - 5, SIZE - 1),
        (f"bytes=-{SIZE + 5}", 0, SIZE - 1),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE - 1),
    ],
)
def test_a_part_is_that_part(site: RestSite, asked: str, first: int, last: int) -> None:
    answer = site.get(path_of(site), headers={"Range": asked})
    assert (answer.status_code, answer.content) == (206, CONTENT[first : last + 1])
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{SIZE}"
    assert answer.headers["content-length"] == str(last - first + 1)
    assert downloads(site)[-1] == (first, last)


@pytest.mark.parametrize(
    "asked",
    [
        "bytes=0-1,5-6",
        "bytes=20-10",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=--5",
        "bytes=+1-5",
        "bytes=٣-٤",
        "lines=0-5",
        "bytes=" + "9" * 30 + "-",
        "bytes=0-1;bytes=2-3",
    ],
)
def test_a_range_that_cannot_be_meant_is_answered_with_the_whole(
    site: RestSite, asked: str
) -> None:
    answer = site.get(path_of(site), headers={"Range": asked.encode()})
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert "content-range" not in answer.headers


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={SIZE + 5}-{SIZE + 9}", "bytes=-0"])
def test_a_part_that_does_not_exist_is_refused_and_leaves_no_trace(
    site: RestSite, asked: str
) -> None:
    before = downloads(site)
    answer = site.get(path_of(site), headers={"Range": asked})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{SIZE}"
    assert answer.json()["code"] == "http.requested_range_not_satisfiable"
    assert downloads(site) == before


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Range": "bytes=5-9", "If-Range": ETAG}, 206),
        ({"Range": "bytes=5-9", "If-Range": '"other"'}, 200),
        ({"Range": "bytes=5-9", "If-Range": f"W/{ETAG}"}, 200),
        ({"Range": "bytes=5-9", "If-Range": "Sun, 22 Nov 2026 20:00:00 GMT"}, 200),
        ({"If-None-Match": ETAG}, 304),
        ({"If-None-Match": f"W/{ETAG}"}, 304),
        ({"If-None-Match": f'"a", {ETAG}'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"other"'}, 200),
        ({"If-None-Match": "not an etag"}, 200),
        ({"If-None-Match": ETAG, "Range": "bytes=5-9"}, 304),
        ({"If-Match": ETAG}, 200),
        ({"If-Match": "*"}, 200),
        ({"If-Match": '"other"'}, 412),
    ],
)
def test_conditions_are_kept(site: RestSite, headers: dict[str, str], status: int) -> None:
    before = len(downloads(site))
    answer = site.get(path_of(site), headers=headers)
    assert answer.status_code == status
    assert len(downloads(site)) - before == (1 if status in {200, 206} else 0)
    if status == 304:
        assert (answer.content, answer.headers["etag"]) == (b"", ETAG)


def test_asking_about_a_file_gives_nothing_of_it_away(site: RestSite) -> None:
    before = downloads(site)
    parameters = {"workspace": site.archive.workspace}
    answer = site.client.head(path_of(site), params=parameters, headers={"Range": "bytes=5-9"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(SIZE)
    assert answer.headers["etag"] == ETAG
    assert downloads(site) == before


@pytest.mark.parametrize(
    ("upload", "parameters", "status", "code"),
    [
        (None, {"workspace": "elsewhere"}, 404, "upload.unknown"),
        (NOBODYS, {}, 404, "upload.unknown"),
        ("nonsense", {}, 404, "upload.unknown"),
        (f"Message:{NOBODYS}", {}, 404, "upload.unknown"),
        ("%00", {}, 404, "upload.unknown"),
        (None, {"workspace": ""}, 400, "bad_request"),
        (None, {"other": "1"}, 400, "bad_request"),
    ],
)
def test_what_is_not_there_or_not_yours_is_refused(
    site: RestSite, upload: str | None, parameters: dict[str, str], status: int, code: str
) -> None:
    before = downloads(site)
    path = f"/api/uploads/{upload or site.archive.upload_id}/file"
    answer = site.get(path, **parameters)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert downloads(site) == before


def send(site: RestSite, content: Any, filename: str) -> UUID:
    parameters = {"workspace": site.archive.workspace, "filename": filename}
    answer = site.client.post("/api/uploads", params=parameters, content=content)
    assert answer.status_code == 201
    return UUID(answer.json()["uploadId"])


def test_a_withdrawn_upload_is_gone(site: RestSite) -> None:
    upload_id = send(site, b"to be withdrawn", "gone.txt")
    asker = Context(actor_id=LOCAL_OWNER, workspace_id=site.archive.workspace_id)
    site.container.withdraw_upload(WithdrawUpload(upload_id=upload_id), asker)
    answer = site.get(f"/api/uploads/{upload_id}/file")
    assert (answer.status_code, answer.json()["code"]) == (410, "upload.gone")


def test_erased_bytes_are_gone(site: RestSite) -> None:
    upload_id = send(site, b"to be erased", "gone.txt")
    site.container.blobs.delete(site.container.archive.load(Upload, upload_id).blob)
    answer = site.get(f"/api/uploads/{upload_id}/file")
    assert (answer.status_code, answer.json()["code"]) == (410, "upload.gone")


def test_damaged_bytes_are_never_given_for_the_right_ones(site: RestSite) -> None:
    """The first megabyte is sound and may be sent; then the connection is cut."""
    upload_id = send(site, bytes(range(256)) * (12 * 1024), "rotten.bin")
    address = site.container.archive.load(Upload, upload_id).blob
    folder = Path(site.container.settings.data_dir) / "blobs" / address[:2]
    [content] = [p for p in folder.glob(f"{address}.*") if p.suffix != ".key"]
    rotten = bytearray(content.read_bytes())
    rotten[2 * MIB] ^= 1
    content.write_bytes(rotten)
    with pytest.raises(httpx.RemoteProtocolError):
        site.get(f"/api/uploads/{upload_id}/file")
    content.write_bytes(rotten[:-1])
    answer = site.get(f"/api/uploads/{upload_id}/file")
    assert (answer.status_code, answer.json()["code"]) == (500, "upload.damaged")


@pytest.mark.parametrize(
    ("filename", "plain", "extended"),
    [
        ("chat.txt", "chat.txt", None),
        ("Chat mit Jörg.txt", "Chat mit Jorg.txt", "Chat%20mit%20J%C3%B6rg.txt"),
        ("Чат.zip", "file.zip", "%D0%A7%D0%B0%D1%82.zip"),
        ('a"b\\c%41.txt', "a_b_c_41.txt", "a%22b%5Cc%2541.txt"),
        ("a\r\nSet-Cookie: b", "a__Set-Cookie: b", "a%0D%0ASet-Cookie%3A%20b"),
        ("👩🚀", "file", "%F0%9F%91%A9%F0%9F%9A%80"),
    ],
)
def test_every_name_can_be_told_to_every_browser(
    filename: str, plain: str, extended: str | None
) -> None:
    rest = "" if extended is None else f"; filename*=UTF-8''{extended}"
    assert attachment(filename) == f'attachment; filename="{plain}"{rest}'


def large_upload(site: RestSite, mebibytes: int) -> UUID:
    def pieces() -> Iterator[bytes]:
        for number in range(mebibytes):
            yield number.to_bytes(4, "big") * (MIB // 4)

    return send(site, pieces(), "large.bin")


def test_a_large_file_needs_little_memory_and_a_part_of_it_little_time(site: RestSite) -> None:
    upload_id = large_upload(site, 96)
    process = psutil.Process()
    site.get(f"/api/uploads/{upload_id}/file", headers={"Range": "bytes=0-1000000"})
    before = process.memory_info().rss
    most, digest = before, hashlib.sha256()
    parameters = {"workspace": site.archive.workspace}
    path = f"/api/uploads/{upload_id}/file"
    with site.client.stream("GET", path, params=parameters) as answer:
        for piece in answer.iter_bytes(MIB):
            digest.update(piece)
            most = max(most, process.memory_info().rss)
    assert f'"{digest.hexdigest()}"' == answer.headers["etag"]
    assert most - before < 32 * MIB
    started = time.perf_counter()
    last = site.get(path, headers={"Range": f"bytes={95 * MIB}-"})
    assert last.content == (95).to_bytes(4, "big") * (MIB // 4)
    assert time.perf_counter() - started < 2


def test_a_client_that_goes_away_leaves_nothing_open(site: RestSite) -> None:
    upload_id = large_upload(site, 33)
    process = psutil.Process()

    def open_blobs() -> list[str]:
        return [found.path for found in process.open_files() if "/blobs/" in found.path]

    connection = socket.create_connection(("127.0.0.1", site.port), timeout=10)
    path = f"/api/uploads/{upload_id}/file?workspace={site.archive.workspace}"
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\n\r\n"
    connection.sendall(request.encode())
    assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")
    assert open_blobs() != []
    connection.close()
    deadline = time.monotonic() + 5
    while open_blobs():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_client_that_takes_nothing_is_not_waited_for(
    site: RestSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StreamedResponse, "STALL_SECONDS", 0.3)
    upload_id = large_upload(site, 34)
    process = psutil.Process()
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as connection:
        path = f"/api/uploads/{upload_id}/file?workspace={site.archive.workspace}"
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\n\r\n"
        connection.sendall(request.encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")
        deadline = time.monotonic() + 5
        while [found for found in process.open_files() if "/blobs/" in found.path]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
