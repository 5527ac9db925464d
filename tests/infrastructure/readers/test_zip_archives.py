"""Zip archives from strangers: each trick is refused by name."""

from __future__ import annotations

import io
import stat
import warnings
import zipfile
from contextlib import closing

import pytest

from application.ports.chat_reader import UnreadableExportError
from infrastructure.readers.containers.contents import BrokenFileError, ContainerLimits
from infrastructure.readers.containers.zip_archive import ZipArchive
from tests.infrastructure.readers.support import MemoryFile, read, zip_file

CHAT = "31/12/23, 21:05 - Ann: hi\n"


def archive_with(info: zipfile.ZipInfo, data: bytes = b"x") -> MemoryFile:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(info, data)
    return MemoryFile(target.getvalue(), "export.zip")


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "C:/x.txt", "a/../../b"])
def test_a_path_out_of_the_archive_is_refused(name: str) -> None:
    with pytest.raises(UnreadableExportError, match="leads out of the archive"):
        read(archive_with(zipfile.ZipInfo(name)))


def test_a_symbolic_link_is_refused() -> None:
    info = zipfile.ZipInfo("_chat.txt")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(UnreadableExportError, match="symbolic link"):
        read(archive_with(info, b"/etc/passwd"))


def test_an_encrypted_file_is_refused() -> None:
    data = bytearray(zip_file({"_chat.txt": CHAT}).data)
    data[6] |= 1  # the flag in the file's header
    data[data.index(b"PK\x01\x02") + 8] |= 1  # and in the directory
    with pytest.raises(UnreadableExportError, match="encrypted"):
        read(MemoryFile(bytes(data)))


def test_two_files_of_one_name_are_refused() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        archive.writestr("_chat.txt", CHAT)
        archive.writestr("_chat.txt", "31/12/23, 21:05 - Eve: hi\n")
    with pytest.raises(UnreadableExportError, match="two files of this name"):
        read(MemoryFile(target.getvalue()))


def test_a_bomb_is_refused_by_its_ratio() -> None:
    bomb = zip_file({"_chat.txt": b"\0" * 5_000_000})
    with pytest.raises(UnreadableExportError, match="zip bomb"):
        ZipArchive(bomb, ContainerLimits(ratio_from_bytes=1_000_000))


def test_too_many_files_are_refused_before_the_directory_is_read() -> None:
    file = zip_file({f"{n}.txt": "x" for n in range(50)})
    with pytest.raises(UnreadableExportError, match="holds 50 files"):
        ZipArchive(file, ContainerLimits(entries=49))


def test_too_much_data_is_refused() -> None:
    with pytest.raises(UnreadableExportError, match="the limit is 10"):
        ZipArchive(zip_file({"a": "x" * 11}), ContainerLimits(total_bytes=10))


def test_what_really_comes_out_is_counted() -> None:
    file = zip_file({"a": "x" * 10})
    with closing(ZipArchive(file, ContainerLimits(total_bytes=10))) as archive:
        (member,) = archive.files
        for _ in range(4):
            with member.open() as stream:
                assert len(stream.read()) == 10
        with pytest.raises(BrokenFileError, match="more data"), member.open() as stream:
            stream.read()


def test_a_lie_about_the_size_does_not_unpack_more() -> None:
    data = bytearray(zip_file({"_chat.txt": CHAT * 1000}).data)
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = (100).to_bytes(4, "little")
    with pytest.raises(UnreadableExportError, match=r"_chat\.txt"):
        read(MemoryFile(bytes(data)))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_archive_is_refused(share: float) -> None:
    data = zip_file({"_chat.txt": CHAT * 100}).data
    with pytest.raises(UnreadableExportError, match="cut off or damaged"):
        read(MemoryFile(data[: int(len(data) * share)]))


def test_a_wrong_checksum_is_told_of_and_other_chats_are_read() -> None:
    broken = "".join(f"31/12/23, 21:05 - Ann: {n * 7919}\n" for n in range(20_000))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("WhatsApp Chat with Ann.txt", broken)
        archive.writestr("WhatsApp Chat with Bob.txt", "31/12/23, 21:05 - Bob: hi\n")
    data = bytearray(target.getvalue())
    at = data.index(b"Ann: 15838000")
    data[at] ^= 1
    found = read(MemoryFile(bytes(data)))
    assert found.texts[-1] == "hi"
    assert any("damaged" in w.reason and "Ann" in w.file for w in found.warnings)


def test_clutter_of_the_operating_system_is_ignored() -> None:
    members: dict[str, bytes | str] = {
        "_chat.txt": CHAT,
        "__MACOSX/._chat.txt": b"\0\5",
        ".DS_Store": b"\0",
    }
    assert read(zip_file(members)).texts == ["hi"]
