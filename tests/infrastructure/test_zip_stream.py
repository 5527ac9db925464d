"""A zip written as a stream is one for every tool, however many files and bytes it has."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from infrastructure.exports.zip_stream import Directory, directory_entry, ending, local_header

LARGE = 5 * 1024**3


def write(path: Path, files: dict[str, bytes], begins: int = 0) -> None:
    """
    Args:
        begins: bytes that stand before the first file, and take no room on the disk.
    """
    directory, offset, entries = Directory(), begins, 0
    with path.open("wb") as target:
        target.seek(begins)
        for name, content in files.items():
            header, facts, size = local_header(name, [content[:3], content[3:]])
            entry = directory_entry(facts, offset)
            directory.put(entries, entry)
            offset, entries = offset + size, entries + len(entry)
            target.write(header + content)
        for piece in directory.pieces(entries):
            target.write(piece)
        target.write(ending(len(files), entries, offset))


def names_and_contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("files", [{}, {"a.rsmf": b"content"}, {"a": b"", "ä/b": b"x" * 70_000}])
def test_it_is_read_as_it_was_written(tmp_path: Path, files: dict[str, bytes]) -> None:
    path = tmp_path / "a.zip"
    write(path, files)
    assert names_and_contents(path) == files
    if files and (unzip := shutil.which("unzip")):
        subprocess.run([unzip, "-tqq", path], check=True)


def test_more_files_than_the_old_format_counts(tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    files = {f"{number}.rsmf": b"%d" % number for number in range(70_000)}
    write(path, files)
    assert names_and_contents(path) == files


def test_files_beyond_the_fourth_gibibyte(tmp_path: Path) -> None:
    path = tmp_path / "large.zip"
    files = {"first": b"one", "second": b"two"}
    write(path, files, begins=LARGE)
    assert path.stat().st_size > LARGE
    assert names_and_contents(path) == files


def test_a_file_of_four_gibibytes_is_refused() -> None:
    class Long(bytes):
        def __len__(self) -> int:
            return 2**32

    with pytest.raises(ValueError, match="4 GiB"):
        local_header("a", [Long(b"")])
