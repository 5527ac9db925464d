"""Port: the bytes of a chat export become conversations and messages, one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Literal, NamedTuple, Protocol

from domain.message import Conversation, Message

DateOrder = Literal["ymd", "dmy", "mdy"]


class ExportFile(Protocol):
    """A received file. Never fully in memory."""

    @property
    def name(self) -> str:
        """As the uploader named it: a hint, never proof of the format."""
        ...

    @property
    def size(self) -> int:
        """Bytes."""
        ...

    def open(self) -> BinaryIO:
        """A fresh, seekable, read-only stream from the first byte. The caller closes it."""
        ...


class ReadWarning(NamedTuple):
    """Something in the file that is not as it should be. Reading goes on unless `is_fatal`."""

    file: str  # the member inside an archive, else the file's name
    line: int | None  # 1-based; for JSON arrays the 1-based element
    reason: str  # what was wrong and, where possible, what to do
    is_fatal: bool = False  # nothing after this place could be read


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """What the person decided where the file does not say."""

    timezone: str | None = None  # IANA name for files without a zone; None means UTC, "assumed"
    date_order: DateOrder | None = None  # None: decided over the whole file
    columns: dict[str, str] = field(default_factory=dict)  # CSV/JSONL: our field -> their column


@dataclass(slots=True, kw_only=True)
class ReadFacts:
    """What reading found out about the file as a whole. Complete once the iterator is exhausted."""

    timezone: str | None = None  # the zone used for local times, IANA or "UTC"
    date_order: DateOrder | None = None  # only for formats with numeric dates
    unknown_keys: dict[str, int] = field(default_factory=dict)  # dotted path -> how often
    columns: dict[str, str] = field(default_factory=dict)  # CSV/JSONL: the mapping used


class Recognition(NamedTuple):
    format: str
    confidence: float  # 0 (cannot be) to 1 (cannot be anything else)
    reason: str  # what in the content says so, in words


class UnreadableExportError(Exception):
    """
    The file cannot be read as a chat export at all.

    The message names the file, the place and the reason, and says what to do.
    """

    def __init__(self, *, file: str, reason: str, line: int | None = None) -> None:
        place = file if line is None else f"{file}, line {line}"
        super().__init__(f"{place}: {reason}")
        self.file = file
        self.line = line
        self.reason = reason


ReadItem = Conversation | Message | ReadWarning


class ChatReader(Protocol):
    """
    One format. Reading is deterministic: the same bytes, options and version give the same
    items in the same order, so that a killed job can go on where it stopped.
    """

    @property
    def format(self) -> str:
        """Lower-case name, stored in events for ever: "whatsapp", "telegram", "slack" …"""
        ...

    @property
    def version(self) -> int:
        """Raised whenever the items read from some file would change."""
        ...

    def recognise(self, file: ExportFile) -> Recognition | None:
        """Whether the content looks like this format. Reads at most a few hundred KiB."""
        ...

    def read(self, file: ExportFile, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
        """
        Yield each conversation before its first message, messages in file order, warnings where
        they occur. Memory stays bounded whatever the file's size.

        A file that breaks in the middle yields all that was readable, then one fatal warning.

        Raises:
            UnreadableExportError: if not even one item could be read.
            OSError: as it came from the stream; it is no fault of the file, and no warning.
        """
        ...


class ReaderRegistry(Protocol):
    def recognise(self, file: ExportFile) -> tuple[ChatReader, Recognition]:
        """
        Choose the reader by content.

        Raises:
            UnreadableExportError: if no reader knows it, or two claim it equally.
        """
        ...

    def by_format(self, format: str) -> ChatReader:
        """The reader that an earlier event named. Raises KeyError if it is not installed."""
        ...
