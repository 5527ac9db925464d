"""`chatledger inspect` as a person and as a program use it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from interfaces.cli.inspect import inspect
from interfaces.cli.main import main
from tests.support.data import SAMPLES

SLACK = str(SAMPLES / "slack-export.zip")
TELEGRAM = str(SAMPLES / "telegram-result.json")


@pytest.fixture(autouse=True)
def no_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is shown of the archive is in `test_cli_preview.py`."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("CHATLEDGER_DATA_DIR", str(tmp_path / "none"))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(inspect, list(arguments))


def test_the_summary_names_format_counts_conversations_and_zone() -> None:
    result = run(SLACK)
    assert result.exit_code == 0
    for expected in ("slack", "2267 messages", "120 people", "137 system", "general-chat", "UTC"):
        assert expected in result.stdout


def test_json_is_one_object_with_the_counts() -> None:
    expected = json.loads((SAMPLES / "expect.json").read_text())["telegram-result.json"]
    result = run(TELEGRAM, "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert list(found) == [
        *("file", "format", "reason", "conversations", "messages", "system", "authors"),
        *("first", "last", "timezone", "zones", "date_order", "owner", "attachments", "columns"),
        *("warnings", "unknown_keys", "conversation_count", "candidates", "dates", "samples"),
        *("comparison", "is_complete", "questions"),
    ]
    for key in ("format", "messages", "system", "authors"):
        assert found[key] == expected[key]
    titles = {c["title"]: c["messages"] for c in found["conversations"]}
    assert titles == expected["conversations"]


def test_messages_are_json_lines_that_can_be_read_again(tmp_path: Path) -> None:
    result = run(TELEGRAM, "--messages")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(rows) == 2233
    assert set(rows[1]) == {
        *("conversation", "key", "author", "sent_at", "precision", "kind", "text"),
        *("reply_to", "thread", "edited_at", "reactions", "attachments"),
    }
    assert set(rows[1]["author"]) == {"id", "name"}

    path = tmp_path / "again.jsonl"
    path.write_text(result.stdout)
    again = run(str(path), "--messages")
    assert [json.loads(line) for line in again.stdout.splitlines()] == rows


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "the file is empty"), (b"%PDF-1.4", "a PDF document"), (b"PK\x03\x04xx", "cut off")],
)
def test_an_unreadable_file_is_one_line_on_stderr_and_status_2(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "export.bin"
    path.write_bytes(content)
    for arguments in ([], ["--json"], ["--messages"]):
        result = run(str(path), *arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert said in result.stderr
        assert result.stderr.count("\n") == 1


def test_a_missing_file_is_status_2() -> None:
    result = run("no-such-file.zip")
    assert result.exit_code == 2
    assert "there is no such file" in result.stderr


def test_an_export_cannot_speak_to_the_terminal(tmp_path: Path) -> None:
    hidden = "\x1b]0;title\x07\u202eevil\x9b [bold]title[/bold]"
    row = {"author": "Ada", "timestamp": "2026-01-02T10:00:00Z", "text": "hi"}
    lines = [*([row | {"conversation": hidden, hidden: 1}] * 50), row | {"timestamp": hidden}]
    path = tmp_path / "chat [draft].jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    for result in (run(str(path)), run(str(path), "--messages"), run(str(path), "--json")):
        assert result.exit_code == 0, result.output
        for unwanted in ("\x1b", "\x07", "\u202e", "\x9b"):
            assert unwanted not in result.output
    found = json.loads(run(str(path), "--json").stdout)
    assert found["conversations"][0]["title"] == hidden
    summary = run(str(path)).stdout
    assert "chat [draft].jsonl" in summary
    assert "[bold]title[/bold]" in " ".join(summary.split())


def test_a_file_that_breaks_in_the_middle_is_shown_with_its_warning(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_bytes((SAMPLES / "telegram-result.json").read_bytes()[:100_000])
    summary = run(str(path))
    assert summary.exit_code == 0
    assert "reading ended here" in " ".join(summary.stdout.split())
    found = json.loads(run(str(path), "--json").stdout)
    assert found["messages"] > 100
    assert len(found["warnings"]) == 1
    lines = run(str(path), "--messages")
    assert lines.exit_code == 0
    assert lines.stderr.count("\n") == 1


def test_zone_date_order_columns_and_format_can_be_stated(tmp_path: Path) -> None:
    path = tmp_path / "chat.csv"
    path.write_text("w,who,a,b\n3/4/2024 10:00,Ann,no,yes\n")
    options = ["--timezone", "Europe/Berlin", "--date-order", "mdy", "--format", "csv"]
    result = run(str(path), "--messages", *options, "--column", "text=b", "--column", "author=who")
    (row,) = map(json.loads, result.stdout.splitlines())
    assert row["sent_at"] == "2024-03-04T09:00:00+00:00"
    assert (row["author"]["name"], row["text"]) == ("Ann", "yes")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--json", "--messages"], "choose one"),
        (["--column", "text"], "OURS=THEIRS"),
        (["--format", "fax"], "there is no format 'fax'"),
        (["--timezone", "Europe/Atlantis", "--format", "telegram"], "Atlantis"),
    ],
)
def test_wrong_options_are_explained(arguments: list[str], said: str) -> None:
    result = run(TELEGRAM, *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_reader_that_stops_early_is_no_error() -> None:
    program = "from interfaces.cli.main import main; main()"
    script = f'"{sys.executable}" -c "{program}" inspect "{TELEGRAM}" --messages | head -n 1'
    done = subprocess.run(script, shell=True, capture_output=True, check=False)
    assert done.stdout.count(b"\n") == 1
    assert done.stderr == b""


def test_inspecting_loads_neither_models_nor_databases() -> None:
    script = (
        "import sys, interfaces.cli.inspect\n"
        "heavy = {'torch', 'psycopg', 'eventsourcing', 'numpy', 'faiss', 'rich'}\n"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_command_is_part_of_chatledger() -> None:
    result = CliRunner().invoke(main, ["inspect", "--help"])
    assert result.exit_code == 0
    assert "Nothing is stored" in result.stdout
