"""Reader of RSMF: .rsmf files, the zip in them, the manifest in that, and many of each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from email.message import Message as Headers

from application.ports.chat_reader import (
    Export,
    ExportFile,
    ReadFacts,
    ReadItem,
    ReadOptions,
    ReadWarning,
    Recognition,
    UnreadableExportError,
)
from infrastructure.readers.containers.contents import LIMITS, BrokenFileError, Budget
from infrastructure.readers.containers.spool import Spooled
from infrastructure.readers.containers.unpacking import Unpacked
from infrastructure.readers.limits import SNIFF
from infrastructure.readers.local_time import LocalClock
from infrastructure.readers.reading import MALFORMED, name_of
from infrastructure.readers.rsmf.manifest import Manifest, Reading
from infrastructure.readers.rsmf.mime import EnvelopedArchive, open_envelope
from infrastructure.readers.text_stream import sniff

_MANIFEST = "rsmf_manifest.json"
_ENDINGS = (".rsmf", ".eml", ".json", ".zip")
_ASKED = 3  # files of an archive, the likeliest ones
_FIRST_BYTES = 64
_HEADER = re.compile(rb"^X-RSMF-Version[ \t]*:", re.IGNORECASE | re.MULTILINE)
_ATTACHMENT = re.compile(rb'name\s*=\s*"?rsmf\.zip"?', re.IGNORECASE)
_VERSION = re.compile(rb'"version"\s*:\s*"\d+\.\d+\.\d+"')
_LIST = re.compile(rb'"(participants|conversations|events)"\s*:\s*\[')
_EVENT = re.compile(rb'"type"\s*:\s*"(?:message|disclaimer|join|leave|history|unknown)"')
_PLATFORM = re.compile(rb'"platform"\s*:\s*"')


class RsmfReader:
    """Times are UTC or have an offset where the tool kept to the standard, else local times."""

    format = "rsmf"
    version = 1

    def recognise(self, export: Export) -> Recognition | None:
        reason = next(filter(None, map(_what_says_rsmf, _candidates(export)[:_ASKED])), None)
        return None if reason is None else Recognition(self.format, 0.95, reason)

    def read(self, export: Export, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
        clock = LocalClock(options, facts, file=export.name)
        sources = _sources(export)
        reading = Reading(clock, facts, is_alone=len(sources) == 1)
        folders = _folders(export) if export.is_packed else {}
        for file in sources:
            head = sniff(file, _FIRST_BYTES)
            if head.startswith(b"PK"):
                yield from _read_archive(file, file.name, reading)
            elif head.lstrip().startswith(b"{"):
                beside = folders.get(_folder(file)) if name_of(file).lower() == _MANIFEST else None
                yield from Manifest(file, file.name, reading, files=beside).read()
            else:
                yield from _read_envelope(file, reading)


def _folder(file: ExportFile) -> str:
    return file.name.rpartition("/")[0]


def _folders(export: Export) -> dict[str, dict[str, int]]:
    """The files beside the manifests, by name: the attachments."""
    manifests = (file for file in export.files if name_of(file).lower() == _MANIFEST)
    found: dict[str, dict[str, int]] = {_folder(file): {} for file in manifests}
    for file in export.files:
        if (beside := found.get(_folder(file))) is not None:
            beside[name_of(file)] = file.size
    return found


def _candidates(export: Export) -> list[ExportFile]:
    """Files that may be RSMF by their names, the likeliest first."""
    if not export.is_packed:
        return list(export.files)
    ranked = sorted(
        (_ENDINGS.index(ending) + (name_of(file).lower() != _MANIFEST) * 10, file.name, index)
        for index, file in enumerate(export.files)
        for ending in _ENDINGS
        if file.name.lower().endswith(ending)
    )
    return [export.files[index] for _, _, index in ranked]


def _sources(export: Export) -> list[ExportFile]:
    """
    What is to be read, in the order of the names, which mostly is that of the days.

    Files beside a manifest are its attachments, whatever they are.
    """
    if not export.is_packed:
        return list(export.files)
    taken = set(_folders(export))
    found: list[ExportFile] = []
    for file in sorted(_candidates(export), key=lambda file: file.name):
        is_manifest = name_of(file).lower() == _MANIFEST
        if is_manifest or (_folder(file) not in taken and _what_says_rsmf(file) is not None):
            found.append(file)
    return found


def _what_says_rsmf(file: ExportFile) -> str | None:
    head = sniff(file, SNIFF)
    if head.startswith(b"PK"):
        is_rsmf = _MANIFEST.encode() in head.lower()
        return "a zip archive that holds an RSMF manifest" if is_rsmf else None
    if head.lstrip().startswith(b"{"):
        is_rsmf = _is_manifest(head)
        return "a JSON object with RSMF's participants and events" if is_rsmf else None
    headers = head.replace(b"\r", b"").partition(b"\n\n")[0]
    if _HEADER.search(headers):
        return "a message whose headers say that it is RSMF"
    if b":" in headers.partition(b"\n")[0] and _ATTACHMENT.search(head):
        return "a message with the attachment that RSMF has"
    return None


def _is_manifest(head: bytes) -> bool:
    lists = set(_LIST.findall(head))
    if not _VERSION.search(head) or len(lists) < 2:
        return False
    has_events = b"events" in lists and _EVENT.search(head) is not None
    return has_events or _PLATFORM.search(head) is not None


def _read_envelope(file: ExportFile, reading: Reading) -> Iterator[ReadItem]:
    try:
        envelope = open_envelope(file)
    except BrokenFileError as error:
        yield _warning(file.name, error.reason, reading)
        return
    except MALFORMED as error:
        yield _warning(file.name, f"its headers cannot be understood ({error!r})", reading)
        return
    if envelope.archive is None:
        yield _warning(file.name, "it has no attachment rsmf.zip", reading)
        return
    begins = _begins(envelope.headers)
    yield from _read_archive(envelope.archive, file.name, reading, begins=begins)


def _begins(headers: Headers) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(headers.get("X-RSMF-BeginDate")).strip())
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None  # it is only for events without a time


def _read_archive(
    file: ExportFile, place: str, reading: Reading, *, begins: datetime | None = None
) -> Iterator[ReadItem]:
    """A zip inside another file is laid out on the disk: it is read here and there."""
    reason: str | None = None
    try:
        with (
            closing(Spooled(file, Budget(file.name, file.size, LIMITS))) as spooled,
            Unpacked(spooled) as unpacked,
        ):
            beside = {name_of(member): member.size for member in unpacked.files}
            found = next((f for f in unpacked.files if name_of(f).lower() == _MANIFEST), None)
            if found is None:
                reason = f"its archive holds no {_MANIFEST}"
            else:
                manifest = Manifest(found, place, reading, files=beside, begins=begins)
                yield from manifest.read()
                if not manifest.is_broken:
                    reason = unpacked.breaks.get(found.name)
    except (BrokenFileError, UnreadableExportError) as error:
        reason = error.reason
    if reason is not None:
        yield _warning(place, reason, reading)
    elif isinstance(file, EnvelopedArchive) and not file.is_closed:
        reason = "the message ends before its closing boundary: it may be cut off"
        yield ReadWarning(place, None, reason)


def _warning(place: str, reason: str, reading: Reading) -> ReadWarning:
    if not reading.is_alone:
        reason += "; this file was not read to its end, the others were"
    return ReadWarning(place, None, reason, is_fatal=reading.is_alone)
