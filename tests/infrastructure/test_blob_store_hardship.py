"""The blob store on disk when the disk is full, the process is killed or the file is huge."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from application.ports.blobs import NoRoomError
from infrastructure.blobs import disk, files, keyfile
from infrastructure.blobs.disk import DiskBlobStore
from infrastructure.keys.master import MasterKey

MASTER = MasterKey(bytes(range(32)))
WORKSPACE = UUID(int=1)
MIB = 1024 * 1024
LIMIT = 10**10

CHILD = """
import sys, time
from pathlib import Path
from uuid import UUID
from infrastructure.blobs.disk import DiskBlobStore
from infrastructure.keys.master import MasterKey

store = DiskBlobStore(Path(sys.argv[1]), MasterKey(bytes(range(32))), keep_free=0)
with store.writing(workspace_id=UUID(int=1), max_bytes=10**10) as writer:
    for number in range(4):
        writer.write(bytes([number]) * 1024 * 1024)
    print("written", flush=True)
    sys.stdin.readline()
    print(writer.commit().is_new, flush=True)
"""


def start_child(root: Path) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(Path.cwd())},
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "written\n"
    return child


def close(child: subprocess.Popen[str]) -> None:
    for pipe in (child.stdin, child.stdout):
        assert pipe is not None
        pipe.close()
    child.wait()


def open_store(root: Path, *, keep_free: int = 0) -> DiskBlobStore:
    return DiskBlobStore(root, MASTER, keep_free=keep_free)


def files_of(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file() and path.name != ".lock")


def test_a_killed_writer_leaves_no_blob_and_the_next_start_no_file(tmp_path: Path) -> None:
    child = start_child(tmp_path)
    child.send_signal(signal.SIGKILL)
    close(child)
    [leftover] = files_of(tmp_path)
    assert leftover.parent.name == "incoming"
    open_store(tmp_path)
    assert files_of(tmp_path) == []


def test_a_start_leaves_alone_what_another_process_is_writing(tmp_path: Path) -> None:
    child = start_child(tmp_path)
    store = open_store(tmp_path)
    output, _ = child.communicate("\n")
    close(child)
    assert output == "True\n"
    [content, _key] = files_of(tmp_path)
    assert store.size(content.name[:64]) == 4 * MIB


def test_two_processes_that_store_the_same_bytes_both_succeed(tmp_path: Path) -> None:
    children = [start_child(tmp_path) for _ in range(2)]
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    outputs = [child.communicate()[0] for child in children]
    for child in children:
        close(child)
    assert sorted(outputs) == ["False\n", "True\n"]
    [content, _key] = files_of(tmp_path)
    with open_store(tmp_path).open(content.name[:64]) as blob:
        assert blob.read() == b"".join(bytes([number]) * MIB for number in range(4))


class KilledError(BaseException):
    """Stands for the moment at which the process dies."""


@pytest.mark.parametrize("step", range(1, 5))
def test_a_kill_at_any_step_of_the_commit_leaves_all_or_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """Steps: before the key is written, the content renamed, the key renamed, the folder synced."""
    steps = iter(range(1, 100))

    def killed_before(call):  # type: ignore[no-untyped-def] # wraps any function
        def wrapped(*arguments, **named):  # type: ignore[no-untyped-def]
            if next(steps) == step:
                raise KilledError
            return call(*arguments, **named)

        return wrapped

    store = open_store(tmp_path)
    writer = store.writing(workspace_id=WORKSPACE, max_bytes=LIMIT)
    writer.write(b"all or nothing")
    with monkeypatch.context() as patches:
        patches.setattr(keyfile.KeyFiles, "write", killed_before(keyfile.KeyFiles.write))
        patches.setattr(Path, "rename", killed_before(Path.rename))
        patches.setattr(disk, "sync_folder", killed_before(disk.sync_folder))
        patches.setattr(writer, "close", lambda: None)  # a killed process cleans up nothing
        with pytest.raises(KilledError):
            writer.commit()
    address = writer.address
    writer.close()  # the kernel lets go of the lock
    store = open_store(tmp_path)
    assert store.exists(address) == (step == 4)
    assert len(files_of(tmp_path)) == (2 if step == 4 else 0)
    with store.writing(workspace_id=WORKSPACE, max_bytes=LIMIT) as again:
        again.write(b"all or nothing")
        assert again.commit().is_new == (step != 4)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "tiny"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs root and the permission to mount")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_keeps_nothing_half_written(tiny_disk: Path) -> None:
    store = open_store(tiny_disk)
    with store.writing(workspace_id=WORKSPACE, max_bytes=LIMIT) as writer:
        with pytest.raises(NoRoomError, match="the disk is full"):
            writer.write(os.urandom(4 * MIB))
        assert files_of(tiny_disk) == []  # at once: what it took up is needed
        with pytest.raises(ValueError, match="finished"):
            writer.write(b"more")
    with store.writing(workspace_id=WORKSPACE, max_bytes=LIMIT) as writer:
        writer.write(b"small enough")
        assert writer.commit().is_new


def test_a_disk_that_is_full_at_the_very_end_keeps_nothing(tiny_disk: Path) -> None:
    """The content fits; the key file or a folder does not."""
    store = open_store(tiny_disk)
    for taken in range(1, 12):
        ballast = tiny_disk / "ballast"
        ballast.write_bytes(bytes(2 * MIB - 64 * 1024 - taken * 4096))
        with store.writing(workspace_id=WORKSPACE, max_bytes=LIMIT) as writer:
            writer.write(bytes([taken]) * 60_000)
            address = writer.address
            try:
                writer.commit()
            except NoRoomError:
                assert not store.exists(address)
            else:
                assert store.exists(address)
                store.delete(address)
        ballast.unlink()
        assert files_of(tiny_disk) == []


def test_a_used_up_quota_is_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(tmp_path)

    def no_quota(_descriptor: int) -> None:
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    with store.writing(workspace_id=WORKSPACE, max_bytes=LIMIT) as writer:
        monkeypatch.setattr(files.os, "fsync", no_quota)
        with pytest.raises(NoRoomError, match="quota"):
            writer.commit()
    assert files_of(tmp_path) == []


def test_room_is_left_for_the_database(tmp_path: Path) -> None:
    free = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize
    with pytest.raises(NoRoomError, match="kept for the database"):
        open_store(tmp_path, keep_free=2 * free).writing(workspace_id=WORKSPACE, max_bytes=LIMIT)
    assert files_of(tmp_path) == []


def test_memory_stays_bounded_however_large_the_blob(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    piece = os.urandom(MIB)
    tracemalloc.start()
    try:
        with store.writing(workspace_id=WORKSPACE, max_bytes=LIMIT) as writer:
            for _ in range(300):
                writer.write(piece)
            address = writer.commit().address
        with store.open(address) as blob:
            while part := blob.read(100_000):
                assert part
            blob.seek(0)
            assert blob.read(MIB) == piece
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * MIB
