"""Bytes of the fuzzer become an export: a sample of which one file is replaced by them."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path

from application.ports.chat_reader import (
    ChatReader,
    ExportFile,
    ReadFacts,
    ReadOptions,
    UnreadableExportError,
)
from infrastructure.readers.containers.unpacking import Unpacked
from infrastructure.readers.local_file import LocalFile
from infrastructure.readers.testing.files import MemoryFile, PlainExport
from infrastructure.readers.testing.running import checked, require_quick
from tests.infrastructure.readers.contract_samples import SAMPLES_OF

LARGEST = 64 * 1024  # bytes of a file of a sample
MOST_FILES = 8  # of a sample


class Inputs:
    """
    All samples of a format, cut down to what is read quickly.

    The first byte of an input chooses the file that the rest of it replaces.
    """

    def __init__(self, format: str) -> None:
        self._files: list[tuple[PlainExport, ExportFile]] = []
        for sample in SAMPLES_OF[format]:
            file = LocalFile(sample) if isinstance(sample, Path) else sample
            with Unpacked(file) as export:
                small = sorted(export.files, key=lambda one: one.size)[:MOST_FILES]
                files = [beginning(one) for one in export.files if one in small]
                kept = PlainExport(export.name, files, export.is_packed)
            self._files += [(kept, one) for one in files]

    def seeds(self) -> Iterator[bytes]:
        for number, (_, file) in enumerate(itertools.islice(self._files, 256)):
            with file.open() as stream:
                yield bytes([number]) + stream.read()

    def export(self, data: bytes) -> PlainExport:
        kept, replaced = self._files[(data[0] if data else 0) % len(self._files)]
        file = MemoryFile(data[1:], replaced.name)
        files = [file if one is replaced else one for one in kept.files]
        return PlainExport(kept.name, files, kept.is_packed)


def beginning(file: ExportFile) -> MemoryFile:
    with file.open() as stream:
        return MemoryFile(stream.read(LARGEST), file.name)


def run(reader: ChatReader, export: PlainExport) -> None:
    """
    Raises:
        Exception: for whatever a reader must not do.
    """
    started = time.process_time()
    reader.recognise(export)
    try:
        for _ in checked(reader, export, ReadOptions(), ReadFacts()):
            pass
    except UnreadableExportError:
        pass
    size = sum(file.size for file in export.files)
    require_quick(export.name, time.process_time() - started, size)
