"""
Read an uploaded export: recognise it, inspect it whole, record its messages in batches.

Between the two it is held back while somebody has to confirm it, or to say how it is to be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO
from uuid import UUID

from eventsourcing.persistence import IntegrityError

from application.archive import Archive
from application.context import Context
from application.merging import Merging
from application.ports.blobs import BlobStore
from application.ports.chat_reader import (
    AmbiguousFormatError,
    ChatReader,
    Export,
    ReaderRegistry,
    ReadFacts,
    Recognition,
    UnreadableExportError,
)
from application.ports.jobs import Stopped
from application.ports.keys import Pseudonyms
from application.ports.known_messages import KnownMessages
from application.ports.previews import PreviewStore
from application.preview import (
    Preview,
    Previewer,
    inspected_facts,
    read_options,
    undecided,
    watched,
)
from application.transcription import Transcriber, batches
from application.uploads import UntilWithdrawn, amend, system_context
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
    times_given_up: int
    should_stop: Callable[[], bool]
    merging: Merging

    def is_superseded(self, upload: Upload) -> bool:
        """By another job with other options, or by somebody who discarded this one."""
        return (upload.options, upload.times_given_up) != (self.options, self.times_given_up)


class ReadUploadHandler:
    def __init__(
        self,
        archive: Archive,
        blobs: BlobStore,
        readers: ReaderRegistry,
        pseudonyms: Pseudonyms,
        *,
        previewer: Previewer,
        previews: PreviewStore,
        known: KnownMessages | None = None,
    ) -> None:
        """
        Args:
            known: the archive's messages; without them only ids tell what it has.
        """
        self._archive = archive
        self._blobs = blobs
        self._readers = readers
        self._pseudonyms = pseudonyms
        self._previewer = previewer
        self._previews = previews
        self._known = known

    def __call__(self, command: ReadUpload, *, should_stop: Callable[[], bool]) -> None:
        """
        Safe to run again at any point: goes on after the last recorded batch. One that is held
        back is left alone.

        Raises:
            Stopped: when asked to; what was recorded stays.
            ReaderChangedError, ReadingDiffersError: rather than mix or lose messages.
            OSError: and what the blob store raises; trying again may help.
        """
        upload = self._archive.load(Upload, command.upload_id)
        if upload.stage not in UNREAD or upload.is_held_back:
            return
        watch = UntilWithdrawn(self._archive, upload.id, should_stop)
        run = ReadingRun(
            context=system_context(self._archive, upload),
            file=BlobFile(self._blobs, upload.blob, upload.filename, upload.size),
            options=upload.options,
            times_given_up=upload.times_given_up,
            should_stop=watch,
            merging=Merging(
                self._pseudonyms,
                self._known,
                workspace_id=upload.workspace_id,
                upload_id=upload.id,
                options=upload.options,
            ),
        )
        try:
            self._read(upload, run)
        except Stopped:
            if not watch.is_withdrawn:
                raise

    def _read(self, upload: Upload, run: ReadingRun) -> None:
        try:
            with self._readers.open(run.file) as export:
                try:
                    reader, recognition = self._choose(upload, export)
                except AmbiguousFormatError as error:
                    self._hold_back(upload, run, undecided(export, error))
                    return
                if self._must_inspect(upload, reader):
                    upload = self._inspect(upload, run, export, reader, recognition)
                if not upload.is_held_back:
                    with run.merging.alone(run.should_stop):
                        self._record(upload, run, export, reader)
        except UnreadableExportError as error:
            reason = str(error)
            self._amend(upload, run, lambda current: current.reject(reason))
            self._previews.forget(upload.id)

    def _choose(self, upload: Upload, export: Export) -> tuple[ChatReader, Recognition]:
        if upload.format is not None and upload.stage != "received":
            return self._readers.by_format(upload.format), Recognition(
                upload.format, 1, "inspected"
            )
        stated = upload.options.get("format")
        if stated:
            return self._readers.by_format(stated), Recognition(stated, 1, "stated by the uploader")
        return self._readers.recognise(export)

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
        self,
        upload: Upload,
        run: ReadingRun,
        export: Export,
        reader: ChatReader,
        recognition: Recognition,
    ) -> Upload:
        """One pass that records nothing: what is wrong with it is known before it is read."""
        preview = self._look(upload, run, export, reader, recognition)
        found = preview.inspection
        if found is None or found.messages + found.system == 0:
            raise UnreadableExportError(
                file=upload.filename, reason=f"a {reader.format} export without any message"
            )
        if preview.questions and preview.comparison is None:
            # It was to be read at once, and will be looked at.
            preview = self._look(upload, run, export, reader, recognition, is_shown=True)
        return self._hold_back(upload, run, preview, inspected_facts(preview, reader))

    def _look(
        self,
        upload: Upload,
        run: ReadingRun,
        export: Export,
        reader: ChatReader,
        recognition: Recognition,
        *,
        is_shown: bool = False,
    ) -> Preview:
        """Compared with the archive only if somebody is going to see it."""
        return self._previewer.look(
            reader,
            recognition,
            export,
            read_options(run.options),
            workspace_id=upload.workspace_id if is_shown or not upload.is_confirmed else None,
            merge=run.options,
            should_stop=run.should_stop,
            warnings_kept=MAX_WARNINGS,
        )

    def _hold_back(
        self, upload: Upload, run: ReadingRun, preview: Preview, about: dict[str, Any] | None = None
    ) -> Upload:
        """
        If somebody has to answer first. The preview is there before anybody is told of it.

        Args:
            about: the fields of `Upload.Inspected`; None: it cannot be inspected yet.
        """
        is_kept = bool(preview.questions) or not upload.is_confirmed
        if is_kept:
            self._previews.keep(upload.workspace_id, upload.id, preview.as_json())

        def record(current: Upload) -> None:
            # Another worker's inspection stands: it may have recorded messages already.
            if (current.stage, current.reader_version) != (upload.stage, upload.reader_version):
                return
            if about is not None:
                current.record_inspected(**about)
            current.hold_back(preview.questions)

        current = self._amend(upload, run, record)
        if is_kept and not current.is_held_back:
            self._previews.forget(upload.id)  # it was withdrawn or confirmed meanwhile
        return current

    def _record(self, upload: Upload, run: ReadingRun, export: Export, reader: ChatReader) -> None:
        done = self._batches_recorded(upload.id)

        def start(current: Upload) -> None:
            if current.is_confirmed and current.stage != "received":
                current.start_reading(from_batch=done, matches=run.merging.facts)

        self._decide(upload, run, export, reader, done)
        upload = self._amend(upload, run, start)
        if upload.stage != "reading" or run.is_superseded(upload):
            return  # withdrawn, read by another worker, to be looked at again, or another job's
        if upload.reader_version != reader.version:
            # Of two workers that are there during an update.
            raise ReaderChangedError(reader.format, upload.reader_version, reader.version)
        book = run.merging.book(reader.format)
        transcriber = Transcriber(
            self._pseudonyms,
            workspace_id=upload.workspace_id,
            format=reader.format,
            book=book,
            apart=upload.id if run.merging.is_apart else None,
        )
        number, messages = 0, 0
        pending: Callable[[], object] = bool  # nothing to wait for
        items = run.merging.place(
            reader.read(export, read_options(run.options), ReadFacts()),
            book,
            self._recorded_keys(upload.id, done),
        )
        for number, (batch, conversations) in enumerate(batches(items), start=1):
            messages += len(batch)
            if run.should_stop():
                unless_there(pending)
                raise Stopped
            if number <= done:
                continue
            transcript = transcriber.transcribe(upload.id, number - 1, batch, conversations)
            # While one batch is being made durable, the next one is read.
            unless_there(pending)
            pending = self._archive.begin_record(run.context, transcript)
        unless_there(pending)
        if messages != upload.inspected_messages:
            raise ReadingDiffersError(read=messages, inspected=upload.inspected_messages)
        self._amend(
            upload, run, lambda current: current.record_read(batches=number, messages=messages)
        )
        self._previews.forget(upload.id)

    def _decide(
        self, upload: Upload, run: ReadingRun, export: Export, reader: ChatReader, done: int
    ) -> None:
        """Which conversations are the archive's: now, unless part of the upload is recorded."""
        is_possible = run.merging.is_possible(run.should_stop)
        if done:
            run.merging.facts = upload.matches
        elif is_possible:
            items = reader.read(export, read_options(run.options), ReadFacts())
            for _ in run.merging.watch(watched(items, run.should_stop, []), reader.format):
                pass

    def _recorded_keys(self, upload_id: UUID, batches: int) -> Iterator[str | None]:
        """Of the messages that were recorded before: what is said of them stands."""
        for batch in range(batches):
            for event in self._archive.events.get(Transcript.create_id(upload_id, batch)):
                yield from keys_of(event)

    def _amend(self, upload: Upload, run: ReadingRun, change: Callable[[Upload], None]) -> Upload:
        """Unless it is read, rejected or withdrawn meanwhile, or not this job's any more."""

        def still(current: Upload) -> bool:
            if current.stage not in UNREAD or run.is_superseded(current):
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


def unless_there(record: Callable[[], object]) -> None:
    """A worker that was thought dead may have written it: the same file, the same batch."""
    with suppress(IntegrityError):
        record()


def keys_of(event: Any) -> list[str | None]:
    """In order; None for those whose author was erased."""
    keys: list[str | None] = [None] * len(event.slots)
    for block in event.blocks.values():
        for ordinal, fields in block["messages"]:
            keys[ordinal] = fields["key"]
    return keys
