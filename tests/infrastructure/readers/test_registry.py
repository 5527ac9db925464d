"""The format is recognised by content, and what cannot be read is said clearly."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from application.ports.chat_reader import (
    Export,
    FormatNotInstalledError,
    ReadFacts,
    ReadItem,
    ReadOptions,
    Recognition,
    UnreadableExportError,
)
from infrastructure.explaining import explain
from infrastructure.readers.registry import Readers
from tests.infrastructure.readers.support import MemoryFile, read, recognised, text_file, zip_file
from tests.support.data import SAMPLES


class ClaimingReader:
    """Claims every file with the same confidence."""

    version = 1

    def __init__(self, format: str) -> None:
        self.format = format

    def recognise(self, export: Export) -> Recognition:
        return Recognition(self.format, 0.9, f"everything is {self.format}")

    def read(self, export: Export, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
        return iter(())


@pytest.mark.parametrize("name", ["x.csv", "photo.jpg", ""])
@pytest.mark.parametrize(
    ("sample", "format"),
    [
        ("slack-export.zip", "slack"),
        ("whatsapp-chat.zip", "whatsapp"),
        ("telegram-result.json", "telegram"),
    ],
)
def test_the_name_of_a_file_does_not_matter(name: str, sample: str, format: str) -> None:
    file = MemoryFile((SAMPLES / sample).read_bytes(), name)
    assert recognised(file)[1].format == format


def test_a_tie_is_an_error_that_shows_both() -> None:
    readers = Readers([ClaimingReader("apples"), ClaimingReader("pears")])
    with (
        readers.open(text_file("x")) as export,
        pytest.raises(UnreadableExportError, match=r"everything is apples.*everything is pears"),
    ):
        readers.recognise(export)


def test_a_reader_is_found_by_the_name_in_an_event() -> None:
    readers = Readers()
    assert [readers.by_format(name).format for name in readers.formats] == list(readers.formats)
    with pytest.raises(
        FormatNotInstalledError, match="install the package that brings it"
    ) as caught:
        readers.by_format("fax")
    assert explain(caught.value, "job 7") == (
        "no reader for the format “fax” is installed: install the package that brings it, then "
        "retry (job 7)."
    )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b" \n\t\n", "white space"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"\x00\x01\x02\x03" * 100, "binary data"),
        (b"SQLite format 3\x00", "SQLite"),
        (b"Dear diary,\ntoday nothing happened.\n", "Dear diary"),
        (b'{"hello": "world"}', "no known chat export"),
        (b"\xff\xfe", "white space"),
        (b"key: value\nother: value\nthird: value\n" * 1, "text without lines"),
    ],
)
def test_an_unknown_format_says_what_it_looks_like(data: bytes, said: str) -> None:
    with pytest.raises(UnreadableExportError, match=said) as caught:
        read(MemoryFile(data, "thing.dat"))
    assert "thing.dat" in str(caught.value)


def test_an_unknown_format_lists_what_is_supported() -> None:
    with pytest.raises(UnreadableExportError, match=r"WhatsApp.*Telegram.*Slack.*CSV.*JSON lines"):
        read(text_file("nothing"))


def test_an_archive_of_something_else_names_what_it_holds() -> None:
    with pytest.raises(UnreadableExportError, match=r"something else \(a\.png\)"):
        read(zip_file({"a.png": b"x"}))
    with pytest.raises(UnreadableExportError, match="an empty archive"):
        read(zip_file({}))
