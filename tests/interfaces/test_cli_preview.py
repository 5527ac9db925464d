"""`chatledger inspect`, and what `ingest` shows and asks before anything is kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner, Result

from application.commands.read_upload import ReadUpload
from application.commands.receive_upload import ReceiveUpload
from domain.workspace import Workspace
from infrastructure.container import Container
from interfaces.cli.actor import cli_context
from interfaces.cli.ingesting import ensure_workspace
from interfaces.cli.main import main
from projections.messages.counts import upload_outcomes
from projections.uploads.queries import uploads
from tests.support.archive_fixture import MASTER_KEY, advance, open_test_container
from tests.support.fake_embedder import HashEmbedder
from tests.support.projecting import projecting

OPEN = "[03/04/24, 10:00:00] Ada: Who brings the jackets?\n[05/04/24, 11:00:00] Bob: I do.\n"
CLEAR = "[31/01/24, 10:00:00] Ada: Who brings the jackets?\n[01/02/24, 11:00:00] Bob: I do.\n"
LATER = CLEAR + "[02/02/24, 09:00:00] Cem: Thank you.\n"
TORN = "".join(f"[{day}/01/24, 10:00:00] Ada: {day}\n" for day in range(20, 25))
Run = Callable[..., Result]


@pytest.fixture
def run(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("CHATLEDGER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("CHATLEDGER_MASTER_KEY", MASTER_KEY)
    monkeypatch.setattr("infrastructure.container.MiniLmEmbedder", lambda **_: HashEmbedder())

    def invoke(*arguments: str, said: str | None = None) -> Result:
        monkeypatch.setattr("interfaces.cli.ingest.has_terminal", lambda: said is not None)
        return CliRunner().invoke(main, arguments, input=said, env={"COLUMNS": "200"})

    return invoke


@pytest.fixture
def container(run: Run, database_url: str, tmp_path: Path) -> Iterator[Container]:
    with open_test_container(database_url, tmp_path / "data") as container:
        yield container


def chat(folder: Path, text: str, name: str = "WhatsApp Chat - Boat.txt") -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def read(container: Container, text: str, **options: Any) -> UUID:
    """As a worker would, what was sent and is to be read at once."""
    workspace_id = ensure_workspace(container, "default", cli_context(None))
    accepted = container.receive_upload(
        ReceiveUpload(filename="WhatsApp Chat - Boat.txt", options=options),
        [text.encode()],
        cli_context(workspace_id),
    )
    id = UUID(accepted.result["upload_id"])
    work(container, id)
    return id


def work(container: Container, id: UUID) -> None:
    """As a worker would, whose read models are up to date."""
    advance(container)
    container.read_upload(ReadUpload(upload_id=id), should_stop=lambda: False)
    advance(container)


def found(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.stderr
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def stored(container: Container) -> list[str]:
    advance(container)
    with container.pool.connection() as connection:
        return [row.stage for row in uploads(connection, Workspace.create_id("default"))]


def test_a_file_that_leaves_its_dates_open_is_shown_in_both_readings(
    run: Run, tmp_path: Path
) -> None:
    path = chat(tmp_path, OPEN)
    shown = found(run("inspect", path, "--json"))

    assert shown["questions"] == ["date_order"]
    assert shown["dates"]["possible"] == ["dmy", "mdy"]
    assert [
        [(one["order"], one["at"]) for one in line["readings"]] for line in shown["samples"]
    ] == [
        [("dmy", "2024-04-03T10:00:00+00:00"), ("mdy", "2024-03-04T10:00:00+00:00")],
        [("dmy", "2024-04-05T11:00:00+00:00"), ("mdy", "2024-05-04T11:00:00+00:00")],
    ]
    said = run("inspect", path).stdout
    assert "Dates can be day, month, year or month, day, year" in said
    assert "--date-order dmy or --date-order mdy" in said
    assert "2024-03-04T10:00:00" in said


def test_what_the_person_says_is_told_from_what_the_file_says(run: Run, tmp_path: Path) -> None:
    clear, open_ = chat(tmp_path, CLEAR, "a.txt"), chat(tmp_path, OPEN, "b.txt")
    by_file = found(run("inspect", clear, "--json"))["dates"]
    by_person = found(run("inspect", open_, "--json", "--date-order", "mdy"))

    assert (by_file["chosen"], by_file["decided_by"], by_file["possible"]) == (
        "dmy",
        "file",
        ["dmy"],
    )
    assert (by_person["dates"]["decided_by"], by_person["questions"]) == ("person", [])
    assert [one["order"] for one in by_person["samples"][0]["readings"]] == ["mdy", "dmy"]
    assert "as you say" in run("inspect", open_, "--date-order", "mdy").stdout
    assert "the file decides it" in run("inspect", clear).stdout


def test_the_zone_is_told_with_where_it_comes_from(run: Run, tmp_path: Path) -> None:
    path = chat(tmp_path, CLEAR)

    assert "Time zone UTC, assumed" in run("inspect", path).stdout
    stated = found(run("inspect", path, "--json", "--timezone", "Europe/Rome"))
    assert (stated["timezone"], stated["zones"]) == ("Europe/Rome", {"stated": 2})
    assert stated["samples"][0]["readings"][0]["at"] == "2024-01-31T09:00:00+00:00"


def test_two_formats_that_claim_a_file_are_candidates_and_no_guess(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infrastructure.readers.registry._SAME", 0.5)
    path = chat(tmp_path, TORN)
    shown = found(run("inspect", path, "--json"))

    assert (shown["format"], shown["questions"]) == (None, ["format"])
    assert [one["format"] for one in shown["candidates"]] == ["whatsapp", "text"]
    said = run("inspect", path).stdout
    assert "say which with --format" in said
    assert "whatsapp: lines begin with" in said
    assert found(run("inspect", path, "--json", "--format", "text"))["format"] == "text"


def test_the_owner_the_columns_and_the_attachments_are_told(run: Run, tmp_path: Path) -> None:
    table = tmp_path / "chat.csv"
    table.write_text("Zeit,Wer,Nachricht\n2024-01-31 10:00,Ada,eins\n2024-01-31 11:00,Bob,zwei\n")
    account = tmp_path / "result.json"
    message = {
        "id": 1,
        "type": "message",
        "date": "2024-01-31T10:00:00",
        "date_unixtime": "1706695200",
        "from": "Ada",
        "from_id": "user1",
        "file": "a.pdf",
        "file_name": "a.pdf",
        "text": "one",
    }
    chats = {"list": [{"name": "Bob", "type": "personal_chat", "id": 2, "messages": [message]}]}
    personal = {"user_id": 1, "first_name": "Ada", "last_name": "Lovelace"}
    account.write_text(json.dumps({"personal_information": personal, "chats": chats}))

    columns = found(run("inspect", str(table), "--json"))["columns"]
    assert {"sent_at": "Zeit", "text": "Nachricht"}.items() <= columns.items()
    named = run("inspect", str(table), "--column", "author=Wer")
    assert "author=Wer" in named.stdout
    of_ada = found(run("inspect", str(account), "--json"))
    assert (of_ada["owner"], of_ada["attachments"]) == ("Ada Lovelace", 1)
    assert "The export of Ada Lovelace" in run("inspect", str(account)).stdout


def test_what_is_shown_of_the_archive_is_what_the_upload_brings(
    run: Run, container: Container, tmp_path: Path
) -> None:
    read(container, CLEAR)
    shown = found(run("inspect", chat(tmp_path, LATER), "--json"))["comparison"]
    numbers = {name: shown[name] for name in ("fresh", "edited", "vanished", "known")}

    assert numbers == {"fresh": 1, "edited": 0, "vanished": 0, "known": 2}
    assert "For the archive: 1 new" in run("inspect", chat(tmp_path, LATER)).stdout
    key = (Workspace.create_id("default"), read(container, LATER))
    with container.pool.connection() as connection:
        brought = upload_outcomes(connection, [key])[key]
    assert numbers == {name: getattr(brought, name) for name in numbers}


def test_inspecting_keeps_nothing_and_needs_no_archive(
    run: Run, container: Container, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = container.archive.event_log.head()
    run("inspect", chat(tmp_path, CLEAR))
    assert container.archive.event_log.head() == head

    assert (
        found(run("inspect", chat(tmp_path, CLEAR), "--json", "--no-archive"))["comparison"] is None
    )
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.setenv("CHATLEDGER_DATA_DIR", str(tmp_path / "elsewhere"))
    assert found(run("inspect", chat(tmp_path, CLEAR), "--json"))["comparison"] is None
    assert not (tmp_path / "elsewhere").exists()


def test_without_a_terminal_ingest_says_what_to_do_and_touches_nothing(
    run: Run, container: Container, tmp_path: Path
) -> None:
    result = run("ingest", chat(tmp_path, CLEAR))

    assert result.exit_code == 2
    assert "--yes" in result.stderr
    assert stored(container) == []


def test_who_says_no_leaves_nothing_behind(run: Run, container: Container, tmp_path: Path) -> None:
    result = run("ingest", chat(tmp_path, CLEAR), said="n\n")

    assert result.exit_code == 1
    assert "Who brings the jackets?" in result.stderr
    assert "Read WhatsApp Chat - Boat.txt into the workspace «default»? [y/N]" in result.stderr
    assert stored(container) == []


def test_who_says_yes_has_it_read(run: Run, container: Container, tmp_path: Path) -> None:
    with projecting(container):
        result = run("ingest", chat(tmp_path, CLEAR), said="y\n")

    assert result.exit_code == 0, result.stderr
    assert stored(container) == ["searchable"]


def test_an_open_question_is_asked_and_its_answer_shown_before_it_is_read(
    run: Run, container: Container, tmp_path: Path
) -> None:
    with projecting(container):
        result = run("ingest", chat(tmp_path, OPEN), said="mdy\ny\n")

    assert result.exit_code == 0, result.stderr
    assert "In which order are its dates? (dmy, mdy, skip) [skip]" in result.stderr
    assert "Dates are month, day, year, as you say" in result.stderr
    with container.pool.connection() as connection:
        [row] = uploads(connection, Workspace.create_id("default"))
    assert str(row.first_at)[:10] == "2024-03-04"


def test_who_skips_one_file_has_the_others_read(
    run: Run, container: Container, tmp_path: Path
) -> None:
    paths = chat(tmp_path, OPEN, "open.txt"), chat(tmp_path, CLEAR)
    with projecting(container):
        result = run("ingest", *paths, said="\ny\n")

    assert result.exit_code == 1
    assert stored(container) == ["searchable"]


def test_a_file_that_cannot_be_read_is_told_of_and_not_sent(
    run: Run, container: Container, tmp_path: Path
) -> None:
    result = run("ingest", chat(tmp_path, "no chat at all"), said="")

    assert result.exit_code == 1
    assert "text without lines that begin like a message" in result.stderr
    assert stored(container) == []


def test_a_script_is_told_that_an_open_file_is_held_back_and_how_to_go_on(
    run: Run, container: Container, tmp_path: Path
) -> None:
    path = chat(tmp_path, OPEN)
    with projecting(container):
        result = run("ingest", "--yes", path)
    [upload_id] = held(container)

    assert result.exit_code == 1
    assert f"`chatledger uploads confirm {upload_id} --date-order …`" in result.stderr
    assert "2024-03-04T10:00:00" in run("uploads", "preview", upload_id).stdout
    assert found(run("uploads", "preview", upload_id, "--json"))["questions"] == ["date_order"]
    refused = run("uploads", "confirm", upload_id)
    assert (refused.exit_code, "say the date order" in refused.stderr) == (1, True)
    assert run("uploads", "confirm", upload_id, "--date-order", "mdy").exit_code == 0
    with projecting(container):
        assert run("ingest", "--yes", path).exit_code == 0
    assert stored(container) == ["searchable"]
    gone = run("uploads", "preview", upload_id)
    assert (gone.exit_code, "waits to be confirmed" in gone.stderr) == (1, True)


def held(container: Container) -> list[str]:
    advance(container)
    with container.pool.connection() as connection:
        rows = uploads(connection, Workspace.create_id("default"))
    return [str(row.upload_id) for row in rows if row.questions]


def test_one_that_waits_can_be_looked_at_again_with_other_options(
    run: Run, container: Container, tmp_path: Path
) -> None:
    id = read(container, OPEN)
    assert run("uploads", "inspect", str(id), "--timezone", "Europe/Rome").exit_code == 0
    work(container, id)

    shown = found(run("uploads", "preview", str(id), "--json"))
    assert (shown["timezone"], held(container)) == ("Europe/Rome", [str(id)])
    assert "waits" in run("uploads").stdout
