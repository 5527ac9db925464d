"""`chatledger ingest` and `uploads`: what people see, whatever the files hold."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from infrastructure.bootstrap import open_container
from infrastructure.container import Container
from infrastructure.settings import Settings
from interfaces.cli.actor import cli_context
from interfaces.cli.ingest import ingest_files
from interfaces.cli.ingesting import Sent, ensure_workspace, look, outcome, send
from interfaces.cli.main import main
from tests.support.archive_fixture import (
    MASTER_KEY,
    advance,
    export,
    ingest,
    open_test_container,
    settings_for,
)

HIDDEN = "\x1b]0;title\x07\u202eevil\r\n\x9b"
UNWANTED = ("\x1b", "\x07", "\u202e", "\r", "\x9b")
HALT = "UPDATE projection.projection SET status = 'halted' WHERE name = %s"
OUTDATE = "UPDATE projection.projection SET code_version = code_version - 1 WHERE name = %s"
Invoke = Callable[..., Result]


@pytest.fixture
def invoke(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("CHATLEDGER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("CHATLEDGER_MASTER_KEY", MASTER_KEY)
    return lambda *arguments: CliRunner().invoke(main, arguments, env={"COLUMNS": "200"})


def chat(folder: Path, name: str = "chat.jsonl") -> Path:
    path = folder / name
    path.write_bytes(export([("Boat", "Ada", "Who brings the life jackets?")]))
    return path


def change(url: str, statement: str, name: str) -> None:
    with psycopg.connect(url) as connection:
        assert connection.execute(statement, (name,)).rowcount == 1


@pytest.mark.parametrize("name", ["uploads", "messages"])
@pytest.mark.parametrize(
    ("statement", "said"),
    [(HALT, "chatledger projection resume"), (OUTDATE, "chatledger projection rebuild")],
)
def test_a_read_model_that_stands_still_ends_the_wait_with_the_command_that_helps(
    invoke: Invoke, database_url: str, tmp_path: Path, name: str, statement: str, said: str
) -> None:
    with open_test_container(database_url, tmp_path):
        change(database_url, statement, name)
    done = invoke("ingest", "--yes", str(chat(tmp_path)))

    assert done.exit_code == 1
    assert f"`{said} {name}`" in done.stderr.splitlines()[-1]


def test_an_outdated_read_model_of_the_embedded_server_is_built_anew_at_the_start(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older checkout has left it; nobody has to know the command."""
    with open_test_container(database_url, tmp_path) as container:
        ingest(container)
    change(database_url, OUTDATE, "uploads")
    settings = replace(settings_for(database_url, tmp_path), database_url=None)
    monkeypatch.setattr(
        "infrastructure.bootstrap.EmbeddedPostgres", lambda *_, **__: Served(database_url)
    )
    said: list[str] = []
    with open_container(settings, say=lambda text, *_, **__: said.append(text)) as container:
        assert container.runner.ensure_all() == []
        with container.pool.connection() as connection:
            assert connection.execute("SELECT count(*) FROM read.upload").fetchone() == (1,)
    assert [line for line in said if "uploads was made by another release" in line] == said


class Served:
    """Stands for the embedded server, which takes seconds."""

    folder = Path("postgres")

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_kept_alive = False

    def start(self) -> str:
        return self.url

    def keep_alive(self) -> None:
        self.is_kept_alive = True

    def stop(self) -> None:
        pass


def test_what_is_known_of_an_earlier_try_is_not_taken_for_the_outcome_of_this_one(
    database_url: str, tmp_path: Path
) -> None:
    """The same file again after a failure: until that is seen, the row says `failed`."""
    with open_test_container(database_url, tmp_path) as container:
        workspace_id = ensure_workspace(container, "team", cli_context(None))
        context = cli_context(workspace_id)
        upload_id, first = send(container, chat(tmp_path), context=context, options={})
        advance(container)
        assert len(look(container, workspace_id, {upload_id: first})) == 1
        again_id, again = send(container, chat(tmp_path), context=context, options={})

        assert (again_id, look(container, workspace_id, {upload_id: again})) == (upload_id, [])
        advance(container)
        [row] = look(container, workspace_id, {upload_id: again})
        assert row.position == again.position
        assert look(container, workspace_id, {upload_id: Sent("x", again.position + 1)}) == []


def test_a_file_name_is_shown_as_it_is_but_cannot_drive_the_terminal(
    invoke: Invoke, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interfaces.cli.ingesting.require_read_models", advance_all)
    files = tmp_path / "files"
    files.mkdir()
    said = io.StringIO()
    console = Console(file=said, force_terminal=True, color_system=None, width=200)
    with open_test_container(database_url, tmp_path) as container:
        for number, name in enumerate(("notes [draft].txt", f"{HIDDEN}.txt")):
            path = files / name
            path.write_text(f"nothing that can be read, number {number}\x00\x01")
            ingest_files(container, (path,), "default", {}, console)
        advance(container)
    shown = said.getvalue().replace("\x1b[?25l", "").replace("\x1b[?25h", "")
    listed = invoke("uploads").stdout

    for text in (shown, listed):
        assert "notes [draft].txt" in text
        assert "evil" in text
    for unwanted in ("\x1b]", *UNWANTED[1:3], "\x9b"):
        assert unwanted not in shown
    for unwanted in UNWANTED:
        assert unwanted not in listed


def advance_all(container: Container) -> None:
    """In place of a worker."""
    from application.commands.read_upload import ReadUpload
    from domain.workspace import Workspace
    from projections.uploads.queries import uploads

    advance(container)
    with container.pool.connection() as connection:
        rows = uploads(connection, Workspace.create_id("default"))
    for row in rows:
        if row.stage == "received":
            container.read_upload(ReadUpload(upload_id=row.upload_id), should_stop=lambda: False)
    advance(container)


def test_the_outcome_of_an_upload_is_one_clean_line(database_url: str, tmp_path: Path) -> None:
    with open_test_container(database_url, tmp_path) as container:
        ingested = ingest(container)
        sent = {ingested.upload_id: Sent("x", 0)}
        [row] = look(container, ingested.workspace_id, sent)
    assert outcome(row) == "chat.jsonl: 39 messages of 9 people in 3 conversations (jsonl)"
    for bad in (
        replace(row, filename=HIDDEN),
        replace(row, stage="rejected", error=HIDDEN),
    ):
        assert "evil" in outcome(bad)
        assert not [unwanted for unwanted in (*UNWANTED, "\n") if unwanted in outcome(bad)]


def test_a_workspace_that_is_not_there_is_an_error_that_names_those_there_are(
    invoke: Invoke, database_url: str, tmp_path: Path
) -> None:
    nothing = invoke("uploads", "--workspace", "team")
    assert nothing.exit_code == 2
    assert "`chatledger ingest FILE` makes one" in nothing.stderr
    with open_test_container(database_url, tmp_path) as container:
        ensure_workspace(container, "team", cli_context(None))
        advance(container)

    typo = invoke("uploads", "--workspace", "taem")
    assert typo.exit_code == 2
    assert "there is no workspace 'taem'; there are: 'team'" in typo.stderr
    assert invoke("uploads", "--workspace", "team").exit_code == 0


@pytest.mark.parametrize("command", ["uploads", "serve"])
def test_a_wrong_setting_is_one_sentence(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("CHATLEDGER_HOST", "0.0.0.0")
    done = invoke(command)
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: CHATLEDGER_HOST must be an address that only this")
    assert done.stderr.count("\n") == 1


def test_folders_with_keys_and_personal_data_are_closed_to_others(
    database_url: str, tmp_path: Path
) -> None:
    """Also those that are there already, of an older release or with a lax umask."""
    for name in ("keys", "blobs"):
        (tmp_path / "data" / name).mkdir(parents=True)
        (tmp_path / "data" / name).chmod(0o755)
    (tmp_path / "data").chmod(0o755)
    settings: Settings = settings_for(database_url, tmp_path / "data")
    with open_container(settings):
        modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "data").iterdir()}
    assert modes == {"keys": 0o700, "blobs": 0o700, "vectors": 0o700}
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o755
