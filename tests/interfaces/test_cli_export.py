"""`chatledger export`: complete files under the names that were asked for, or none."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner, Result

from application.commands.create_workspace import CreateWorkspace
from application.commands.read_upload import ReadUpload
from application.commands.receive_upload import ReceiveUpload
from application.context import LOCAL_OWNER, Context
from domain.export import Export
from infrastructure.container import Container
from infrastructure.exports.rsmf.files import RsmfFile
from interfaces.cli.export import export
from interfaces.cli.search import search
from tests.support.archive import copy_template
from tests.support.archive_fixture import CHAT, Line, advance, ingest, open_test_container
from tests.support.archive_fixture import export as as_jsonl
from tests.support.ids import NOBODYS
from tests.support.postgres import drop_database
from tests.support.rsmf import read_back, unzipped

CHOOSING = ("--from", "2024-03-01", "--until", "2024-03-01T09:05:00Z")  # the first five minutes


@pytest.fixture(scope="module")
def container(
    postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Container]:
    url = copy_template(postgres_server, migrated_template)
    with open_test_container(url, tmp_path_factory.mktemp("data")) as opened:
        ingest(opened)
        yield opened
    drop_database(url)


@pytest.fixture
def run(container: Container, monkeypatch: pytest.MonkeyPatch) -> Any:
    @contextmanager
    def opened(_settings: Any) -> Iterator[Container]:
        yield container

    monkeypatch.setattr("infrastructure.bootstrap.open_container", opened)
    monkeypatch.setattr("interfaces.cli.exporting.CATCH_UP_SECONDS", 0.05)

    def invoke(*arguments: Any, command: Any = export) -> Result:
        return CliRunner().invoke(command, [str(one) for one in arguments])

    return invoke


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def texts(files: Mapping[str, bytes]) -> list[str]:
    return sorted(message.text for message in read_back(dict(files))[0])


def facts(container: Container) -> list[Any]:
    with container.pool.connection() as connection:
        page = container.runner.stepper.reader.page(
            connection,
            after=0,
            up_to=container.archive.event_log.head(),
            topics=[Export.Made.TOPIC],
            limit=10_000,
        )
    return [one.event for one in page.events]


def conversation_id(container: Container, title: str) -> str:
    with container.pool.connection() as connection:
        row = connection.execute(
            "SELECT conversation_id FROM read.conversation WHERE title = %s", (title,)
        ).fetchone()
    assert row is not None
    return str(row[0])


def test_a_folder_and_a_zip_hold_the_same_files(
    run: Any, container: Container, tmp_path: Path
) -> None:
    folder, packed = tmp_path / "out", tmp_path / "out.zip"
    for output in (folder, packed):
        done = run("--output", output)
        assert done.exit_code == 0, done.output
        assert "3 files, 39 messages" in done.stdout
        assert "as of position" in done.stdout
    files = files_in(folder)
    assert unzipped(packed.read_bytes()) == files
    assert texts(files) == sorted(text for _, _, text in CHAT)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["out", "out.zip"]
    assert (facts(container)[-1].kind, facts(container)[-1].format) == ("rsmf", "rsmf")


def test_conversation_time_and_search_narrow_each_other_down(
    run: Any, container: Container, tmp_path: Path
) -> None:
    run("--output", tmp_path / "early", *CHOOSING)
    assert texts(files_in(tmp_path / "early")) == sorted(text for _, _, text in CHAT[:5])
    kitchen = conversation_id(container, "Kitchen")
    run("--output", tmp_path / "kitchen", "--conversation", f"Conversation:{kitchen}")
    assert texts(files_in(tmp_path / "kitchen")) == sorted(text for _, _, text in CHAT[5:9])
    found = run("plumber", "--mode", "words", "--json", command=search)
    position = json.loads(found.stdout)["event_position"]
    asked = ("--search", position, "--context", 1)
    run("--output", tmp_path / "hits.zip", *asked)
    assert texts(unzipped((tmp_path / "hits.zip").read_bytes())) == sorted(
        text for _, _, text in CHAT[5:8]
    )
    selection = facts(container)[-1].selection
    assert (selection["search"], selection["context"]) == (position, 1)
    nothing = run("--output", tmp_path / "none", *asked, *CHOOSING)
    assert (nothing.exit_code, nothing.stdout) == (1, "")
    assert "no message is selected" in nothing.stderr
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_what_is_there_is_replaced_only_when_asked_to(run: Any, tmp_path: Path, name: str) -> None:
    """And then by the new export as a whole: no file of the old one is left among its own."""
    output = tmp_path / name
    assert run("--output", output).exit_code == 0
    before = len(list(output.iterdir())) if output.is_dir() else output.stat().st_size
    refused = run("--output", output, *CHOOSING)
    assert refused.exit_code == 2
    assert "--force" in refused.stderr
    assert before == (len(list(output.iterdir())) if output.is_dir() else output.stat().st_size)
    assert run("--output", output, *CHOOSING, "--force").exit_code == 0
    files = files_in(output) if output.is_dir() else unzipped(output.read_bytes())
    assert texts(files) == sorted(text for _, _, text in CHAT[:5])
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_an_earlier_export_is_kept_until_the_new_one_has_its_name(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, rename = tmp_path / "out", Path.rename
    run("--output", output)
    before = files_in(output)

    def interrupted(path: Path, target: Path) -> Path:
        if path.name.endswith(".part") and target == output:
            monkeypatch.undo()
            raise SystemExit(143)
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    assert run("--output", output, *CHOOSING, "--force").exit_code == 143
    assert files_in(output) == before
    assert list(tmp_path.iterdir()) == [output]


def test_other_peoples_files_are_never_replaced(run: Any, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    refused = run("--output", tmp_path, "--force")
    assert refused.exit_code == 2
    assert "thesis.txt" in refused.stderr
    assert (tmp_path / "thesis.txt").read_text() == "mine"
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run("--output", empty).exit_code == 0
    assert len(list(empty.iterdir())) == 3


@pytest.mark.parametrize("name", ["out", "out.zip"])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(143), OSError(28, "disk full")])
def test_whatever_ends_it_leaves_nothing_under_the_name(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, error: BaseException
) -> None:
    """At every moment before the end: so a process that is killed leaves nothing there either."""
    output, pieces = tmp_path / name, RsmfFile.pieces
    written, seen = list[str](), list[bool]()

    def watched(file: RsmfFile) -> Iterator[bytes]:
        written.append(file.name)
        for piece in pieces(file):
            seen.append(output.exists())
            yield piece
        if len(written) == 3:
            raise error

    monkeypatch.setattr(RsmfFile, "pieces", watched)
    failed = run("--output", output)
    assert failed.exit_code != 0
    assert len(written) == 3
    assert set(seen) == {False}
    assert list(tmp_path.iterdir()) == []
    if isinstance(error, OSError):
        assert f"{output} cannot be written: disk full" in failed.stderr
    monkeypatch.undo()


@pytest.mark.parametrize("format_", ["jsonl", "csv", "txt"])
def test_a_conversation_may_be_written_in_the_other_formats(
    run: Any, container: Container, tmp_path: Path, format_: str
) -> None:
    output = tmp_path / f"kitchen.{format_}"
    asked = ("--format", format_, "--conversation", conversation_id(container, "Kitchen"))
    assert run("--output", output, *asked).exit_code == 0
    said = [text for _, _, text in CHAT[5:9]]
    text = output.read_text("utf-8")
    if format_ == "jsonl":
        assert [json.loads(line)["text"] for line in text.splitlines()] == said
    elif format_ == "csv":
        assert [row["text"] for row in csv.DictReader(text.splitlines())] == said
    else:
        assert [line.partition(": ")[2] for line in text.splitlines()] == said
    fact = facts(container)[-1]
    assert (fact.kind, fact.format, fact.selection) == ("messages", format_, None)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--workspace", "nowhere"], "there is no workspace 'nowhere'"),
        (["--conversation", NOBODYS], "this workspace has no conversation"),
        (["--conversation", "general"], "no conversation's id"),
        (["--search", "1"], "position 1 is no search of this workspace"),
        (["--context", "2"], "name the --search, too"),
        (["--from", "yesterday"], "it must be a day, as in 2024-01-31"),
        (["--from", "2024-02-01", "--until", "2024-01-01"], "until must be later than from"),
        (["--format", "csv"], "csv is of one whole --conversation"),
        (["--format", "csv", "--conversation", NOBODYS], "this workspace has no conversation"),
    ],
)
def test_what_cannot_be_exported_is_refused_with_what_to_do(
    run: Any, container: Container, tmp_path: Path, options: list[str], said: str
) -> None:
    before = len(facts(container))
    refused = run("--output", tmp_path / "out", *options)
    assert refused.exit_code == 2
    assert said in " ".join(refused.stderr.split())
    assert list(tmp_path.iterdir()) == []
    assert len(facts(container)) == before


def test_a_folder_that_is_not_there_is_named(run: Any, tmp_path: Path) -> None:
    refused = run("--output", tmp_path / "no" / "out.zip")
    assert (refused.exit_code, "there is no folder" in refused.stderr) == (2, True)


def test_what_the_read_models_have_not_reached_is_said_to_be_missing(
    run: Any, container: Container, tmp_path: Path
) -> None:
    lines: list[Line] = [("Late", "Ann", "just now")]
    nobody = Context(actor_id=LOCAL_OWNER, workspace_id=None)
    made = container.create_workspace(CreateWorkspace(name="late"), nobody)
    context = Context(actor_id=LOCAL_OWNER, workspace_id=UUID(made.result["workspace_id"]))
    received = container.receive_upload(
        ReceiveUpload(filename="a.jsonl"), [as_jsonl(lines)], context
    )
    upload_id = UUID(received.result["upload_id"])
    container.runner.advance("workspaces")
    container.read_upload(ReadUpload(upload_id=upload_id), should_stop=lambda: False)
    behind = run("--workspace", "late", "--output", tmp_path / "out")
    assert behind.exit_code == 1
    assert "not everything in the log can be read yet" in behind.stderr
    advance(container)
    done = run("--workspace", "late", "--output", tmp_path / "out")
    assert (done.exit_code, done.stderr.strip()) == (0, "")
    assert texts(files_in(tmp_path / "out")) == ["just now"]
