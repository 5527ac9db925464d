"""Port: the bytes of a chat export become conversations and messages, one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import BinaryIO, Literal, NamedTuple, Protocol

from domain.message import Conversation, Message

DateOrder = Literal["ymd", "dmy", "mdy"]
MOST_DATES = 1_000  # files of an export of which it is told how their dates were read


class ExportFile(Protocol):
    """A received file, or one inside it. Never fully in memory."""

    @property
    def name(self) -> str:
        """
        As the uploader named it: a hint, never proof of the format. Inside an archive the path,
        with slashes.
        """
        ...

    @property
    def size(self) -> int:
        """Bytes."""
        ...

    def open(self) -> BinaryIO:
        """
        A fresh, read-only stream from the first byte. The caller closes it. It can be rewound;
        inside an archive that costs unpacking it again. Where the archive is damaged the file
        ends, and `Export.breaks` says so.
        """
        ...


class Export(Protocol):
    """What readers see of what was received: one file, or those of an archive or a folder."""

    @property
    def name(self) -> str:
        """As the uploader named it."""
        ...

    @property
    def files(self) -> Sequence[ExportFile]:
        """At least one, in the archive's order; no folders."""
        ...

    @property
    def is_packed(self) -> bool:
        """Whether the files came out of an archive or a folder."""
        ...

    @property
    def warnings(self) -> Sequence[ReadWarning]:
        """What of it was not opened, and why."""
        ...

    @property
    def breaks(self) -> Mapping[str, str]:
        """Files that have ended early, as far as they were read: name -> what is damaged."""
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


class DatesRead(NamedTuple):
    """How the numeric dates of one file were read."""

    file: str
    order: DateOrder
    possible: tuple[DateOrder, ...]  # what the dates permit, `order` first
    doubt: str | None  # why `order` is but a guess; None: the file decides, or the person did


@dataclass(slots=True, kw_only=True)
class ReadFacts:
    """What reading found out about the file as a whole. Complete once the iterator is exhausted."""

    timezone: str | None = None  # the zone used for local times, IANA or "UTC"
    date_order: DateOrder | None = None  # only for formats with numeric dates
    unknown_keys: dict[str, int] = field(default_factory=dict)  # dotted path -> how often
    columns: dict[str, str] = field(default_factory=dict)  # CSV/JSONL: the mapping used
    dates: list[DatesRead] = field(default_factory=list)  # of files with numeric dates
    owner: str | None = None  # name of whom the export belongs to, where it says so

    def add_dates(self, dates: DatesRead) -> None:
        """Those in doubt are kept before others, a thousand in all."""
        self.date_order = self.date_order or dates.order
        if len(self.dates) < MOST_DATES:
            self.dates.append(dates)
        elif dates.doubt is not None:
            self.dates[-1] = dates


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


class FormatNotInstalledError(KeyError):
    """No reader of this name is installed, at least none that can be used."""

    is_quotable = True

    def __init__(self, format: str, reason: str | None = None) -> None:
        """
        Args:
            reason: why one that is installed cannot be used.
        """
        super().__init__(format)
        self.format = format
        self.reason = reason

    def __str__(self) -> str:
        if self.reason is not None:
            return f"the format “{self.format}” cannot be read at the moment: {self.reason}"
        return (
            f"no reader for the format “{self.format}” is installed: install the package that "
            "brings it, then retry"
        )


class AmbiguousFormatError(UnreadableExportError):
    """Two readers or more claim it equally: a person has to state the format."""

    def __init__(self, *, file: str, claims: Sequence[Recognition]) -> None:
        said = " or ".join(f"{claim.format} ({claim.reason})" for claim in claims)
        super().__init__(file=file, reason=f"could be {said}; state the format")
        self.claims = tuple(claims)


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

    def recognise(self, export: Export) -> Recognition | None:
        """Whether the content looks like this format. Reads at most a few hundred KiB."""
        ...

    def read(self, export: Export, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
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
    def open(self, file: ExportFile) -> AbstractContextManager[Export]:
        """
        Unpack what was received.

        Raises:
            UnreadableExportError: if it is an archive that must not or cannot be opened.
        """
        ...

    def recognise(self, export: Export) -> tuple[ChatReader, Recognition]:
        """
        Choose the reader by content.

        Raises:
            UnreadableExportError: if no reader knows it.
            AmbiguousFormatError: if two claim it equally.
        """
        ...

    def by_format(self, format: str) -> ChatReader:
        """
        The reader that an earlier event named.

        Raises:
            FormatNotInstalledError
        """
        ...
