"""Readers of other people's packages: found by their entry points, and kept from doing harm."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from importlib.metadata import Distribution, EntryPoint, distributions
from typing import Any, NamedTuple

from application.ports.chat_reader import (
    ChatReader,
    Export,
    ReadFacts,
    ReadItem,
    ReadOptions,
    Recognition,
    UnreadableExportError,
)
from infrastructure.readers.promises import (
    BrokenPromiseError,
    Promises,
    check_facts,
    is_format_name,
)

GROUP = "chatledger.readers"


class LeftOut(NamedTuple):
    """A reader that is installed, but cannot be used."""

    format: str
    package: str  # with its version
    reason: str

    def __str__(self) -> str:
        return (
            f"the package {self.package} is left out as the reader for “{self.format}”: "
            f"{self.reason}"
        )


class Installed(NamedTuple):
    readers: tuple[InstalledReader, ...]
    left_out: tuple[LeftOut, ...]


class InstalledReaderError(Exception):
    """An installed reader has failed by a defect of its own. Quotes nothing of the file."""

    is_quotable = True


class InstalledReader:
    """
    A reader of another package. Its defects bear the package's name, and what it yields is
    looked at before anything of it is stored for ever.
    """

    def __init__(self, reader: ChatReader, package: str) -> None:
        self.package = package
        self.format = reader.format
        self.version = reader.version
        self._reader = reader

    def recognise(self, export: Export) -> Recognition | None:
        """
        Raises:
            InstalledReaderError: for whatever the reader raises; it is the cause.
        """
        try:
            claim = self._reader.recognise(export)
        except Exception as error:
            raise self._failed("recognise", f"raised {type(error).__name__}") from error
        if claim is None:
            return None
        is_sound = isinstance(claim, Recognition) and isinstance(claim.confidence, int | float)
        if not is_sound or not 0 <= claim.confidence <= 1 or claim.format != self.format:
            raise self._failed("recognise", "gave no Recognition of its format")
        return claim

    def read(self, export: Export, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
        """
        Raises:
            UnreadableExportError, OSError: as the port says.
            InstalledReaderError: for anything else that the reader raises, and for items that are
                not as the port says.
        """
        promises = Promises()
        try:
            for item in self._reader.read(export, options, facts):
                promises.check(item)
                yield item
            check_facts(facts)
        except (UnreadableExportError, OSError):
            raise
        except BrokenPromiseError as error:
            raise self._failed("read", f"yielded what none may: {error}") from error
        except Exception as error:
            raise self._failed("read", f"raised {type(error).__name__}") from error

    def _failed(self, what: str, how: str) -> InstalledReaderError:
        return InstalledReaderError(
            f"the reader for “{self.format}”, of the package {self.package}, is defective: "
            f"its `{what}` {how}"
        )


def installed_readers(own: Collection[str]) -> Installed:
    """
    Load what is installed. Whatever a package does wrong costs its own reader, no other.

    Args:
        own: formats that Chatledger reads itself.
    """
    claims: defaultdict[str, list[tuple[EntryPoint, str]]] = defaultdict(list)
    left_out: list[LeftOut] = []
    for package, distribution in _packages():
        try:
            found = distribution.entry_points.select(group=GROUP)
        except Exception as error:  # noqa: BLE001 - other people's metadata
            reason = f"its entry points cannot be read ({type(error).__name__})"
            left_out.append(LeftOut("?", package, reason))
            continue
        for entry in found:
            claims[entry.name].append((entry, package))
    readers: list[InstalledReader] = []
    for format, claimed in sorted(claims.items()):
        for number, (entry, package) in enumerate(claimed):
            others = ", ".join(sorted(one for _, one in claimed[:number] + claimed[number + 1 :]))
            try:
                _require_free(format, own, others)
                readers.append(InstalledReader(_loaded(entry), package))
            except _UnusableError as error:
                left_out.append(LeftOut(format, package, str(error)))
    return Installed(tuple(readers), tuple(left_out))


class _UnusableError(Exception):
    """The sentence says why, and what whoever wrote or installed the package can do."""


def _packages() -> Iterator[tuple[str, Distribution]]:
    """Those that say they have readers, by name and version; the first on the path of each name."""
    seen: set[str] = set()
    for distribution in distributions():
        # Most packages have nothing to do with this, and a broken one of them is not our concern.
        if GROUP not in (distribution.read_text("entry_points.txt") or ""):
            continue
        metadata: Any = distribution.metadata
        name, version = metadata["Name"] or "without a name", metadata["Version"] or "?"
        if name not in seen:
            seen.add(name)
            yield f"{name} {version}", distribution


def _require_free(format: str, own: Collection[str], others: str) -> None:
    if not is_format_name(format):
        raise _UnusableError(
            "that is no name of a format; one is lower-case words of letters and digits, joined by "
            "- or _, at most 40 characters"
        )
    if format in own:
        raise _UnusableError(
            "Chatledger reads a format of this name itself; the package has to use another name"
        )
    if others:
        raise _UnusableError(f"{others} reads a format of this name, too; uninstall one of them")


def _loaded(entry: EntryPoint) -> ChatReader:
    try:
        factory = entry.load()
        reader = factory() if callable(factory) else None
    # A module that ends the process when it is imported must not end ours.
    except (Exception, SystemExit) as error:
        said = " ".join(str(error).split())[:200]
        what = f"{entry.value} cannot be loaded ({type(error).__name__}: {said})"
        raise _UnusableError(what) from error
    if not callable(factory):
        raise _UnusableError(f"{entry.value} is neither a class nor a function")
    return _checked(reader, entry)


def _checked(reader: Any, entry: EntryPoint) -> ChatReader:
    for method in ("recognise", "read"):
        if not callable(getattr(reader, method, None)):
            raise _UnusableError(f"what {entry.value} makes has no method `{method}`")
    format, version = getattr(reader, "format", None), getattr(reader, "version", None)
    if format != entry.name:
        raise _UnusableError(f"its `format` is {format!r}, and its entry point says {entry.name!r}")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise _UnusableError(f"its `version` is {version!r}; it has to be a whole number from 1")
    found: ChatReader = reader
    return found
