"""What was received becomes the files that readers see, however they are packed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from application.ports.chat_reader import ExportFile, ReadWarning
from infrastructure.readers.containers.contents import LIMITS, Budget, Container, ContainerLimits
from infrastructure.readers.containers.ending import EndingFile
from infrastructure.readers.containers.gzip_file import GzipFile, is_gzip
from infrastructure.readers.containers.spool import Spooled
from infrastructure.readers.containers.tar_archive import TarArchive, is_tar
from infrastructure.readers.containers.zip_archive import ZipArchive, is_zip

MOST_INNER = 200  # archives inside one archive: each takes an open file
_PACKED = (".zip", ".tar", ".tgz", ".tar.gz", ".gz")
# An archive beside such files is something that was sent in a chat, not a part of the export.
_CHATS = (
    *(".json", ".jsonl", ".ndjson", ".txt", ".csv", ".tsv", ".log", ".weechatlog"),
    *(".eml", ".rsmf", ".mbox", ".md", ".html"),
)


class Unpacked:
    """
    The files of an export: of a zip or tar archive, also within gzip; else the one that it is.

    An archive of nothing but archives, as when several exports are sent as one, is opened too,
    once. Its files are named after the archive they lie in: `inner.zip/result.json`.
    """

    def __init__(self, file: ExportFile, limits: ContainerLimits = LIMITS) -> None:
        """
        Raises:
            UnreadableExportError: with the place and what is wrong with it.
            BrokenFileError: if gzip data is damaged at its beginning.
        """
        self.name = file.name
        self.is_packed = False
        self.warnings: list[ReadWarning] = []
        self.breaks: dict[str, str] = {}
        self._limits = limits
        self._unpacked = Budget(file.name, file.size, limits)
        self._on_disk = Budget(file.name, file.size, limits)
        self._inner_left = MOST_INNER
        self._open = ExitStack()
        try:
            found = self._unpack(file)
        except BaseException:
            self._open.close()
            raise
        is_untouched = found == [file]
        self.files: Sequence[ExportFile] = (
            found if is_untouched else [EndingFile(one, self.breaks) for one in found]
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._open.close()

    def _unpack(self, file: ExportFile) -> list[ExportFile]:
        container = self._opened(file)
        if container is None:
            return [self._plain(file)]
        self.is_packed = True
        files = list(container.files)
        packed = [one for one in files if one.name.lower().endswith(_PACKED)]
        if any(one.name.lower().endswith(_CHATS) for one in files):
            for one in packed:
                reason = "an archive inside the archive; not opened"
                self.warnings.append(ReadWarning(one.name, None, reason))
            return files
        return [inner for one in files for inner in self._inner(one, is_packed=one in packed)]

    def _inner(self, file: ExportFile, *, is_packed: bool) -> list[ExportFile]:
        if not is_packed:
            return [file]
        container = self._opened_inside(file)
        if container is None:
            return [self._plain(file)]
        found: list[ExportFile] = []
        for one in container.files:
            inner = Inner(file.name, one)
            found.append(inner)
            if one.name.lower().endswith(_PACKED):
                reason = "an archive inside an archive inside the archive; not opened"
                self.warnings.append(ReadWarning(inner.name, None, reason))
        return found

    def _plain(self, file: ExportFile) -> ExportFile:
        return GzipFile(file, self._unpacked) if is_gzip(file) else file

    def _opened_inside(self, file: ExportFile) -> Container | None:
        if self._inner_left == 0:
            reason = f"more than {MOST_INNER} archives inside the archive; this one is not opened"
            self.warnings.append(ReadWarning(file.name, None, reason))
            return None
        container = self._opened(file, is_nested=True)
        if container is not None:
            self._inner_left -= 1
            self._unpacked.spend(sum(one.size for one in container.files))
        return container

    def _opened(self, file: ExportFile, *, is_nested: bool = False) -> Container | None:
        """The archive that the file is; None if it is none."""
        plain = self._plain(file)
        is_spooled = is_nested or plain is not file  # what is unpacked can only be read forward
        if is_zip(plain):
            zipped = ZipArchive(self._laid_out(plain) if is_spooled else plain, self._limits)
            self._open.callback(zipped.close)
            return zipped
        if not is_tar(plain):
            return None
        tarred = TarArchive(self._laid_out(plain) if is_spooled else plain, self._limits)
        if tarred.warning is not None:
            self.warnings.append(ReadWarning(file.name, None, tarred.warning))
        return tarred

    def _laid_out(self, plain: ExportFile) -> Spooled:
        spooled = Spooled(plain, self._on_disk)
        self._open.callback(spooled.close)
        return spooled


class Inner:
    """A file of an archive that lies in another archive."""

    def __init__(self, archive: str, file: ExportFile) -> None:
        self.name = f"{archive}/{file.name}"
        self.size = file.size
        self.open = file.open
