"""Read an uploaded export: recognise it, inspect it whole, record its messages in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO
from uuid import UUID

from eventsourcing.persistence import IntegrityError

from application.archive import Archive
from application.context import Context
from application.inspection import Inspection, inspect_items
from application.ports.blobs import BlobStore
from application.ports.chat_reader import (
    ChatReader,
    ReaderRegistry,
    ReadFacts,
    ReadItem,
    ReadOptions,
    ReadWarning,
    Recognition,
    UnreadableExportError,
)
from application.ports.jobs import Stopped
from application.ports.keys import Pseudonyms
from application.transcription import Transcriber, batches
from application.uploads import amend, system_context
from domain.transcript import Transcript
from domain.upload import Stage, Upload

UNREAD: frozenset[Stage] = frozenset({"received", "inspected", "reading"})
MAX_WARNINGS = 100  # kept in the event, beside the one that ended the reading


class ReadingDiffersError(Exception):
    """Two passes over the same bytes gave different messages."""

    is_quotable = True

    def __init__(self, *, read: int, inspected: int) -> None:
        super().__init__(
            f"messages read: {read:,}, found by the inspection: {inspected:,}; the upload does not "
            "count as read before both agree"
        )


class ReaderChangedError(Exception):
    """Part of the upload was recorded by another version of the reader."""

    is_quotable = True

    def __init__(self, format: str, recorded: int, current: int) -> None:
        super().__init__(
            f"part of this upload was read by version {recorded} of the reader for {format}, and "
            f"this is version {current}, which may split it into other messages: let the "
            "version of before finish it, or export the chat again and send the new file"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadUpload:
    upload_id: UUID


@dataclass(frozen=True, slots=True)
class BlobFile:
    """A received file as readers see it."""

    blobs: BlobStore
    address: str
    name: str
    size: int

    def open(self) -> BinaryIO:
        return self.blobs.open(self.address)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingRun:
    """What one run of the job starts from."""

    context: Context
    file: BlobFile
    options: Mapping[str, Any]
    should_stop: Callable[[], bool]


class ReadUploadHandler:
    def __init__(
        self, archive: Archive, blobs: BlobStore, readers: ReaderRegistry, pseudonyms: Pseudonyms
    ) -> None:
        self._archive = archive
        self._blobs = blobs
        self._readers = readers
        self._pseudonyms = pseudonyms

    def __call__(self, command: ReadUpload, *, should_stop: Callable[[], bool]) -> None:
        """
        Safe to run again at any point: goes on after the last recorded batch.

        Raises:
            Stopped: when asked to; what was recorded stays.
            ReaderChangedError, ReadingDiffersError: rather than mix or lose messages.
            OSError: and what the blob store raises; trying again may help.
        """
        upload = self._archive.load(Upload, command.upload_id)
        if upload.stage not in UNREAD:
            return
        run = ReadingRun(
            context=system_context(self._archive, upload),
            file=BlobFile(self._blobs, upload.blob, upload.filename, upload.size),
            options=upload.options,
            should_stop=should_stop,
        )
        try:
            reader, recognition = self._choose(upload, run.file)
            if self._must_inspect(upload, reader):
                upload = self._inspect(upload, run, reader, recognition)
        except UnreadableExportError as error:
            reason = str(error)
            self._amend(upload, run, lambda current: current.reject(reason))
            return
        self._record(upload, run, reader)

    def _choose(self, upload: Upload, file: BlobFile) -> tuple[ChatReader, Recognition]:
        if upload.format is not None and upload.stage != "received":
            return self._readers.by_format(upload.format), Recognition(
                upload.format, 1, "inspected"
            )
        stated = upload.options.get("format")
        if stated:
            return self._readers.by_format(stated), Recognition(stated, 1, "stated by the uploader")
        return self._readers.recognise(file)

    def _must_inspect(self, upload: Upload, reader: ChatReader) -> bool:
        """
        Also once more by a newer reader, as long as nothing is recorded.

        Raises:
            ReaderChangedError: if something is.
        """
        if upload.stage == "received":
            return True
        if upload.reader_version == reader.version:
            return False
        if self._is_recorded(upload.id, 0):
            raise ReaderChangedError(reader.format, upload.reader_version, reader.version)
        return True

    def _inspect(
        self, upload: Upload, run: ReadingRun, reader: ChatReader, recognition: Recognition
    ) -> Upload:
        """One pass that stores nothing: what is wrong with the file is known before it is read."""
        facts = ReadFacts()
        fatal: list[ReadWarning] = []
        items = watched(
            reader.read(run.file, read_options(run.options), facts), run.should_stop, fatal
        )
        found = inspect_items(
            items,
            format=reader.format,
            file=run.file.name,
            facts=facts,
            warnings_kept=MAX_WARNINGS,
        )
        if found.messages + found.system == 0:
            raise UnreadableExportError(
                file=upload.filename, reason=f"a {reader.format} export without any message"
            )
        about = {**inspected(found, reader, recognition), "is_complete": not fatal}

        def record(current: Upload) -> None:
            # Another worker's inspection stands: it may have recorded messages already.
            if (current.stage, current.reader_version) == (upload.stage, upload.reader_version):
                current.record_inspected(**about)

        return self._amend(upload, run, record)

    def _record(self, upload: Upload, run: ReadingRun, reader: ChatReader) -> None:
        done = self._batches_recorded(upload.id)
        upload = self._amend(upload, run, lambda current: current.start_reading(from_batch=done))
        if upload.stage not in UNREAD or upload.options != run.options:
            return  # withdrawn, read by another worker, or to be read otherwise by another job
        if upload.reader_version != reader.version:
            # Of two workers that are there during an update.
            raise ReaderChangedError(reader.format, upload.reader_version, reader.version)
        transcriber = Transcriber(
            self._pseudonyms, workspace_id=upload.workspace_id, format=reader.format
        )
        number, messages = 0, 0
        items = reader.read(run.file, read_options(run.options), ReadFacts())
        for number, (batch, conversations) in enumerate(batches(items), start=1):
            messages += len(batch)
            if run.should_stop():
                raise Stopped
            if number <= done:
                continue
            transcript = transcriber.transcribe(upload.id, number - 1, batch, conversations)
            try:
                self._archive.record(run.context, transcript)
            except IntegrityError:
                # A worker that was thought dead wrote it: the same file, the same batch.
                continue
        if messages != upload.inspected_messages:
            raise ReadingDiffersError(read=messages, inspected=upload.inspected_messages)
        self._amend(
            upload, run, lambda current: current.record_read(batches=number, messages=messages)
        )

    def _amend(self, upload: Upload, run: ReadingRun, change: Callable[[Upload], None]) -> Upload:
        """Unless it is read, rejected or withdrawn meanwhile, or to be read with other options."""

        def still(current: Upload) -> bool:
            if current.stage not in UNREAD or current.options != run.options:
                return False
            change(current)
            return True

        return amend(self._archive, run.context, upload.id, still)

    def _batches_recorded(self, upload_id: UUID) -> int:
        """Batches are recorded in order: find the first missing one by doubling, then halving."""
        known, unknown = 0, 1
        while self._is_recorded(upload_id, unknown - 1):
            known, unknown = unknown, unknown * 2
        while unknown - known > 1:
            middle = (known + unknown) // 2
            if self._is_recorded(upload_id, middle - 1):
                known = middle
            else:
                unknown = middle
        return known

    def _is_recorded(self, upload_id: UUID, batch: int) -> bool:
        stream = Transcript.create_id(upload_id, batch)
        return bool(self._archive.recorder.select_events(stream, limit=1))


def watched(
    items: Iterable[ReadItem], should_stop: Callable[[], bool], fatal: list[ReadWarning]
) -> Iterator[ReadItem]:
    """Pass items on; note what ended the reading early; heed a request to stop."""
    for number, item in enumerate(items):
        if number % 1_000 == 0 and should_stop():
            raise Stopped
        if isinstance(item, ReadWarning) and item.is_fatal:
            fatal.append(item)
        yield item


def read_options(options: Mapping[str, Any]) -> ReadOptions:
    return ReadOptions(
        timezone=options.get("timezone"),
        date_order=options.get("date_order"),
        columns=options.get("columns") or {},
    )


def inspected(found: Inspection, reader: ChatReader, recognition: Recognition) -> dict[str, Any]:
    return {
        "format": found.format,
        "reader_version": reader.version,
        "reason": recognition.reason,
        "timezone": found.timezone,
        "date_order": found.date_order,
        "conversations": len(found.conversations),
        "messages": found.messages,
        "system": found.system,
        "authors": found.authors,
        "first_at": found.first,
        "last_at": found.last,
        "unknown_keys": found.unknown_keys,
        "warnings": [asdict(warning) for warning in found.warnings],
    }
