"""What all containers have in common: their files, the limits, and what no honest one holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from application.ports.chat_reader import ExportFile, UnreadableExportError
from infrastructure.readers.limits import MEBIBYTE

_DRIVE = re.compile(r"^[A-Za-z]:")
_CLUTTER = ("desktop.ini", "Thumbs.db", ".DS_Store")


class BrokenFileError(Exception):
    """A file cannot be read further, because what it is packed in is damaged."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(f"{file}: {reason}")
        self.file = file
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerLimits:
    """What an honest export never exceeds."""

    entries: int = 200_000
    directory_bytes: int = 64 * MEBIBYTE  # the list of names, which is held in memory
    total_bytes: int = 64 * 1024 * MEBIBYTE  # unpacked, all entries together
    ratio: int = 200  # unpacked to packed, of the whole archive
    ratio_from_bytes: int = 100 * MEBIBYTE  # below this size the ratio does not matter

    def require_honest(self, name: str, *, unpacked: int, packed: int) -> None:
        """
        Raises:
            UnreadableExportError: if so much cannot come out of so little.
        """
        if unpacked > self.total_bytes:
            reason = f"would unpack to {unpacked} bytes; the limit is {self.total_bytes}"
            raise UnreadableExportError(file=name, reason=reason)
        if unpacked > self.ratio_from_bytes and unpacked > packed * self.ratio:
            reason = f"unpacks to more than {self.ratio} times its size: a zip bomb, not read"
            raise UnreadableExportError(file=name, reason=reason)


LIMITS = ContainerLimits()


class Budget:
    """What may come out of one export in all: many archives, each of them small, are a bomb too."""

    def __init__(self, name: str, packed: int, limits: ContainerLimits) -> None:
        """
        Args:
            packed: bytes that were received.
        """
        self._name = name
        self._packed = packed
        self._limits = limits
        self._spent = 0

    def spend(self, size: int) -> None:
        """
        Raises:
            UnreadableExportError: if so much cannot come out of so little.
        """
        self._spent += size
        self._limits.require_honest(self._name, unpacked=self._spent, packed=self._packed)


class Container(Protocol):
    """An open archive or folder."""

    @property
    def files(self) -> Sequence[ExportFile]:
        """Their names are paths inside it, with slashes."""
        ...

    def close(self) -> None: ...


def is_clutter(name: str) -> bool:
    """What operating systems add to folders."""
    return name.startswith("__MACOSX/") or name.rpartition("/")[2] in _CLUTTER


def leads_out(name: str) -> bool:
    """Whether a path ends anywhere but inside its container."""
    plain = name.replace("\\", "/")
    return plain.startswith("/") or ".." in plain.split("/") or "\0" in plain or is_drive(plain)


def is_drive(name: str) -> bool:
    return _DRIVE.match(name) is not None


def require_distinct(container: str, names: Iterable[str]) -> None:
    """
    Raises:
        UnreadableExportError: if two files have one name: which of them would be read?
    """
    seen: set[str] = set()
    for name in names:
        if name in seen:
            reason = "the archive holds two files of this name"
            raise UnreadableExportError(file=f"{container}/{name}", reason=reason)
        seen.add(name)
