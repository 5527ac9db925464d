"""The read models at the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from domain.workspace import Workspace
from infrastructure.bootstrap import open_container
from infrastructure.projections import registry
from infrastructure.settings import Settings
from interfaces.cli.actor import cli_context
from interfaces.cli.main import main
from projections.workspaces.projection import WorkspacesReadModel
from tests.support.archive import connect

Invoke = Callable[..., Result]


@pytest.fixture
def invoke(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("CHATLEDGER_DATA_DIR", str(tmp_path))

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["projection", *arguments], env={"COLUMNS": "120"})

    with open_container(Settings.from_env(), say=lambda *_, **__: None) as container:
        container.archive.record(cli_context(None), Workspace.create("Acme"))
        for name in container.runner.names:
            container.runner.advance(name)
    return run


def test_the_list_names_every_read_model(invoke: Invoke) -> None:
    result = invoke("list")

    assert result.exit_code == 0
    for name in ("workspaces", "uploads", "messages", "audit_trail"):
        assert name in result.stdout


def test_the_status_is_readable_by_programs(invoke: Invoke) -> None:
    entries = [json.loads(line) for line in invoke("status", "--json").stdout.splitlines()]

    by_name = {entry["name"]: entry for entry in entries}
    assert by_name["workspaces"]["status"] == "live"
    assert by_name["workspaces"]["position"] == by_name["workspaces"]["head"] == 1
    assert by_name["audit_trail"]["lag_events"] == 0
    assert "workspaces" in invoke("status").stdout


def test_a_rebuild_and_its_rollback_say_which_version_is_read(invoke: Invoke) -> None:
    assert "workspaces is rebuilt: version 2 is read now" in invoke("rebuild", "workspaces").stdout
    assert "version 1 is read now" in invoke("rollback", "workspaces").stdout
    assert invoke("forget", "workspaces").stdout == "Dropped version 2 of workspaces.\n"
    assert invoke("forget", "workspaces").stdout == "There is nothing to drop.\n"


def test_everything_can_be_rebuilt_at_once(invoke: Invoke, database_url: str) -> None:
    result = invoke("rebuild", "--all")

    assert result.exit_code == 0, result.output
    with connect(database_url) as connection:
        live = {s.name: s.version for s in registry.status(connection) if s.status == "live"}
    assert set(live.values()) == {2}


def test_a_halted_read_model_shows_why_and_resumes(invoke: Invoke, database_url: str) -> None:
    with connect(database_url) as connection, connection.transaction():
        registry.fail(connection, "workspaces", 1, 1, "workspace.created", "SomeError at x.py:1")
        registry.set_status(connection, "workspaces", 1, "halted")
        registry.move(connection, "workspaces", 1, 0)
        connection.execute("TRUNCATE workspaces_v1.workspace")

    assert "workspaces 1 at 1 (workspace.created): SomeError at x.py:1" in invoke("status").stdout
    assert invoke("resume", "workspaces").stdout == "workspaces is up to date.\n"
    assert invoke("resume", "workspaces").stdout == "workspaces was not halted.\n"


def test_a_read_model_that_halts_again_is_reported(
    invoke: Invoke, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> None:
        raise LookupError

    monkeypatch.setattr(WorkspacesReadModel, "apply", refuse)
    with connect(database_url) as connection, connection.transaction():
        registry.set_status(connection, "workspaces", 1, "halted")
        registry.move(connection, "workspaces", 1, 0)

    result = invoke("resume", "workspaces")

    assert result.exit_code == 1
    assert "workspaces halted again at position 1: LookupError" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("rebuild",), "Name one projection"),
        (("rebuild", "uploads", "--all"), "Name one projection"),
        (("rebuild", "nothing"), "there is no projection 'nothing', only"),
        (("rollback", "uploads"), "no earlier version of uploads is kept"),
        (("resume", "nothing"), "there is no projection 'nothing', only"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    invoke: Invoke, arguments: tuple[str, ...], sentence: str
) -> None:
    result = invoke(*arguments)

    assert result.exit_code != 0
    assert sentence in result.stderr
    assert "Traceback" not in result.output
