"""An export lying on this machine's disk: a file or a folder."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from application.ports.chat_reader import UnreadableExportError
from infrastructure.readers.containers.folder import PackedFolder
from infrastructure.readers.containers.walking import printable


class LocalFile:
    """An ExportFile over a path."""

    def __init__(self, path: Path) -> None:
        """
        Raises:
            UnreadableExportError: if the path is not a file that can be opened.
        """
        self._path = path
        try:
            if not path.is_file():
                what = "is not a file" if path.exists() else "there is no such file"
                raise UnreadableExportError(file=printable(str(path)), reason=what)
            with path.open("rb"):
                self._size = path.stat().st_size
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise UnreadableExportError(file=printable(str(path)), reason=reason) from error

    @property
    def name(self) -> str:
        return printable(self._path.name)

    @property
    def size(self) -> int:
        """Bytes, as they were when the file was first looked at."""
        return self._size

    def open(self) -> BinaryIO:
        return self._path.open("rb")


def local_export(path: Path) -> LocalFile | PackedFolder:
    """
    Raises:
        UnreadableExportError: if it is neither a file nor a folder that can be read.
    """
    try:
        is_folder = path.is_dir()
    except (OSError, ValueError):
        is_folder = False
    return PackedFolder(path) if is_folder else LocalFile(path)
