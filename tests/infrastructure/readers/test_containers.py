"""However an export is packed, readers see the same files; what is hostile is refused by name."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from application.ports.blobs import NoRoomError
from application.ports.chat_reader import ExportFile, UnreadableExportError
from infrastructure.readers.containers.contents import BrokenFileError, ContainerLimits
from infrastructure.readers.containers.unpacking import MOST_INNER, Unpacked
from tests.infrastructure.readers.support import MemoryFile, damaged, read, text_file, zip_file
from tests.support.data import SAMPLES

CHAT = "31/12/23, 21:05 - Ann: hi\n"
LONG = "".join(f"31/12/23, 21:05 - Ann: message {n * 7919}\n" for n in range(20_000))


def tar_file(members: Mapping[str, bytes | str], name: str = "export.tar") -> MemoryFile:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for path, content in members.items():
            data = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(path)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return MemoryFile(target.getvalue(), name)


def tar_of(info: tarfile.TarInfo) -> MemoryFile:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        archive.addfile(info)
    return MemoryFile(target.getvalue(), "export.tar")


def gzipped(file: MemoryFile, name: str) -> MemoryFile:
    return MemoryFile(gzip.compress(file.data), name)


PACKED = {
    "as it is": text_file(CHAT, "WhatsApp Chat with Ann.txt"),
    "gzip": gzipped(text_file(CHAT), "_chat.txt.gz"),
    "zip": zip_file({"_chat.txt": CHAT}),
    "tar": tar_file({"_chat.txt": CHAT}),
    "tar in gzip": gzipped(tar_file({"_chat.txt": CHAT}), "export.tgz"),
    "zip in gzip": gzipped(zip_file({"_chat.txt": CHAT}), "export.zip.gz"),
    "zip in zip": zip_file({"inner.zip": zip_file({"_chat.txt": CHAT}).data}),
    "tar in zip": zip_file({"inner.tar": tar_file({"_chat.txt": CHAT}).data}),
    "tgz in tar": tar_file({"i.tgz": gzipped(tar_file({"_chat.txt": CHAT}), "").data}),
    "gzip in zip": zip_file({"_chat.txt.gz": gzip.compress(CHAT.encode())}),
}


@pytest.mark.parametrize("packing", PACKED)
def test_a_chat_is_the_same_however_it_is_packed(packing: str) -> None:
    found = read(PACKED[packing])
    assert (found.format, found.texts, found.warnings) == ("whatsapp", ["hi"], [])


@pytest.mark.parametrize("name", ["slack-export.zip", "telegram-result.json", "whatsapp-chat.zip"])
def test_real_exports_are_the_same_inside_gzip(name: str) -> None:
    file = MemoryFile((SAMPLES / name).read_bytes(), name)
    plain, packed = read(file), read(gzipped(file, f"{name}.gz"))
    assert packed.messages == plain.messages
    assert packed.warnings == plain.warnings


def test_several_exports_in_one_archive_are_all_read() -> None:
    whole = zip_file(
        {
            "first.zip": zip_file({"WhatsApp Chat with Ann.txt": CHAT}).data,
            "second.zip": zip_file({"WhatsApp Chat with Bob.txt": CHAT}).data,
        }
    )
    found = read(whole)
    assert found.per_title() == {"Ann": 1, "Bob": 1}


def test_an_archive_that_was_sent_in_a_chat_is_not_opened_and_told_of() -> None:
    inner = zip_file({"_chat.txt": CHAT * 5}).data
    found = read(zip_file({"_chat.txt": CHAT, "holiday.zip": inner}))
    assert found.texts == ["hi"]
    assert [(w.file, w.reason) for w in found.warnings] == [
        ("holiday.zip", "an archive inside the archive; not opened")
    ]


def test_only_one_level_of_archives_is_opened() -> None:
    deepest = zip_file({"_chat.txt": CHAT}).data
    middle = zip_file({"deepest.zip": deepest, "_chat.txt": CHAT}).data
    found = read(zip_file({"middle.zip": middle}))
    assert found.texts == ["hi"]
    assert [w.file for w in found.warnings] == ["middle.zip/deepest.zip"]
    with pytest.raises(UnreadableExportError):
        read(zip_file({"middle.zip": zip_file({"deepest.zip": deepest}).data}))


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "C:/x.txt", "a/../../b"])
def test_a_path_out_of_a_tar_archive_is_refused(name: str) -> None:
    with pytest.raises(UnreadableExportError, match="leads out of the archive"):
        read(tar_file({name: CHAT}))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_a_link_in_a_tar_archive_is_refused(kind: bytes) -> None:
    info = tarfile.TarInfo("_chat.txt")
    info.type, info.linkname = kind, "/etc/passwd"
    with pytest.raises(UnreadableExportError, match="is a link"):
        read(tar_of(info))


def test_a_device_in_a_tar_archive_is_refused() -> None:
    info = tarfile.TarInfo("_chat.txt")
    info.type = tarfile.CHRTYPE
    with pytest.raises(UnreadableExportError, match="neither a file nor a folder"):
        read(tar_of(info))


def test_two_files_of_one_name_in_a_tar_archive_are_refused() -> None:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for _ in range(2):
            archive.addfile(tarfile.TarInfo("_chat.txt"))
    with pytest.raises(UnreadableExportError, match="two files of this name"):
        read(MemoryFile(target.getvalue(), "export.tar"))


def test_too_many_files_of_a_tar_archive_are_refused() -> None:
    file = tar_file({f"{n}.txt": "x" for n in range(50)})
    with pytest.raises(UnreadableExportError, match="more than 49 files"):
        Unpacked(file, ContainerLimits(entries=49))


def test_a_name_as_long_as_memory_is_not_read() -> None:
    info = tarfile.TarInfo("x" * 2_000_000)
    with pytest.raises(UnreadableExportError, match="a header of 2,0"):
        read(tar_of(info))


def test_a_tar_archive_is_read_up_to_where_it_is_cut_off() -> None:
    whole = tar_file({"WhatsApp Chat with Ann.txt": CHAT, "WhatsApp Chat with Bob.txt": LONG})
    found = read(MemoryFile(whole.data[: len(whole.data) // 2], "export.tar"))
    assert found.per_title()["Ann"] == 1
    assert 5_000 < found.per_title()["Bob"] < 15_000
    assert any("cut off" in warning.reason for warning in found.warnings)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_gzip_file_is_read_up_to_where_it_is_cut_off(share: float) -> None:
    whole = gzip.compress(LONG.encode())
    found = read(MemoryFile(whole[: int(len(whole) * share)], "chat.txt.gz"))
    assert 0 < len(found.texts) < 20_000
    assert [w.is_fatal for w in found.warnings if "cut off or damaged" in w.reason] == [True]


def test_a_gzip_file_without_a_beginning_is_refused() -> None:
    with pytest.raises(UnreadableExportError, match="gzip data is cut off or damaged"):
        read(MemoryFile(gzip.compress(CHAT.encode())[:15], "chat.txt.gz"))


LOW = ContainerLimits(ratio_from_bytes=1_000_000)
ZEROS = b"\0" * 5_000_000


@pytest.mark.parametrize(
    "bomb",
    [
        MemoryFile(gzip.compress(tar_file({"a": ZEROS}).data), "bomb.tgz"),
        zip_file({"a.zip": zip_file({"_chat.txt": ZEROS}).data}),
        zip_file({"a.tar": tar_file({"_chat.txt": ZEROS}).data}),
    ],
    ids=["tar in gzip", "zip in zip", "tar in zip"],
)
def test_a_bomb_is_refused_wherever_it_lies(bomb: MemoryFile) -> None:
    with pytest.raises(UnreadableExportError, match="zip bomb"):
        Unpacked(bomb, LOW)


def test_a_bomb_of_gzip_alone_is_refused_while_it_is_read() -> None:
    with Unpacked(MemoryFile(gzip.compress(ZEROS), "bomb.gz"), LOW) as export:
        (file,) = export.files
        with file.open() as stream, pytest.raises(UnreadableExportError, match="zip bomb"):
            stream.read()


def test_what_is_laid_out_on_the_disk_cannot_be_read_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even while it is in use: it is sealed, and has no name."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    inner = zip_file({"_chat.txt": LONG + "31/12/23, 21:05 - Ann: Zanzibar-canary\n"})
    with Unpacked(MemoryFile(gzip.compress(inner.data), "export.zip.gz")) as export:
        assert list(tmp_path.iterdir()) == []
        (file,) = export.files
        with file.open() as stream:
            assert b"Zanzibar-canary" in stream.read()


def test_files_of_a_laid_out_archive_are_read_side_by_side_and_again() -> None:
    chance = random.Random(1)
    contents = {f"{n}.txt": chance.randbytes(300_000) for n in range(5)}
    packed = MemoryFile(gzip.compress(tar_file(contents).data), "export.tar.gz")
    with Unpacked(packed) as export:
        streams = {file.name: file.open() for file in export.files}
        found = {name: stream.read(70_000) for name, stream in streams.items()}
        for name, stream in streams.items():
            while part := stream.read(99_999):
                found[name] += part
        assert found == contents
        for name, stream in streams.items():
            stream.seek(0)
            assert stream.read(1_000) == contents[name][:1_000]
            stream.close()


@pytest.mark.parametrize("seed", range(20))
def test_damage_anywhere_is_told_or_harmless(seed: int) -> None:
    chance = random.Random(seed)
    for packing in ("tar", "tar in gzip", "zip in zip", "tar in zip", "gzip in zip"):
        broken = damaged(PACKED[packing].data, chance, most=5)
        with suppress(UnreadableExportError):  # and nothing else
            read(MemoryFile(broken, PACKED[packing].name))


def test_a_broken_file_names_itself() -> None:
    error = BrokenFileError("a/b.json", "its gzip data is cut off")
    assert str(error) == "a/b.json: its gzip data is cut off"


SMALL_BOMB = gzip.compress(tar_file({"_chat.txt": b"\0" * 900_000}).data)  # harmless alone


@pytest.mark.parametrize("ending", ["tgz", "gz"])
def test_many_small_bombs_are_one_bomb(ending: str) -> None:
    """Each is below the size from which the ratio matters; together they fill any disk."""
    many = zip_file({f"{number}.{ending}": SMALL_BOMB for number in range(30)})
    with (
        pytest.raises(UnreadableExportError, match="zip bomb"),
        Unpacked(many, ContainerLimits(ratio_from_bytes=1_000_000, ratio=20)),
    ):
        pytest.fail("it was opened")


def test_what_many_inner_archives_declare_is_added_up() -> None:
    inner = zip_file({"_chat.txt": b"\0" * 900_000}).data
    many = zip_file({f"{number}.zip": inner for number in range(30)})
    with pytest.raises(UnreadableExportError, match="zip bomb"):
        Unpacked(many, ContainerLimits(ratio_from_bytes=1_000_000, ratio=20))


def read_all(files: Sequence[ExportFile]) -> None:
    for file in files:
        with file.open() as stream:
            stream.read()


def test_files_within_gzip_are_added_up_once_however_often_they_are_read() -> None:
    texts = zip_file({f"{number}.txt.gz": gzip.compress(b"x" * 900_000) for number in range(30)})
    with Unpacked(texts, ContainerLimits(ratio_from_bytes=1_000_000, ratio=20)) as export:
        one, *others = export.files
        for _ in range(50):
            with one.open() as stream:
                assert len(stream.read()) == 900_000
        with pytest.raises(UnreadableExportError, match="zip bomb"):
            read_all(others)


def test_only_so_many_inner_archives_are_opened_and_the_rest_is_told() -> None:
    """Each takes an open file."""
    inner = zip_file({"_chat.txt": CHAT}).data
    many = zip_file({f"{number:03}.zip": inner for number in range(MOST_INNER + 2)})
    with Unpacked(many) as export:
        opened = [file for file in export.files if file.name.endswith("/_chat.txt")]
        assert len(opened) == MOST_INNER
        assert [w.file for w in export.warnings] == [f"{MOST_INNER}.zip", f"{MOST_INNER + 1}.zip"]


def test_a_disk_that_is_almost_full_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infrastructure.readers.containers.spool.KEEP_FREE", 2**60)
    with pytest.raises(NoRoomError, match="almost full"):
        Unpacked(PACKED["tar in gzip"])
