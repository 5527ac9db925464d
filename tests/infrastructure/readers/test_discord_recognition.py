"""Which files are taken for Discord's, and which are not."""

from __future__ import annotations

import json
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from application.ports.chat_reader import (
    ChatReader,
    UnreadableExportError,
)
from infrastructure.readers.limits import MEBIBYTE
from infrastructure.readers.local_file import LocalFile
from infrastructure.readers.registry import Readers
from tests.infrastructure.readers.discord_exports import (
    BANNER,
    HEADER,
    PACKAGED,
    READERS,
    ROWS,
    below,
    chat,
    claim,
    row,
    said,
    table,
    text_said,
)
from tests.infrastructure.readers.support import (
    MemoryFile,
    json_file,
    text_file,
    zip_file,
)
from tests.support.data import SAMPLES, data_path


def test_exports_of_channels_are_recognised_by_content() -> None:
    assert claim(json_file(chat(said(1)), "x")) == 0.95
    assert claim(json_file(chat(), "x")) == 0.95
    assert claim(table(row())) == 0.9
    assert claim(text_file("Author;Date;Content;Attachments;\n", "x")) == 0.8
    assert claim(below(text_said())) == 0.95
    assert claim(zip_file({"a/b.json": json.dumps(chat(said(1))), "a/c.png": b"x"})) == 0.95
    assert claim(zip_file({"a/b.csv": HEADER + row()})) == 0.9
    assert claim(MemoryFile(json.dumps(chat(said(1))).encode("utf-16"), "x")) == 0.95


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "{}",
        '{"messages": []}',
        '{"guild": {}, "messages": []}',
        '{"text": "\\"guild\\": {\\"channel\\": {", "messages": []}',
        "Author,Date,Text\n",
        "AuthorID,Date\n",
        f"{BANNER}\nChannel: x\n",
        f"Guild: x\nChannel: y\n{BANNER}\n",
        PACKAGED,
        ROWS,
    ],
)
def test_other_files_are_no_exports_of_channels(text: str) -> None:
    assert claim(text_file(text, "general [987654321000000000].json")) is None


def test_packages_are_recognised_by_content() -> None:
    reader = READERS[1]
    assert claim(text_file(PACKAGED, "x"), reader) == 0.9
    assert claim(text_file(ROWS, "x"), reader) == 0.9
    for name in ("package/messages/c77/messages", "Messages/77/messages"):
        assert claim(zip_file({f"{name}.json": PACKAGED, "a.txt": "x"}), reader) == 0.95
        assert claim(zip_file({f"{name}.csv": ROWS}), reader) == 0.95
        assert claim(zip_file({f"{name}.json": "[]"}), reader) is None
    assert claim(zip_file({"messages/general/messages.json": PACKAGED}), reader) is None
    assert claim(text_file('[{"ID": 1, "Text": "x"}]', "messages.json"), reader) is None
    assert claim(text_file("ID,Timestamp,Text\n", "messages.csv"), reader) is None
    assert claim(json_file(chat(said(1)), "messages.json"), reader) is None


def test_only_the_samples_of_these_formats_are_claimed() -> None:
    paths = [path for path in SAMPLES.iterdir() if path.is_file()]
    with suppress(pytest.skip.Exception):
        paths += [path for path in data_path().rglob("*") if path.is_file()]
    assert len(paths) >= 4
    for path in paths:
        is_ours = path.name.startswith("discord") or "discord" in path.parent.parts
        is_ours = is_ours or path.parent.parent.name == "discord"
        if path.stat().st_size and not is_ours:
            with suppress(UnreadableExportError):
                assert claim(LocalFile(path), READERS[0]) is None, path
                assert claim(LocalFile(path), READERS[1]) is None, path


def test_no_other_reader_claims_these_files_as_surely() -> None:
    for own, file in (
        (READERS[0], json_file(chat(said(1)), "general.json")),
        (READERS[0], zip_file({"general.json": json.dumps(chat(said(1)))})),
        (READERS[0], table(*(row(f"hi {n}") for n in range(50)))),
        (READERS[0], zip_file({"general.csv": HEADER + row() * 50})),
        (READERS[0], below(*(text_said(f"hi {n}") for n in range(50)))),
        (READERS[1], text_file(ROWS, "messages.csv")),
        (READERS[1], zip_file({"messages/c7/messages.csv": ROWS})),
        (READERS[1], zip_file({"messages/c7/messages.json": PACKAGED})),
    ):
        readers = Readers()
        with readers.open(file) as export:
            ours = own.recognise(export)
            assert ours is not None
            for name in {*readers.formats} - {"discord", "discord_package"}:
                theirs = readers.by_format(name).recognise(export)
                assert theirs is None or theirs.confidence < ours.confidence - 0.1, name


@pytest.mark.parametrize("reader", READERS)
def test_an_archive_of_many_files_is_recognised_without_reading_them_all(
    reader: ChatReader,
) -> None:
    opened = 0

    class Counted(MemoryFile):
        def open(self) -> Any:
            nonlocal opened
            opened += 1
            return super().open()

    data = b"x" * MEBIBYTE
    files = [Counted(data, f"m/c{n}/messages.json") for n in range(20_000)]
    many = SimpleNamespace(name="many.zip", is_packed=True, files=files, warnings=(), breaks={})
    assert reader.recognise(many) is None
    assert opened == 20


def test_a_channel_is_found_among_many_other_files() -> None:
    files: dict[str, str | bytes] = {f"assets/{n}.json": "{}" for n in range(100)}
    assert claim(zip_file({**files, "z/general [987].json": json.dumps(chat(said(1)))})) == 0.95
