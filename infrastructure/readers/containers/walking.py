"""The files of a folder, found and opened without ever leaving it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, NoReturn

from application.ports.chat_reader import ReadWarning, UnreadableExportError
from infrastructure.readers.containers.contents import (
    ContainerLimits,
    is_clutter,
    leads_out,
)

_DEEPEST = 100  # folders inside one another
_WARNINGS_KEPT = 100
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# A pipe that somebody has put in the place of a file must not make us wait for its other end.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_GONE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EACCES, errno.ENXIO}
_READABLE = "make it readable, or move it elsewhere"


class Found(NamedTuple):
    """A file as it was when it was found."""

    name: str  # the path inside the folder, with slashes
    size: int  # bytes
    modified: int  # nanoseconds since 1970
    identity: tuple[int, int]  # of the file itself, whatever it is called

    def is_same(self, now: os.stat_result) -> bool:
        is_file = stat.S_ISREG(now.st_mode)
        facts = (now.st_size, now.st_mtime_ns, (now.st_dev, now.st_ino))
        return is_file and facts == (self.size, self.modified, self.identity)


class Folder:
    """
    Its files in the order of their paths. What a system adds to folders does not count; links are
    not followed, wherever they lead.
    """

    def __init__(self, path: Path, limits: ContainerLimits) -> None:
        """
        Raises:
            UnreadableExportError: if it is empty or too large, or something in it cannot be read.
        """
        self.name = printable(Path(os.path.abspath(path)).name) or "folder"  # noqa: PTH100
        self.warnings: list[ReadWarning] = []
        self._path = path
        self._limits = limits
        self._entries = 0
        self._name_bytes = 0
        self._total = 0
        self._left_out = 0
        root = self._root()
        try:
            self.files = sorted(self._walk(root, ""), key=lambda file: file.name.encode())
        finally:
            os.close(root)
        if self._left_out > _WARNINGS_KEPT:
            more = f"{self._left_out - _WARNINGS_KEPT} more are left out"
            self.warnings.append(ReadWarning(self.name, None, more))
        if not self.files:
            raise UnreadableExportError(file=self.name, reason="the folder holds no files")

    def open(self, file: Found) -> BinaryIO:
        """
        Raises:
            UnreadableExportError: if it is not the file any more that was found.
            OSError: if the disk fails.
        """
        *folders, last = file.name.split("/")
        at = self._root()
        try:
            for folder in folders:
                inner = os.open(folder, _FOLDER, dir_fd=at)
                os.close(at)
                at = inner
            stream = os.fdopen(os.open(last, _FILE, dir_fd=at), "rb")
        except OSError as error:
            if error.errno in _GONE:
                self._changed(file, error.strerror)
            raise
        finally:
            os.close(at)
        if not file.is_same(os.fstat(stream.fileno())):
            stream.close()
            self._changed(file, None)
        return stream

    def require_unchanged(self, file: Found, stream: BinaryIO, *, is_short: bool) -> None:
        """
        Raises:
            UnreadableExportError
        """
        if is_short or not file.is_same(os.fstat(stream.fileno())):
            self._changed(file, None)

    def _walk(self, folder: int, inside: str) -> Iterator[Found]:
        """
        Args:
            folder: descriptor; whatever its path leads to by now, this stays the same folder.
            inside: its path inside the whole, with a slash behind it.
        """
        if inside.count("/") > _DEEPEST:
            self._refuse(inside, f"more than {_DEEPEST} folders inside one another")
        with os.scandir(folder) as entries:
            for entry in entries:
                self._count(entry.name)
                name = f"{inside}{entry.name}"
                try:
                    yield from self._entry(folder, entry, name)
                except OSError as error:
                    self._refuse(name, f"cannot be read ({error.strerror}); {_READABLE}")

    def _entry(self, folder: int, entry: os.DirEntry[str], name: str) -> Iterator[Found]:
        facts = entry.stat(follow_symlinks=False)
        if stat.S_ISDIR(facts.st_mode):
            inner = os.open(entry.name, _FOLDER, dir_fd=folder)
            try:
                yield from self._walk(inner, f"{name}/")
            finally:
                os.close(inner)
        elif (reason := _why_left_out(name, facts)) is not None:
            self._leave_out(name, reason)
        elif not is_clutter(name):
            os.close(os.open(entry.name, _FILE, dir_fd=folder))
            self._total += facts.st_size
            if self._total > self._limits.total_bytes:
                limit = self._limits.total_bytes
                self._refuse("", f"its files have more than {limit:,} bytes, the limit")
            identity = (facts.st_dev, facts.st_ino)
            yield Found(name, facts.st_size, facts.st_mtime_ns, identity)

    def _count(self, name: str) -> None:
        self._entries += 1
        self._name_bytes += len(name)
        limits = self._limits
        if self._entries > limits.entries or self._name_bytes > limits.directory_bytes:
            self._refuse("", f"it holds more than {limits.entries:,} files, the limit")

    def _leave_out(self, name: str, reason: str) -> None:
        self._left_out += 1
        if self._left_out <= _WARNINGS_KEPT:
            self.warnings.append(ReadWarning(printable(name), None, f"{reason}; left out"))

    def _root(self) -> int:
        try:
            return os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            reason = f"cannot be read ({error.strerror})"
            raise UnreadableExportError(file=self.name, reason=reason) from error

    def _refuse(self, name: str, reason: str) -> NoReturn:
        place = f"{self.name}/{printable(name)}" if name else self.name
        raise UnreadableExportError(file=place, reason=reason)

    def _changed(self, file: Found, how: str | None) -> NoReturn:
        detail = f" ({how})" if how else ""
        self._refuse(
            file.name,
            f"it changed while the folder was read{detail}; do it again when nothing writes there",
        )


def _why_left_out(name: str, facts: os.stat_result) -> str | None:
    if stat.S_ISLNK(facts.st_mode):
        return "is a link; links are not followed"
    if not stat.S_ISREG(facts.st_mode):
        return "is neither a file nor a folder"
    if name != printable(name):
        return "its name is no text; rename it"
    if leads_out(name):
        return "its name could be taken for a path elsewhere; rename it"
    return None


def printable(name: str) -> str:
    """Names on disk may hold bytes that are no text."""
    return name.encode("utf-8", "replace").decode()
