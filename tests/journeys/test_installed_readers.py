"""A package from elsewhere brings a reader: it is installed, found, used, and kept in its place."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "docs" / "readers.md"
BLOCK = re.compile(r"^`([\w.]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ROWS = "2024-01-31T10:00:00Z|Ann|hello\n2024-01-31T10:00:01Z|Bob|hi\n"
MAIN = "from interfaces.cli.main import main; main()"
READER = """
from application.ports.chat_reader import Recognition
from domain.message import Author, Conversation, Message
from datetime import UTC, datetime

class Reader:
    format = "shout"
    version = 1
    def recognise(self, export):
        with export.files[0].open() as stream:
            claims = stream.read(5) == b"SHOUT"
        return Recognition("shout", 0.9, "it begins with SHOUT") if claims else None
    def read(self, export, options, facts):
        yield Conversation("Rome", "Rome", "group")
        at = datetime(2024, 1, 31, tzinfo=UTC)
        ann = Author("Ann", "Ann")
        yield Message("Rome", "k1", ann, at, "second", "stated", "message", "HELLO")
"""


def run(
    *arguments: str, packages: Path, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """In a process that finds these packages."""
    path = os.pathsep.join([str(REPOSITORY), str(packages)])
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": path, "COLUMNS": "200"},
        cwd=cwd or packages,
        capture_output=True,
        text=True,
        check=False,
    )


def chatledger(*arguments: str, packages: Path) -> subprocess.CompletedProcess[str]:
    return run("-c", MAIN, *arguments, packages=packages)


def add(
    packages: Path,
    name: str,
    code: str | None = READER,
    entries: Mapping[str, str] | None = None,
    version: str = "1.0",
) -> None:
    """Lay out an installed package, as an installer does; None leaves its module out."""
    module = name.replace("-", "_")
    if code is not None:
        (packages / f"{module}.py").write_text(code)
    info = packages / f"{module}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = [
        f"{key} = {value}" for key, value in (entries or {"shout": f"{module}:Reader"}).items()
    ]
    (info / "entry_points.txt").write_text("\n".join(["[chatledger.readers]", *lines, ""]))


def listed(packages: Path) -> tuple[dict[str, str | None], list[dict[str, str]]]:
    """Format -> package, and what is left out."""
    done = chatledger("readers", "--json", packages=packages)
    facts = json.loads(done.stdout)
    assert done.returncode == (1 if facts["left_out"] else 0)
    return {one["format"]: one["package"] for one in facts["readers"]}, facts["left_out"]


@pytest.fixture(scope="module")
def pipes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example of the documentation, built and installed by pip into a folder of its own."""
    source = tmp_path_factory.mktemp("source")
    blocks = dict(BLOCK.findall(PAGE.read_text("utf-8")))
    assert set(blocks) == {"pyproject.toml", "chatledger_pipes.py", "test_pipes.py"}
    for name, content in blocks.items():
        (source / name).write_text(content)
    target = tmp_path_factory.mktemp("packages")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-index", "--no-build-isolation", "--target", str(target)]
    done = subprocess.run(
        [*pip, *options, str(source)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (target / "test_pipes.py").write_text(blocks["test_pipes.py"])
    return target


def test_the_example_of_the_documentation_is_found_and_reads(pipes: Path, tmp_path: Path) -> None:
    readers, left_out = listed(pipes)
    assert (readers["pipes"], readers["slack"], left_out) == ("chatledger-pipes 1.0", None, [])
    (tmp_path / "rome.txt").write_text(ROWS)
    done = chatledger("inspect", str(tmp_path / "rome.txt"), packages=pipes)
    assert (done.returncode, done.stderr) == (0, "")
    assert "rome.txt: pipes (lines with a time, a name and a text)" in done.stdout
    assert "2 messages by 2 people" in done.stdout


def test_the_example_passes_its_own_tests(pipes: Path) -> None:
    chosen = ["-q", "-p", "no:cacheprovider", "-k", "not Thoroughly", "test_pipes.py"]
    done = run("-m", "pytest", *chosen, packages=pipes)
    assert done.returncode == 0, done.stdout
    assert "12 passed" in done.stdout


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_example_passes_the_thorough_tests(pipes: Path) -> None:
    done = run("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_pipes.py", packages=pipes)
    assert done.returncode == 0, done.stdout


def test_without_the_package_the_format_is_said_not_to_be_there(tmp_path: Path) -> None:
    (tmp_path / "rome.txt").write_text(ROWS)
    done = chatledger("inspect", str(tmp_path / "rome.txt"), "--format", "pipes", packages=tmp_path)
    assert done.returncode == 2
    assert "there is no format 'pipes'; there are slack" in done.stderr


BROKEN: dict[str, tuple[str | None, str]] = {
    "missing": (None, "missing:Reader cannot be loaded (ModuleNotFoundError: No module named"),
    "syntax": ("x = (", "(SyntaxError: "),
    "raises": ("raise ValueError('no licence')", "(ValueError: no licence)"),
    "exits": ("import sys; sys.exit('bye')", "(SystemExit: bye)"),
    "empty": ("", "(AttributeError: module 'empty' has no attribute 'Reader')"),
    "seven": ("Reader = 7", "seven:Reader is neither a class nor a function"),
    "unmade": ("class Reader:\n def __init__(self): 1 / 0", "(ZeroDivisionError: division by"),
    "hollow": ("class Reader: pass", "what hollow:Reader makes has no method `recognise`"),
    "unread": (READER.replace("def read", "def write"), "has no method `read`"),
    "named": (READER.replace('"shout"', '"Named"'), "its `format` is 'Named', and its entry"),
    "text": (READER.replace("version = 1", "version = '1.0'"), "its `version` is '1.0'"),
    "true": (READER.replace("version = 1", "version = True"), "a whole number from 1"),
    "zero": (READER.replace("version = 1", "version = 0"), "a whole number from 1"),
}


def test_broken_packages_cost_their_own_readers_only(tmp_path: Path) -> None:
    for name, (code, _) in BROKEN.items():
        format = "brand" if name == "text" else name
        add(tmp_path, name, code and code.replace("shout", format), {format: f"{name}:Reader"})
    add(tmp_path, "good")
    readers, left_out = listed(tmp_path)
    assert readers["shout"] == "good 1.0"
    assert "slack" in readers
    assert readers.keys().isdisjoint({*BROKEN, "brand"} - {"text"})
    reasons = {one["package"]: one["reason"] for one in left_out}
    assert set(reasons) == {f"{name} 1.0" for name in BROKEN}
    for name, (_, said) in BROKEN.items():
        assert said in reasons[f"{name} 1.0"]


def test_a_broken_package_is_named_where_people_look(tmp_path: Path) -> None:
    add(tmp_path, "broken", "raise ValueError('no licence')")
    (tmp_path / "chat.txt").write_text("[2024-01-31 10:00] Ann: hello\n")
    done = chatledger("inspect", "chat.txt", packages=tmp_path)
    assert done.returncode == 0
    assert "1 messages by 1 people" in done.stdout
    assert "Warning: the package broken 1.0 is left out as the reader for “shout”" in done.stderr
    table = chatledger("readers", packages=tmp_path)
    assert (table.returncode, "slack" in table.stdout) == (1, True)
    assert "no licence" in table.stderr
    stated = chatledger("inspect", "chat.txt", "--format", "shout", packages=tmp_path)
    assert stated.returncode == 2
    assert "cannot be read at the moment: the package broken 1.0" in stated.stderr


def test_a_name_of_chatledgers_own_is_refused(tmp_path: Path) -> None:
    for name in ("slack", "csv"):
        entries = {name: f"thief_of_{name}:Reader"}
        add(tmp_path, f"thief-of-{name}", READER.replace("shout", name), entries)
    readers, left_out = listed(tmp_path)
    assert (readers["slack"], readers["csv"], len(left_out)) == (None, None, 2)
    for one in left_out:
        assert one["package"] == f"thief-of-{one['format']} 1.0"
        assert "Chatledger reads a format of this name itself" in one["reason"]


def test_of_two_packages_with_one_format_neither_is_used(tmp_path: Path) -> None:
    """Which of them has read an upload could not be told."""
    add(tmp_path, "one")
    add(tmp_path, "other")
    readers, left_out = listed(tmp_path)
    assert "shout" not in readers
    assert {one["package"]: one["reason"] for one in left_out} == {
        "one 1.0": "other 1.0 reads a format of this name, too; uninstall one of them",
        "other 1.0": "one 1.0 reads a format of this name, too; uninstall one of them",
    }


def test_a_name_that_events_could_not_keep_is_refused(tmp_path: Path) -> None:
    names = ["Shout", "shout chat", "-shout", "s" * 41, "1shout", "shöut", "a..b", "shout_"]
    for number, name in enumerate(names):
        add(tmp_path, f"p{number}", READER.replace("shout", name), {name: f"p{number}:Reader"})
    readers, left_out = listed(tmp_path)
    assert readers.keys().isdisjoint(names)
    assert {one["format"] for one in left_out} == set(names)
    assert all("that is no name of a format" in one["reason"] for one in left_out)


def test_metadata_that_cannot_be_read_costs_its_package_only(tmp_path: Path) -> None:
    add(tmp_path, "odd")
    (tmp_path / "odd-1.0.dist-info" / "METADATA").write_text("")
    add(tmp_path, "worse", READER, {"shout": "not an object reference!"})
    (tmp_path / "broken-1.0.dist-info").mkdir()
    readers, left_out = listed(tmp_path)
    assert "slack" in readers
    assert {one["package"] for one in left_out} == {"without a name ?", "worse 1.0"}


def test_a_reader_that_fails_to_recognise_is_passed_over(tmp_path: Path) -> None:
    add(tmp_path, "bad", READER.replace("claims = stream", "claims = 1 / 0 + stream"))
    (tmp_path / "chat.txt").write_text("[2024-01-31 10:00] Ann: hello\n")
    (tmp_path / "none.txt").write_text("nothing that can be read")
    good = chatledger("inspect", "chat.txt", packages=tmp_path)
    assert (good.returncode, "1 messages" in good.stdout) == (0, True)
    assert "package bad 1.0, is defective: its `recognise` raised ZeroDivisionError" in good.stderr
    none = chatledger("inspect", "none.txt", packages=tmp_path)
    assert none.returncode == 2
    assert "text without lines" in none.stderr


CONVERSATION = 'yield Conversation("Rome", "Rome", "group")'
WRONG = {
    "naive": ("tzinfo=UTC", "", "sent_at that is no aware time"),
    "early": (CONVERSATION, "pass", "comes before its conversation"),
    "nul": ('"message", "HELLO"', '"message", "HEL\\0LO"', "not as domain.message says: text"),
    "raising": (CONVERSATION, "1 / 0", "`read` raised ZeroDivisionError"),
    "number": (CONVERSATION, "yield 7", "neither a Conversation nor"),
}
INSPECT_ALL = """
import sys
from click.testing import CliRunner
from interfaces.cli.inspect import inspect
for name in sys.argv[1:]:
    result = CliRunner().invoke(inspect, ["chat.txt", "--format", name])
    print(name, result.exit_code, repr(result.stdout), result.stderr.strip())
"""


def test_what_no_reader_may_yield_is_never_kept(tmp_path: Path) -> None:
    for name, (right, wrong, _) in WRONG.items():
        assert right in READER
        code = READER.replace(right, wrong).replace("shout", name)
        add(tmp_path, name, code, {name: f"{name}:Reader"})
    (tmp_path / "chat.txt").write_text("SHOUT")
    done = run("-c", INSPECT_ALL, *WRONG, packages=tmp_path)
    lines = done.stdout.splitlines()
    assert len(lines) == len(WRONG), done.stderr
    for line, (name, (_, _, said)) in zip(lines, WRONG.items(), strict=True):
        assert line.startswith(f"{name} 2 '' ")
        assert f"the package {name} 1.0, is defective: its `read`" in line
        assert said in line
