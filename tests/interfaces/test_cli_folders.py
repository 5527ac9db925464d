"""`chatledger inspect FOLDER` and `chatledger ingest FOLDER`, as people use them."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from application.commands.download_upload import DownloadUpload
from application.ports.chat_reader import UnreadableExportError
from infrastructure.container import Container
from infrastructure.readers.containers.folder import PackedFolder
from interfaces.cli.actor import cli_context
from interfaces.cli.ingest import ingest_files
from interfaces.cli.ingesting import ensure_workspace, send
from interfaces.cli.inspect import inspect
from tests.interfaces.test_cli_uploading import advance_all, chat
from tests.support.archive_fixture import advance, open_test_container
from tests.support.data import SAMPLES


def unpacked(folder: Path) -> Path:
    with zipfile.ZipFile(SAMPLES / "slack-export.zip") as archive:
        archive.extractall(folder)
    return folder


def test_an_unpacked_export_is_inspected_like_the_packed_one(tmp_path: Path) -> None:
    folder = unpacked(tmp_path / "team")
    (folder / "link.json").symlink_to("/etc/passwd")
    found = json.loads(CliRunner().invoke(inspect, [str(folder), "--json"]).stdout)
    packed = str(SAMPLES / "slack-export.zip")
    expected = json.loads(CliRunner().invoke(inspect, [packed, "--json"]).stdout)
    assert (found.pop("file"), expected.pop("file")) == ("team.tar", "slack-export.zip")
    [warning] = found.pop("warnings")
    assert (warning["file"], expected.pop("warnings")) == ("link.json", [])
    assert "links are not followed" in warning["reason"]
    assert found == expected

    shown = CliRunner().invoke(inspect, [str(folder)]).stdout
    assert "team.tar: slack" in shown
    assert "2267 messages" in shown


def test_the_folder_one_is_in_can_be_inspected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(chat(tmp_path).parent)
    result = CliRunner().invoke(inspect, [".", "--json"])
    assert (result.exit_code, json.loads(result.stdout)["format"]) == (0, "jsonl")


@pytest.mark.parametrize("inside", [{}, {"photo.png": b"\x89PNG"}])
def test_a_folder_without_an_export_is_one_line_and_status_2(
    tmp_path: Path, inside: dict[str, bytes]
) -> None:
    for name, content in inside.items():
        (tmp_path / name).write_bytes(content)
    result = CliRunner().invoke(inspect, [str(tmp_path)])
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert "holds no files" in result.stderr or "something else (photo.png)" in result.stderr


def put_in(container: Container, path: Path) -> tuple[bool, str]:
    said = io.StringIO()
    is_fine = ingest_files(container, (path,), "default", {}, Console(file=said, width=300))
    return is_fine, said.getvalue()


def test_a_folder_is_kept_as_one_upload_however_often_it_comes(
    database_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "rooms"
    folder.mkdir()
    chat(folder)
    with open_test_container(database_url, tmp_path / "data") as container:
        context = cli_context(ensure_workspace(container, "default", cli_context(None)))
        first, _ = send(container, folder, context=context, options={})
        (folder / "chat.jsonl").touch()
        folder.rename(tmp_path / "renamed")
        again, sent = send(container, tmp_path / "renamed", context=context, options={})
        assert again == first
        assert sent.name == "renamed.tar"
        advance(container)

        with (
            container.download_upload(
                DownloadUpload(upload_id=first, first_byte=0, last_byte=9), context
            ) as stream,
            tarfile.open(fileobj=stream, mode="r:") as archive,
        ):
            assert archive.getnames() == ["chat.jsonl"]


def test_what_a_folder_loses_on_its_way_is_told(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interfaces.cli.ingesting.require_read_models", advance_all)
    folder = tmp_path / "rooms"
    folder.mkdir()
    (folder / "notes.txt").write_bytes(b"nothing that can be read\x00\x01")
    (folder / "out").symlink_to("/etc")
    with open_test_container(database_url, tmp_path / "data") as container:
        _, said = put_in(container, folder)
    assert f"{folder}: out: is a link; links are not followed; left out" in said


def test_a_folder_that_changes_on_its_way_is_no_upload(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "rooms"
    folder.mkdir()
    path = chat(folder)

    def changing(folder: Path) -> PackedFolder:
        packed = PackedFolder(folder)
        path.write_text("other")
        return packed

    monkeypatch.setattr("interfaces.cli.ingesting.local_export", changing)
    with open_test_container(database_url, tmp_path / "data") as container:
        context = cli_context(ensure_workspace(container, "default", cli_context(None)))
        with pytest.raises(UnreadableExportError):
            send(container, folder, context=context, options={})
        is_fine, said = put_in(container, folder)
        assert not is_fine
        assert "rooms/chat.jsonl: it changed while the folder was read" in said
        advance(container)
        with container.pool.connection() as connection:
            rows = connection.execute("SELECT stage FROM read.upload").fetchall()
        assert {stage for (stage,) in rows} <= {"refused"}


def test_a_folder_that_is_too_large_is_refused_before_it_is_sent(
    database_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "rooms"
    folder.mkdir()
    with (folder / "video.mp4").open("wb") as file:
        file.truncate(3 * 1024**3)
    with open_test_container(database_url, tmp_path / "data") as container:
        is_fine, said = put_in(container, folder)
    assert not is_fine
    assert "larger than 2,147,483,648 bytes" in said
