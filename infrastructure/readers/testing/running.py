"""One pass of a reader over an export, as the archive makes it, with all that is asked of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from application.ports.chat_reader import (
    ChatReader,
    Export,
    ExportFile,
    ReadFacts,
    ReadItem,
    ReadOptions,
    ReadWarning,
    UnreadableExportError,
)
from domain.message import Conversation, Message
from infrastructure.readers.containers.unpacking import Unpacked
from infrastructure.readers.limits import MEBIBYTE
from infrastructure.readers.promises import BrokenPromiseError, Promises, check_facts
from infrastructure.readers.reading import GuardedReader

SECONDS_PER_MEBIBYTE = 2.0  # of processor time, at most
SECONDS_AT_LEAST = 2.0  # for what is smaller


class ContractBrokenError(AssertionError):
    """What the reader does is not what `application.ports.chat_reader` says."""


@dataclass(slots=True)
class Pass:
    """What came of one pass."""

    items: list[ReadItem] = field(default_factory=list)
    facts: ReadFacts = field(default_factory=ReadFacts)
    refusal: str | None = None  # what UnreadableExportError said

    @property
    def messages(self) -> list[Message]:
        return [item for item in self.items if isinstance(item, Message)]

    @property
    def conversations(self) -> list[Conversation]:
        return [item for item in self.items if isinstance(item, Conversation)]

    @property
    def fatal(self) -> list[ReadWarning]:
        return [item for item in self.items if isinstance(item, ReadWarning) and item.is_fatal]


def require(is_kept: bool, case: str, sentence: str) -> None:  # noqa: FBT001 - as `assert`
    """
    Raises:
        ContractBrokenError
    """
    if not is_kept:
        raise ContractBrokenError(f"{case}: {sentence}")


def read_file(
    reader: ChatReader, file: ExportFile, case: str, options: ReadOptions | None = None
) -> Pass:
    """
    Raises:
        ContractBrokenError
    """
    with Unpacked(file) as export:
        return read_export(reader, export, case, options)


def read_export(
    reader: ChatReader, export: Export, case: str, options: ReadOptions | None = None
) -> Pass:
    """
    Raises:
        ContractBrokenError: for an item that is not as it has to be, any exception but
            UnreadableExportError, or too much processor time.
    """
    found = Pass()
    started = time.process_time()
    try:
        for item in checked(reader, export, options or ReadOptions(), found.facts):
            found.items.append(item)
    except UnreadableExportError as error:
        require(error.reason.strip() != "", case, "UnreadableExportError without a reason")
        found.refusal = str(error)
    except BrokenPromiseError as error:
        raise ContractBrokenError(f"{case}: {error}") from error
    except Exception as error:
        what = f"{type(error).__name__}: {str(error)[:200]}"
        raise ContractBrokenError(
            f"{case}: reading raised {what}; only UnreadableExportError may come out"
        ) from error
    require_quick(case, time.process_time() - started, sum(file.size for file in export.files))
    return found


def checked(
    reader: ChatReader, export: Export, options: ReadOptions, facts: ReadFacts
) -> Iterator[ReadItem]:
    """
    As the archive reads, each item looked at.

    Raises:
        BrokenPromiseError, and what the reader raises
    """
    promises = Promises()
    for item in GuardedReader(reader).read(export, options, facts):
        promises.check(item)
        yield item
    check_facts(facts)


def seconds_allowed(size: int) -> float:
    """
    Args:
        size: bytes of the export.
    """
    return max(SECONDS_AT_LEAST, SECONDS_PER_MEBIBYTE * size / MEBIBYTE)


def require_quick(case: str, seconds: float, size: int) -> None:
    """
    Raises:
        ContractBrokenError
    """
    allowed = seconds_allowed(size)
    require(
        seconds <= allowed,
        case,
        f"took {seconds:.1f} s of processor time for {size:,} bytes; {allowed:.1f} s are allowed",
    )
