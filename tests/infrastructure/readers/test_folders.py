"""A folder is read like the archive that somebody would have packed of it."""

from __future__ import annotations

import hashlib
import os
import random
import socket
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from application.ports.chat_reader import UnreadableExportError
from infrastructure.readers.containers.contents import ContainerLimits
from infrastructure.readers.containers.folder import PackedFolder
from infrastructure.readers.limits import MEBIBYTE
from infrastructure.readers.local_file import LocalFile, local_export
from tests.infrastructure.readers.support import read
from tests.support.data import SAMPLES

LINE = "[2024-01-31 10:00] Ann: hello\n"


def fill(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def digest(folder: Path) -> str:
    with PackedFolder(folder).open() as stream:
        return hashlib.sha256(stream.read()).hexdigest()


def members(folder: Path) -> dict[str, bytes]:
    with (
        PackedFolder(folder).open() as stream,
        tarfile.open(fileobj=stream, mode="r:") as archive,
    ):
        return {info.name: archive.extractfile(info).read() for info in archive}  # type: ignore[union-attr]


@pytest.mark.parametrize("sample", ["slack-export.zip", "whatsapp-chat.zip"])
def test_an_unpacked_export_has_the_messages_of_the_packed_one(tmp_path: Path, sample: str) -> None:
    packed = read(SAMPLES / sample)
    with zipfile.ZipFile(SAMPLES / sample) as archive:
        archive.extractall(tmp_path / "export")
    found = read(PackedFolder(tmp_path / "export"))
    assert found.format == packed.format
    assert sorted(found.messages, key=repr) == sorted(packed.messages, key=repr)
    assert found.warnings == packed.warnings


def test_a_folder_of_logs_is_one_export(tmp_path: Path) -> None:
    log = "--- Log opened Sat Jan 2{0} 15:04:04 2013\n15:05 <@Ann> hello {0}\n15:06 < Bob> hi\n"
    folder = fill(tmp_path, {f"net/#rome.2013-01-2{n}.log": log.format(n) * 3 for n in (1, 2, 3)})
    found = read(PackedFolder(folder))
    assert found.format == "irc"
    assert len(found.messages) == 18
    assert {c.title for c in found.conversations} == {"#rome"}


def test_the_same_files_are_the_same_bytes_whoever_copied_them_and_when(tmp_path: Path) -> None:
    names = [f"{folder}file {n}.txt" for folder in ("", "a/", "a/b/", "ä/") for n in range(5)]
    one, other = tmp_path / "one", tmp_path / "other"
    fill(one, {name: LINE + name for name in names})
    random.Random(0).shuffle(names)
    fill(other, {name: LINE + name for name in names})
    for path in other.rglob("*"):
        path.chmod(0o700)
        os.utime(path, (1, 1))
    fill(other, {"a/.DS_Store": "x", "Thumbs.db": "y", "__MACOSX/a/x.txt": "z"})
    (other / "empty folder").mkdir()
    assert digest(one) == digest(other)
    fill(other, {"a/file 1.txt": "other"})
    assert digest(one) != digest(other)


def test_the_bytes_are_those_of_every_release(tmp_path: Path) -> None:
    """Else a folder that was uploaded before would be a new upload after an update."""
    long = "/".join(["a long name of a folder"] * 12)
    fill(
        tmp_path, {"a.txt": LINE, "Grüße/ü.txt": "", f"{long}/x.json": b"\0" * 513, "b": "x" * 512}
    )
    assert digest(tmp_path) == ("7cdd686dc8e3c64009de366767daef152ec65b1a7d2c132620beae370b4c79a3")
    with PackedFolder(tmp_path).open() as stream:
        assert len(stream.read()) == PackedFolder(tmp_path).size


def test_any_other_program_can_unpack_what_is_kept(tmp_path: Path) -> None:
    files = {
        "z.txt": LINE.encode(),
        "a/b.json": b"[]",
        "a/" + "n" * 200: b"",
        "👋/é.txt": b"x" * 1025,
    }
    fill(tmp_path, {**files})
    assert members(tmp_path) == dict(sorted(files.items(), key=lambda pair: pair[0].encode()))


def test_it_can_be_read_here_and_there(tmp_path: Path) -> None:
    chance = random.Random(0)
    fill(
        tmp_path,
        {f"{n}.txt": chance.randbytes(chance.choice([0, 1, 511, 512, 3000])) for n in range(20)},
    )
    packed = PackedFolder(tmp_path)
    with packed.open() as stream:
        whole = stream.read()
        for _ in range(300):
            at, length = chance.randrange(len(whole)), chance.randrange(1, 2000)
            stream.seek(at)
            assert stream.read(length) == whole[at : at + length]


def test_links_are_left_out_and_told_of(tmp_path: Path) -> None:
    """Wherever they lead: out of the folder, inside of it, or round in circles."""
    secret = fill(tmp_path / "elsewhere", {"secret.txt": "secret"})
    folder = fill(tmp_path / "export", {"a/chat.txt": LINE})
    (folder / "out.txt").symlink_to(secret / "secret.txt")
    (folder / "out").symlink_to(secret)
    (folder / "a" / "round").symlink_to(folder)
    (folder / "gone").symlink_to("nowhere")
    assert members(folder) == {"a/chat.txt": LINE.encode()}
    warnings = PackedFolder(folder).warnings
    assert sorted(one.file for one in warnings) == ["a/round", "gone", "out", "out.txt"]
    assert all("links are not followed" in one.reason for one in warnings)
    (tmp_path / "link").symlink_to(folder)
    assert members(tmp_path / "link") == members(folder)  # the folder itself may be one


def test_pipes_and_sockets_are_left_out_without_waiting_for_them(tmp_path: Path) -> None:
    fill(tmp_path, {"chat.txt": LINE})
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        packed = PackedFolder(tmp_path)
    assert members(tmp_path) == {"chat.txt": LINE.encode()}
    assert sorted((one.file, one.reason) for one in packed.warnings) == [
        ("pipe", "is neither a file nor a folder; left out"),
        ("s", "is neither a file nor a folder; left out"),
    ]


def test_names_that_no_archive_may_hold_are_left_out_and_told_of(tmp_path: Path) -> None:
    fill(tmp_path, {"chat.txt": LINE, "C: notes.txt": "x", "a\\..\\b.txt": "x"})
    try:
        (tmp_path / os.fsdecode(b"chat \xff.txt")).write_text("x")
    except OSError:
        pytest.skip("this file system has only names that are text")
    packed = PackedFolder(tmp_path)
    assert list(members(tmp_path)) == ["chat.txt"]
    assert len(packed.warnings) == 3
    assert all("rename it" in one.reason for one in packed.warnings)
    assert len(read(packed).messages) == 1


def append(path: Path) -> None:
    with path.open("a") as file:
        file.write(LINE)


def replace_by_link(path: Path) -> None:
    other = path.parent.parent / "secret.txt"
    other.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(other)


def replace_by_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def replace_by_same(path: Path) -> None:
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    content = path.read_bytes()
    other = path.with_name("other")
    other.write_bytes(content[::-1])
    os.utime(other, ns=times)
    other.rename(path)


def shorten(path: Path) -> None:
    os.truncate(path, 5)


def move_folder(path: Path) -> None:
    (path.parent / "a").rename(path.parent.parent / "b")
    (path.parent / "a").symlink_to(path.parent.parent / "b")


@pytest.mark.parametrize(
    "change",
    [append, replace_by_link, replace_by_pipe, replace_by_same, shorten, Path.unlink, move_folder],
)
def test_a_folder_that_changes_meanwhile_is_an_error(
    tmp_path: Path, change: Callable[[Path], object]
) -> None:
    folder = fill(tmp_path / "export", {"chat.txt": LINE * 10, "a/chat.txt": LINE})
    packed = PackedFolder(folder)
    change(folder / "chat.txt")
    with (
        packed.open() as stream,
        pytest.raises(UnreadableExportError, match=r"export/(a/)?chat.txt: it changed while"),
    ):
        stream.read()


def test_a_file_that_grows_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    fill(tmp_path, {"chat.txt": b"x" * 3 * MEBIBYTE})
    with PackedFolder(tmp_path).open() as stream:
        stream.read(MEBIBYTE)
        append(tmp_path / "chat.txt")
        with pytest.raises(UnreadableExportError, match="changed"):
            stream.read()


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (ContainerLimits(entries=3), "more than 3 files"),
        (ContainerLimits(directory_bytes=10), "more than"),
        (ContainerLimits(total_bytes=1000), "more than 1,000 bytes"),
    ],
)
def test_a_folder_beyond_the_limits_is_refused(
    tmp_path: Path, limits: ContainerLimits, said: str
) -> None:
    fill(tmp_path, {f"{n}.txt": "x" * 300 for n in range(5)})
    with pytest.raises(UnreadableExportError, match=said):
        PackedFolder(tmp_path, limits)


def test_folders_inside_one_another_without_end_are_refused(tmp_path: Path) -> None:
    fill(tmp_path, {"/".join(["d"] * 110) + "/chat.txt": LINE})
    with pytest.raises(UnreadableExportError, match="100 folders inside one another"):
        PackedFolder(tmp_path)


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    with pytest.raises(UnreadableExportError, match="holds no files"):
        local_export(tmp_path / "a")


@pytest.mark.skipif(os.geteuid() == 0, reason="who runs the tests may read everything")
@pytest.mark.parametrize("name", ["a", "a/chat.txt"])
def test_what_may_not_be_read_is_an_error_and_never_left_out(tmp_path: Path, name: str) -> None:
    fill(tmp_path, {"a/chat.txt": LINE, "b.txt": LINE})
    (tmp_path / name).chmod(0)
    try:
        with pytest.raises(UnreadableExportError, match=rf"{name}: cannot be read .*readable"):
            PackedFolder(tmp_path)
    finally:
        (tmp_path / name).chmod(0o700)


def test_a_large_folder_needs_little_memory(tmp_path: Path) -> None:
    for number in range(4):
        with (tmp_path / f"{number}.bin").open("wb") as file:
            file.truncate(64 * MEBIBYTE)
    tracemalloc.start()
    try:
        with PackedFolder(tmp_path).open() as stream:
            size = 0
            while data := stream.read(MEBIBYTE):
                size += len(data)
        assert size > 256 * MEBIBYTE
        assert tracemalloc.get_traced_memory()[1] < 8 * MEBIBYTE
    finally:
        tracemalloc.stop()


def test_no_file_of_a_folder_stays_open(tmp_path: Path) -> None:
    fill(tmp_path, {f"{n}/{n}.txt": LINE for n in range(10)})
    before = len(list(Path("/proc/self/fd").iterdir()))
    with PackedFolder(tmp_path).open() as stream:
        stream.read(5000)
    read(PackedFolder(tmp_path))
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_path_to_a_file_is_a_file(tmp_path: Path) -> None:
    fill(tmp_path, {"chat.txt": LINE})
    assert isinstance(local_export(tmp_path / "chat.txt"), LocalFile)
    for missing in ("nothing", "chat.txt/x", "a\0b"):
        with pytest.raises(UnreadableExportError):
            local_export(tmp_path / missing)
