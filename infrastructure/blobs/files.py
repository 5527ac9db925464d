"""Files that are written completely or not at all."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from application.ports.blobs import NoRoomError

FULL = {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def room(folder: Path) -> Iterator[None]:
    """Turn "no space left" and "quota exceeded" into the error of our port."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        what = "your quota on it is used up" if error.errno == errno.EDQUOT else "it has no space"
        raise NoRoomError(
            f"the disk is full ({what}): make room where {folder} is, then try again"
        ) from error


def require_room(folder: Path, *, keep_free: int) -> None:
    """Stop while others, the database first of all, can still write."""
    disk = os.statvfs(folder)
    free = disk.f_bavail * disk.f_frsize
    if free < keep_free:
        raise NoRoomError(
            f"the disk is almost full ({free:,} bytes are free, {keep_free:,} are kept for the "
            f"database): make room where {folder} is, then try again"
        )


def new_file(path: Path) -> int:
    """Readable by its owner only."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


def write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_folder(folder: Path) -> None:
    """What was created, renamed or removed in it stays so after a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Readable by its owner only, and durable."""
    if folder.is_dir():
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    sync_folder(folder.parent)


@contextmanager
def locked(path: Path, *, shared: bool = False) -> Iterator[None]:
    """Between threads and processes. The kernel drops the lock when a process dies."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def locked_new_file(path: Path) -> int:
    """A new file that is locked for as long as its writer lives: see `remove_if_abandoned`."""
    while True:
        descriptor = new_file(path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # Somebody may have swept it between these two calls: then it has no name any more.
            if os.fstat(descriptor).st_nlink > 0:
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def remove_if_abandoned(path: Path) -> None:
    """Unlike a process number, a lock means the same in every container that has this disk."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return  # its writer has just finished
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink(missing_ok=True)
    except BlockingIOError:
        return  # its writer lives
    finally:
        os.close(descriptor)
