"""Read an uploaded export: recognise it, inspect it whole, record its messages in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO
from uuid import UUID

from eventsourcing.persistence import IntegrityError

from application.archive import Archive
from application.context import SYSTEM, Context
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
from domain.transcript import Transcript
from domain.upload import Upload

MAX_WARNINGS = 100  # kept in the event, beside the one that ended the reading


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
        """
        upload = self._archive.load(Upload, command.upload_id)
        if upload.stage in {"read", "searchable", "rejected", "withdrawn"}:
            return
        context = Context(
            actor_id=SYSTEM, workspace_id=upload.workspace_id, correlation_id=upload.id
        )
        file = BlobFile(self._blobs, upload.blob, upload.filename, upload.size)
        options = read_options(upload.options)
        try:
            reader, recognition = self._choose(upload, file)
            if upload.stage == "received":
                self._inspect(upload, context, file, reader, recognition, options, should_stop)
        except UnreadableExportError as error:
            upload.reject(str(error))
            self._archive.record(context, upload)
            return
        self._record(upload, context, file, reader, options, should_stop)

    def _choose(self, upload: Upload, file: BlobFile) -> tuple[ChatReader, Recognition]:
        if upload.format is not None:
            return self._readers.by_format(upload.format), Recognition(
                upload.format, 1, "inspected"
            )
        stated = upload.options.get("format")
        if stated:
            return self._readers.by_format(stated), Recognition(stated, 1, "stated by the uploader")
        return self._readers.recognise(file)

    def _inspect(
        self,
        upload: Upload,
        context: Context,
        file: BlobFile,
        reader: ChatReader,
        recognition: Recognition,
        options: ReadOptions,
        should_stop: Callable[[], bool],
    ) -> None:
        """One pass that stores nothing: what is wrong with the file is known before it is read."""
        facts = ReadFacts()
        fatal: list[ReadWarning] = []
        items = watched(reader.read(file, options, facts), should_stop, fatal)
        found = inspect_items(
            items,
            format=reader.format,
            file=file.name,
            facts=facts,
            warnings_kept=MAX_WARNINGS,
        )
        if found.messages + found.system == 0:
            raise UnreadableExportError(
                file=upload.filename, reason=f"a {reader.format} export without any message"
            )
        upload.record_inspected(**inspected(found, reader, recognition), is_complete=not fatal)
        self._archive.record(context, upload)

    def _record(
        self,
        upload: Upload,
        context: Context,
        file: BlobFile,
        reader: ChatReader,
        options: ReadOptions,
        should_stop: Callable[[], bool],
    ) -> None:
        done = self._batches_recorded(upload.id)
        upload.start_reading(from_batch=done)
        self._archive.record(context, upload)
        transcriber = Transcriber(
            self._pseudonyms, workspace_id=upload.workspace_id, format=reader.format
        )
        number, messages = 0, 0
        items = reader.read(file, options, ReadFacts())
        for number, (batch, conversations) in enumerate(batches(items), start=1):
            messages += len(batch)
            if should_stop():
                raise Stopped
            if number <= done:
                continue
            transcript = transcriber.transcribe(upload.id, number - 1, batch, conversations)
            try:
                self._archive.record(context, transcript)
            except IntegrityError:
                # A worker that was thought dead wrote it: the same file, the same batch.
                continue
        upload.record_read(batches=number, messages=messages)
        self._archive.record(context, upload)

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


def read_options(options: dict[str, Any]) -> ReadOptions:
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
