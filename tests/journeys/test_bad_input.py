"""What is wrong with a file is said in a clear sentence, and half of nothing stays behind."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from application.commands.create_workspace import CreateWorkspace
from application.commands.embed_upload import EmbedUpload
from application.commands.read_upload import ReadUpload
from application.commands.receive_upload import ReceiveUpload, UploadRefusedError
from application.context import LOCAL_OWNER, Context
from application.ports.blobs import NoRoomError
from application.ports.search import SearchRequest
from infrastructure.container import Container
from interfaces.cli.running import working
from interfaces.http.app import make_app
from projections.uploads.queries import UploadRow, log_lines, upload, uploads
from tests.support.archive import copy_template
from tests.support.archive_fixture import advance, open_test_container
from tests.support.eventually import eventually
from tests.support.http_server import serve
from tests.support.postgres import drop_database

LINES = [
    {"conversation": "Team", "author": "Ada", "timestamp": 1_700_000_000 + n, "text": f"Hello {n}"}
    for n in range(5)
]


@pytest.fixture(scope="module")
def container(
    postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Container]:
    url = copy_template(postgres_server, migrated_template)
    with open_test_container(url, tmp_path_factory.mktemp("data")) as opened:
        yield opened
    drop_database(url)


class Desk:
    """Somebody who uploads to a workspace of their own; the jobs run at once."""

    def __init__(self, container: Container) -> None:
        self.container = container
        self.name = f"w{uuid4().hex}"
        nobody_yet = Context(actor_id=LOCAL_OWNER, workspace_id=None)
        made = container.create_workspace(CreateWorkspace(name=self.name), nobody_yet)
        self.id = UUID(str(made.result["workspace_id"]))
        self.context = Context(actor_id=LOCAL_OWNER, workspace_id=self.id)

    def send(self, content: bytes, filename: str, **options: str) -> UUID:
        """Receives the file; nobody reads it yet."""
        command = ReceiveUpload(filename=filename, options=options)
        accepted = self.container.receive_upload(command, [content], self.context)
        return UUID(str(accepted.result["upload_id"]))

    def ingest(self, content: bytes, filename: str, **options: str) -> UploadRow:
        upload_id = self.send(content, filename, **options)
        self.container.read_upload(ReadUpload(upload_id=upload_id), should_stop=lambda: False)
        advance(self.container)
        self.container.embed_upload(EmbedUpload(upload_id=upload_id), should_stop=lambda: False)
        return self.row(upload_id)

    def row(self, upload_id: UUID) -> UploadRow:
        advance(self.container)
        with self.container.pool.connection() as connection:
            found = upload(connection, self.id, upload_id)
        assert found is not None
        return found

    def rows(self) -> list[UploadRow]:
        advance(self.container)
        with self.container.pool.connection() as connection:
            return uploads(connection, self.id)

    def log(self, row: UploadRow) -> list[str]:
        with self.container.pool.connection() as connection:
            return [line.text for line in log_lines(connection, self.id, row.upload_id)]

    def topics(self) -> list[str]:
        """What was recorded since the workspace was made."""
        query = """
        SELECT topic FROM log.archive_events
        WHERE workspace_id = %s AND topic <> 'workspace.created' ORDER BY topic
        """
        with self.container.pool.connection() as connection:
            return [row[0] for row in connection.execute(query, (self.id,))]

    def texts(self) -> list[str]:
        query = "SELECT text FROM read.message WHERE workspace_id = %s ORDER BY message_id"
        with self.container.pool.connection() as connection:
            return [row[0] for row in connection.execute(query, (self.id,))]

    def found(self, query: str) -> list[str]:
        request = SearchRequest(workspace_id=self.id, query=query, mode="words")
        answer = self.container.perform_search(request, self.context).answer
        return [hit.message.text for hit in answer.hits]


@pytest.fixture
def desk(container: Container) -> Desk:
    return Desk(container)


def stored_files(container: Container) -> set[Path]:
    """Without the empty files that are locked while somebody writes beside them."""
    folder = container.settings.data_dir / "blobs"
    return {path for path in folder.rglob("[!.]*") if path.is_file()}


def telegram(count: int) -> bytes:
    messages = [
        {
            "id": n,
            "type": "message",
            "date": "2024-01-15T10:30:00",
            "date_unixtime": str(1_705_314_600 + n),
            "from": "Ada",
            "from_id": "user1",
            "text": f"Greeting number {n}",
        }
        for n in range(1, count + 1)
    ]
    chat = {"name": "Team", "type": "private_group", "id": 1, "messages": messages}
    return json.dumps(chat, indent=1).encode()


def jsonl() -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in LINES)


def zipped(**files: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def assert_rejected(desk: Desk, row: UploadRow, *words: str) -> None:
    """A sentence that names the file and the reason; no row, no transcript of it."""
    assert row.stage == "rejected"
    assert row.error is not None
    for word in (row.filename, *words):
        assert word in row.error
    assert desk.log(row)[-1] == f"Not readable: {row.error}"
    assert desk.topics() == ["upload.received", "upload.rejected"]
    assert desk.texts() == []
    assert (row.batches_recorded, row.messages_recorded) == (0, 0)


def test_an_unknown_format_is_rejected(desk: Desk) -> None:
    row = desk.ingest(bytes(range(256)) * 40, "photo.bin")

    assert_rejected(desk, row, "this looks like binary data", "Supported are WhatsApp")


def test_a_truncated_zip_is_rejected(desk: Desk) -> None:
    whole = zipped(**{"_chat.txt": b"31/12/23, 21:05 - Ann: hi\n" * 500})
    row = desk.ingest(whole[: len(whole) // 2], "export.zip")

    assert_rejected(desk, row, "the zip archive is cut off or damaged", "copy it again")


def test_a_zip_bomb_is_rejected(desk: Desk) -> None:
    row = desk.ingest(zipped(**{"_chat.txt": b"\0" * 120_000_000}), "bomb.zip")

    assert_rejected(desk, row, "unpacks to more than 200 times its size: a zip bomb, not read")


def test_a_stated_format_that_does_not_fit_is_rejected(desk: Desk) -> None:
    row = desk.ingest(b"31/12/23, 21:05 - Ann: hi\n", "chat.txt", format="telegram")

    assert_rejected(desk, row, "broken JSON at byte 0")


def test_json_that_breaks_in_the_middle_is_kept_up_to_the_break(desk: Desk) -> None:
    whole = telegram(40)
    row = desk.ingest(whole[: whole.index(b"Greeting number 31") + 5], "result.json")

    assert (row.stage, row.is_complete, row.messages) == ("searchable", False, 30)
    warning = row.warnings[-1]
    assert warning["file"] == "result.json"
    assert warning["line"] == 31
    assert warning["reason"].endswith("(reading ended here)")
    assert desk.log(row)[1] == (
        "Recognised as telegram: 30 messages of 1 person in 1 conversation. 1 warning. The end of "
        f"the file is broken and was left out. result.json, line 31: {warning['reason']}."
    )
    assert desk.texts() == [f"Greeting number {n}" for n in range(1, 31)]
    assert desk.found("greeting 30")[0] == "Greeting number 30"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig"])
def test_other_unicode_encodings_are_understood(desk: Desk, encoding: str) -> None:
    text = "".join(f"31/12/23, 21:0{n} - Zoë: Grüße {n}\n" for n in range(5))
    row = desk.ingest(text.encode(encoding), "chat.txt")

    assert (row.stage, row.is_complete) == ("searchable", True)
    assert desk.texts() == [f"Grüße {n}" for n in range(5)]


def test_windows_1252_is_understood_and_told_of(desk: Desk) -> None:
    text = "".join(f"31/12/23, 21:0{n} - Zoë: Grüße {n}\n" for n in range(5))
    row = desk.ingest(text.encode("cp1252"), "chat.txt")

    assert row.stage == "searchable"
    assert desk.texts() == [f"Grüße {n}" for n in range(5)]
    assert [w["file"] for w in row.warnings] == ["chat.txt"]
    assert "1252" in row.warnings[0]["reason"]


def test_an_empty_file_is_refused(desk: Desk, container: Container) -> None:
    before = stored_files(container)
    with pytest.raises(UploadRefusedError, match="it is empty"):
        desk.send(b"", "nothing.txt")
    assert_refused(desk, "nothing.txt", "it is empty; export the chat again and send that file")

    assert stored_files(container) == before


def test_a_file_over_the_limit_is_refused(
    desk: Desk, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container.receive_upload, "_max_bytes", 1_000)
    before = stored_files(container)
    with pytest.raises(UploadRefusedError, match="larger than 1,000 bytes"):
        desk.send(b"x" * 1_001, "big.txt")
    assert_refused(desk, "big.txt", "it is larger than 1,000 bytes, the most that is accepted")

    assert stored_files(container) == before


class FullWriter:
    """Takes bytes until the disk is full, when they are to be made durable at the latest."""

    def __init__(self, writer: object, *, at_commit: bool) -> None:
        self._writer = writer
        self._at_commit = at_commit

    def __getattr__(self, name: str) -> object:
        return getattr(self._writer, name)

    def write(self, chunk: bytes) -> None:
        if not self._at_commit:
            raise NoRoomError("the disk is full: 12 MB are free")
        self._writer.write(chunk)  # type: ignore[attr-defined]

    def commit(self) -> object:
        raise NoRoomError("the disk is full: 12 MB are free")


@pytest.mark.parametrize("at_commit", [False, True], ids=["while writing", "at the end"])
def test_a_full_disk_refuses_the_file(
    desk: Desk, container: Container, monkeypatch: pytest.MonkeyPatch, at_commit: bool
) -> None:
    before = stored_files(container)
    blobs = container.receive_upload._blobs
    writing = blobs.writing
    monkeypatch.setattr(
        blobs, "writing", lambda **given: FullWriter(writing(**given), at_commit=at_commit)
    )
    with pytest.raises(UploadRefusedError, match="the disk is full"):
        desk.send(jsonl(), "chat.jsonl")
    monkeypatch.undo()
    assert_refused(desk, "chat.jsonl", "the disk is full: 12 MB are free")

    assert stored_files(container) == before
    assert desk.ingest(jsonl(), "chat.jsonl").stage == "searchable"  # there is room again


def assert_refused(desk: Desk, filename: str, reason: str) -> None:
    [row] = desk.rows()
    assert (row.stage, row.filename) == ("refused", filename)
    assert row.error is not None
    assert row.error.startswith(reason)
    assert [line.split(" after ")[0] for line in desk.log(row)] == [f"Refused «{filename}»"]
    assert row.error in desk.log(row)[0]
    assert desk.topics() == ["upload.refused"]
    assert desk.texts() == []


def test_the_same_file_twice_is_one_upload(desk: Desk, container: Container) -> None:
    first = desk.ingest(jsonl(), "chat.jsonl")
    before = stored_files(container)
    topics = desk.topics()
    again = desk.ingest(jsonl(), "copy.jsonl")

    assert again.upload_id == first.upload_id
    assert desk.log(again)[-1] == "The same file came once more, as «copy.jsonl»."
    assert desk.topics() == sorted([*topics, "upload.received_again"])
    assert desk.texts() == [line["text"] for line in LINES]
    assert stored_files(container) == before


def test_an_upload_over_http_is_read_by_a_worker_and_found_over_http(container: Container) -> None:
    """POST, the worker's jobs, the projections, GraphQL: everything on real sockets."""
    name = f"w{uuid4().hex}"
    with working(container), serve(make_app(container)) as port:
        base = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=base, timeout=30) as client:
            sent = client.post(
                "/api/uploads",
                params={"workspace": name, "filename": "result.json"},
                content=telegram(20),
            )
            assert sent.status_code == 201, sent.text
            query = {
                "query": 'query ($w: String!) { search(query: "greeting 7", workspace: $w) '
                "{ ... on SearchResult { coverage { indexed total } hits { message { text } } } "
                "... on Refusal { code } } }",
                "variables": {"w": name},
            }

            def texts() -> list[str]:
                answer = client.post("/graphql", json=query).json()
                search = answer["data"]["search"]
                if "code" in search:  # the workspace's read model has not heard of it yet
                    assert search["code"] == "UNKNOWN_WORKSPACE"
                    return []
                is_whole = search["coverage"] == {"indexed": 20, "total": 20}
                return [hit["message"]["text"] for hit in search["hits"]] if is_whole else []

            assert eventually(texts, 30)[0] == "Greeting number 7"
            again = client.post(
                "/api/uploads",
                params={"workspace": name, "filename": "result.json"},
                content=telegram(20),
            )

    assert (again.status_code, again.json()["again"]) == (200, True)
    assert again.json()["uploadId"] == sent.json()["uploadId"]
