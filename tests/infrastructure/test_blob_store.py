"""What every blob store promises, and what the one on disk promises beyond that."""

from __future__ import annotations

import hashlib
import io
import os
import random
import tempfile
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.ports.blobs import (
    BlobDamagedError,
    BlobMissingError,
    BlobStore,
    BlobTooLargeError,
    StoredBlob,
)
from infrastructure.blobs.disk import DiskBlobStore
from infrastructure.blobs.stream import HEADER, TAG_SIZE
from infrastructure.keys.master import MasterKey
from tests.support.memory_blobs import MemoryBlobStore

WORKSPACE = uuid4()
MASTER = MasterKey(bytes(range(32)))
CHUNK_BITS = 6  # 64 bytes: many chunks in small files
CHUNK = 1 << CHUNK_BITS
CANARY = b"a plaintext canary that must never reach the disk. "
LIMIT = 10**9


def small_store(root: Path) -> DiskBlobStore:
    return DiskBlobStore(root, MASTER, keep_free=0, chunk_bits=CHUNK_BITS)


def put(store: BlobStore, content: bytes, *, piece: int = 1000) -> StoredBlob:
    with store.writing(workspace_id=WORKSPACE, max_bytes=LIMIT) as writer:
        for start in range(0, len(content), piece):
            writer.write(content[start : start + piece])
        return writer.commit()


def get(store: BlobStore, address: str) -> bytes:
    with store.open(address) as blob:
        return blob.read()


def files_of(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file() and path.name != ".lock")


class BlobStoreContract:
    @pytest.fixture
    def store(self, tmp_path: Path) -> BlobStore:
        raise NotImplementedError

    @pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 128, 129, 5000])
    def test_what_was_written_is_read_back(self, store: BlobStore, size: int) -> None:
        content = os.urandom(size)
        stored = put(store, content)
        assert (size, hashlib.sha256(content).hexdigest()) == (stored.size, stored.sha256)
        assert content == get(store, stored.address)
        assert size == store.size(stored.address)
        assert store.exists(stored.address)

    def test_the_same_bytes_are_stored_once(self, store: BlobStore) -> None:
        first, second = put(store, b"same" * 100), put(store, b"same" * 100, piece=7)
        assert (first.is_new, second.is_new) == (True, False)
        assert first.address == second.address

    def test_workspaces_share_no_blob(self, store: BlobStore) -> None:
        first = put(store, b"same")
        with store.writing(workspace_id=uuid4(), max_bytes=LIMIT) as writer:
            writer.write(b"same")
            second = writer.commit()
        store.delete(first.address)
        assert get(store, second.address) == b"same"

    def test_an_address_says_nothing_about_the_content(self, store: BlobStore) -> None:
        stored = put(store, b"guess me")
        assert hashlib.sha256(b"guess me").hexdigest() != stored.address
        assert len(stored.address) == 64

    def test_what_is_not_committed_is_never_there(self, store: BlobStore) -> None:
        with store.writing(workspace_id=WORKSPACE, max_bytes=LIMIT) as writer:
            writer.write(b"half")
            address = writer.address
        assert not store.exists(address)
        with pytest.raises(BlobMissingError):
            store.open(address)
        with pytest.raises(ValueError, match="given up"):
            writer.commit()

    def test_the_address_is_known_before_the_commit(self, store: BlobStore) -> None:
        with store.writing(workspace_id=WORKSPACE, max_bytes=LIMIT) as writer:
            writer.write(b"known")
            address = writer.address
            assert address == writer.commit().address
            assert address == writer.commit().address

    def test_one_byte_over_the_limit_is_refused(self, store: BlobStore) -> None:
        with store.writing(workspace_id=WORKSPACE, max_bytes=10) as writer:
            writer.write(b"0123456789")
            with pytest.raises(BlobTooLargeError) as caught:
                writer.write(b"!")
            assert (caught.value.limit, writer.received) == (10, 10)

    def test_nothing_is_added_after_the_commit(self, store: BlobStore) -> None:
        with store.writing(workspace_id=WORKSPACE, max_bytes=10) as writer:
            writer.commit()
            with pytest.raises(ValueError, match="finished"):
                writer.write(b"!")

    def test_a_deleted_blob_is_gone_and_can_come_again(self, store: BlobStore) -> None:
        address = put(store, b"come and go").address
        store.delete(address)
        store.delete(address)
        assert not store.exists(address)
        for ask in (store.open, store.size):
            with pytest.raises(BlobMissingError):
                ask(address)
        assert put(store, b"come and go").is_new

    @pytest.mark.parametrize("address", ["", "../../etc/passwd", "A" * 64, "a" * 63 + "\n"])
    def test_what_is_no_address_has_no_blob(self, store: BlobStore, address: str) -> None:
        assert not store.exists(address)
        with pytest.raises(BlobMissingError):
            store.open(address)

    def test_a_zip_is_read_from_its_directory(self, store: BlobStore) -> None:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(50):
                archive.writestr(f"{number}.txt", f"content of {number}")
        stored = put(store, packed.getvalue())
        with store.open(stored.address) as blob, zipfile.ZipFile(blob) as archive:
            assert archive.read("31.txt") == b"content of 31"
            assert archive.testzip() is None


class TestMemoryBlobStore(BlobStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> BlobStore:
        return MemoryBlobStore()


class TestDiskBlobStore(BlobStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> BlobStore:
        return small_store(tmp_path)

    def test_another_process_reads_it(self, store: BlobStore, tmp_path: Path) -> None:
        stored = put(store, CANARY)
        assert get(small_store(tmp_path), stored.address) == CANARY

    def test_plaintext_is_nowhere_on_disk(self, store: BlobStore, tmp_path: Path) -> None:
        with store.writing(workspace_id=WORKSPACE, max_bytes=LIMIT) as writer:
            writer.write(CANARY * 100)
            assert not any(CANARY[:16] in path.read_bytes() for path in files_of(tmp_path))
            stored = writer.commit()
        for path in files_of(tmp_path):
            assert CANARY[:16] not in path.read_bytes()
            assert stored.sha256 not in path.name
            assert bytes.fromhex(stored.sha256) not in path.read_bytes()

    def test_only_the_owner_may_look(self, store: BlobStore, tmp_path: Path) -> None:
        put(store, CANARY)
        assert {0} == {path.stat().st_mode & 0o077 for path in tmp_path.rglob("*")}

    def test_deleting_leaves_no_file(self, store: BlobStore, tmp_path: Path) -> None:
        store.delete(put(store, CANARY).address)
        assert files_of(tmp_path) == []

    def test_without_its_key_file_nothing_is_left_of_a_blob(
        self, store: BlobStore, tmp_path: Path
    ) -> None:
        stored = put(store, CANARY)
        key_of(tmp_path).unlink()
        assert not store.exists(stored.address)
        small_store(tmp_path)  # a start sweeps what no key opens
        assert files_of(tmp_path) == []

    def test_another_master_key_opens_nothing(self, store: BlobStore, tmp_path: Path) -> None:
        stored = put(store, CANARY)
        other = DiskBlobStore(tmp_path, MasterKey(bytes(32)), keep_free=0, chunk_bits=6)
        with pytest.raises(BlobDamagedError, match="master key"):
            other.open(stored.address)

    def test_the_same_bytes_from_many_threads_are_one_blob(
        self, store: BlobStore, tmp_path: Path
    ) -> None:
        stored: list[StoredBlob] = []
        start = threading.Barrier(8)

        def write() -> None:
            start.wait()
            stored.append(put(small_store(tmp_path), CANARY * 20))

        threads = [threading.Thread(target=write) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [blob.is_new for blob in stored if blob.is_new] == [True]
        assert get(store, stored[0].address) == CANARY * 20
        assert len(files_of(tmp_path)) == 2


def key_of(root: Path) -> Path:
    return next(root.rglob("*.key"))


def content_of(root: Path) -> Path:
    return next(path for path in files_of(root) if path.suffix != ".key")


CONTENT = bytes(random.Random(7).randbytes(CHUNK * 4 + 10))
SEALED_CHUNK = CHUNK + TAG_SIZE


def cut(at: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:at]


def swapped(data: bytes) -> bytes:
    """The second chunk and the third change places."""
    first = HEADER.size + SEALED_CHUNK
    second, third = first + SEALED_CHUNK, first + 2 * SEALED_CHUNK
    return data[:first] + data[second:third] + data[first:second] + data[third:]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut near its end": cut(-5),
    "cut near its start": cut(5),
    "emptied": cut(0),
    "a byte appended": lambda data: data + b"!",
    "zeroed": lambda data: bytes(len(data)),
}
CHUNK_DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut to its header": cut(HEADER.size),
    "cut at a chunk's border": cut(HEADER.size + 3 * SEALED_CHUNK),
    "a chunk appended": lambda data: data + data[-SEALED_CHUNK:],
    "two chunks swapped": swapped,
}


@pytest.mark.parametrize(
    ("find", "damage"),
    [
        *(pytest.param(key_of, damage, id=f"key {name}") for name, damage in DAMAGES.items()),
        *(
            pytest.param(content_of, damage, id=f"content {name}")
            for name, damage in (DAMAGES | CHUNK_DAMAGES).items()
        ),
    ],
)
def test_damage_is_noticed_and_the_next_upload_repairs_it(
    tmp_path: Path, find: Callable[[Path], Path], damage: Callable[[bytes], bytes]
) -> None:
    store = small_store(tmp_path)
    stored = put(store, CONTENT)
    path = find(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(BlobDamagedError):
        get(store, stored.address)
    small_store(tmp_path)  # sweeping judges nothing damaged
    assert put(store, CONTENT).is_new
    assert get(store, stored.address) == CONTENT
    assert len(files_of(tmp_path)) == 2


@pytest.mark.parametrize("find", [key_of, content_of])
def test_each_flipped_byte_is_noticed(tmp_path: Path, find: Callable[[Path], Path]) -> None:
    store = small_store(tmp_path)
    address = put(store, CONTENT).address
    path = find(tmp_path)
    sound = path.read_bytes()
    for place in range(len(sound)):
        damaged = bytearray(sound)
        damaged[place] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(BlobDamagedError):
            get(store, address)


def test_a_content_file_that_is_gone_is_damage(tmp_path: Path) -> None:
    store = small_store(tmp_path)
    address = put(store, CONTENT).address
    content_of(tmp_path).unlink()
    with pytest.raises(BlobDamagedError, match="gone"):
        store.open(address)


def test_a_chunk_of_another_blob_does_not_open(tmp_path: Path) -> None:
    """Not even when the other blob has the same content, stored at another time."""
    first, second = small_store(tmp_path / "1"), small_store(tmp_path / "2")
    address = put(first, CONTENT).address
    put(second, CONTENT)
    content_of(tmp_path / "1").write_bytes(content_of(tmp_path / "2").read_bytes())
    with pytest.raises(BlobDamagedError):
        get(first, address)


READS = st.lists(
    st.tuples(st.integers(0, CHUNK * 4 + 30), st.integers(0, 300)), min_size=1, max_size=20
)


@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=CHUNK * 4 + 2), piece=st.integers(1, 200), reads=READS)
def test_random_access_equals_the_plaintext(
    content: bytes, piece: int, reads: list[tuple[int, int]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = small_store(Path(folder))
        with store.open(put(store, content, piece=piece).address) as blob:
            assert (blob.readable(), blob.seekable(), blob.writable()) == (True, True, False)
            for position, count in reads:
                assert position == blob.seek(position)
                assert content[position : position + count] == blob.read(count)
            assert len(content) == blob.seek(0, os.SEEK_END)
            blob.seek(0)
            assert content.split(b"\n")[0] == blob.readline().rstrip(b"\n")
            blob.seek(0)
            assert content == blob.read()
