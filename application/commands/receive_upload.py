"""Receive a chat export: keep its bytes once, and say so."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Literal, NoReturn, Self
from uuid import UUID, uuid4

from application.archive import Accepted, Archive, CommandIdReusedError, Decision
from application.context import Context
from application.ports.blobs import (
    BlobStore,
    BlobTooLargeError,
    BlobWriter,
    NoRoomError,
    StoredBlob,
)
from application.uploads import UploadOptionsError, check_options, clean_filename, settle
from domain.upload import OptionsSettledError, RefusedUpload, Upload, UploadWithdrawnError

Refusal = Literal["too_large", "empty", "cut_off", "no_room", "withdrawn"]


class UploadRefusedError(Exception):
    """The bytes did not become an upload, and nothing of them is kept. The fact is recorded."""

    def __init__(self, kind: Refusal, filename: str, reason: str) -> None:
        super().__init__(f"{filename}: {reason}")
        self.kind = kind


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveUpload:
    filename: str  # as the uploader names it; a path before it is left out
    options: Mapping[str, Any] = field(
        default_factory=dict
    )  # timezone, date_order, format, columns


class ReceiveUploadHandler:
    def __init__(
        self,
        archive: Archive,
        blobs: BlobStore,
        *,
        max_bytes: int,
        formats: Collection[str] | None = None,
    ) -> None:
        """`formats`, if given, are those that can be read; others are refused at once."""
        self._archive = archive
        self._blobs = blobs
        self._max_bytes = max_bytes
        self._formats = formats

    def __call__(
        self, command: ReceiveUpload, chunks: Iterable[bytes], context: Context
    ) -> Accepted:
        """
        Idempotent: the same bytes in a workspace are one upload, however often they come.

        Returns:
            The result has `upload_id`, `again` (the bytes were known), `size` and `sha256`; also
            `options_ignored` where the upload stays as it was read, with other options.

        Raises:
            UploadRefusedError, UploadOptionsError, CommandIdReusedError
        """
        with self.begin(command, context) as receiving:
            for chunk in chunks:
                receiving.write(chunk)
            return receiving.finish()

    def begin(
        self, command: ReceiveUpload, context: Context, *, announced: int | None = None
    ) -> Receiving:
        """
        Start to receive what comes in pieces. Blocks, as all methods of the answer do.

        Args:
            announced: bytes that the sender says will come; too many are refused right here.

        Raises:
            UploadRefusedError, UploadOptionsError
        """
        command = replace(
            command,
            filename=clean_filename(command.filename),
            options=check_options(command.options, self._formats),
        )
        return Receiving(
            self._archive, self._blobs, command, context, self._max_bytes, announced or 0
        )


class Receiving:
    """
    One file on its way in. Leaving its `with` block without `finish` records that it was cut off.

    Thread-safe: it can be cut off while another thread still writes.
    """

    def __init__(
        self,
        archive: Archive,
        blobs: BlobStore,
        command: ReceiveUpload,
        context: Context,
        max_bytes: int,
        announced: int,
    ) -> None:
        if context.workspace_id is None:
            raise ValueError("an upload belongs to a workspace")
        self._workspace_id: UUID = context.workspace_id
        self._archive = archive
        self._blobs = blobs
        self._command = command
        self._context = context
        self._max_bytes = max_bytes
        self._is_settled = False
        self._lock = threading.RLock()
        self._writer: BlobWriter | None = None
        self._stored: StoredBlob | None = None
        if announced > max_bytes:
            self._refuse_size()
        try:
            self._writer = blobs.writing(workspace_id=self._workspace_id, max_bytes=max_bytes)
        except NoRoomError as error:
            self._refuse("no_room", str(error))

    @property
    def received(self) -> int:
        """Bytes so far."""
        return 0 if self._writer is None else self._writer.received

    def write(self, chunk: bytes) -> None:
        """
        Raises:
            UploadRefusedError: if it is too large or there is no room.
        """
        with self._lock:
            try:
                self._open_writer.write(chunk)
            except BlobTooLargeError:
                self._refuse_size()
            except NoRoomError as error:
                self._refuse("no_room", str(error))

    def finish(self) -> Accepted:
        """
        All bytes are there: keep them and record the upload.

        Raises:
            UploadRefusedError: if there were none, there is no room, or the upload was withdrawn.
            CommandIdReusedError: if the command id belongs to another command.
        """
        with self._lock:
            return self._finish()

    def cut_off(self, reason: str) -> None:
        """The rest will not come: forget the bytes, record why. Harmless once it is settled."""
        with self._lock:
            if not self._is_settled:
                self._give_up(f"{reason} after {self.received:,} bytes")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.cut_off("it was cut off")

    @property
    def _open_writer(self) -> BlobWriter:
        if self._writer is None or self._is_settled:
            raise ValueError("this upload is settled")
        return self._writer

    def _finish(self) -> Accepted:
        writer = self._open_writer
        if writer.received == 0:
            self._refuse("empty", "it is empty; export the chat again and send that file")
        upload_id = Upload.create_id(self._workspace_id, writer.address)
        sha256 = writer.sha256
        try:
            accepted = self._settle(upload_id)
        except NoRoomError as error:
            self._refuse("no_room", str(error))
        except UploadWithdrawnError:
            self._refuse(
                "withdrawn",
                "this very file was withdrawn from the workspace, which is for good; "
                "if it is needed after all, export the chat again and send the new file",
            )
        except OptionsSettledError as error:
            raise UploadOptionsError(str(error)) from error
        finally:
            self._close()
        # Not in the stored answer: that is kept for ever, and the hash would outlive an erasure.
        facts = {"size": writer.received, "sha256": sha256}
        return Accepted(accepted.position, {**accepted.result, **facts})

    def _settle(self, upload_id: UUID) -> Accepted:
        try:
            accepted = settle(
                self._archive, self._context, "ReceiveUpload", lambda: self._decide(upload_id)
            )
        except Exception as error:
            self._take_back(upload_id, error)
            raise
        if accepted.result["upload_id"] != str(upload_id):
            reused = CommandIdReusedError(
                f"the command id {self._context.command_id} was used for another file; "
                "take a new one for each file"
            )
            self._take_back(upload_id, reused)
            raise reused
        return accepted

    def _take_back(self, upload_id: UUID, error: Exception) -> None:
        """
        Bytes that no event names would stay for ever: nobody could even erase them.

        They do stay while the log cannot be asked, for the event may be in it; the file sent
        again finds them.
        """
        if self._stored is None or not self._stored.is_new:
            return
        try:
            if self._archive.find(Upload, upload_id) is None:
                self._blobs.delete(self._stored.address)
        except Exception as second:  # noqa: BLE001 - the first error is the one to report
            error.add_note(f"and the bytes could not be taken back: {type(second).__name__}")

    def _decide(self, upload_id: UUID) -> Decision:
        writer = self._open_writer
        known = self._archive.find(Upload, upload_id)
        if known is not None:
            options = dict(self._command.options)
            known.receive_again(self._command.filename)
            writer.commit()  # puts the blob right if it was damaged
            answer: dict[str, Any] = {"upload_id": str(upload_id), "again": True}
            if known.has_failed or known.stage == "rejected":
                known.request_retry(options or None)
            elif options and options != known.options:
                answer["options_ignored"] = True
            return [known], answer
        stored = self._stored = writer.commit()
        upload = Upload.receive(
            workspace_id=self._workspace_id,
            blob=stored.address,
            size=stored.size,
            sha256=stored.sha256,
            filename=self._command.filename,
            options=dict(self._command.options),
        )
        return [upload], {"upload_id": str(upload_id), "again": False}

    def _refuse_size(self) -> NoReturn:
        self._refuse(
            "too_large",
            f"it is larger than {self._max_bytes:,} bytes, the most that is accepted here; export "
            "a shorter period, or ask who runs this to raise CHATLEDGER_MAX_UPLOAD_MIB",
        )

    def _refuse(self, kind: Refusal, reason: str) -> NoReturn:
        self._give_up(reason)
        raise UploadRefusedError(kind, self._command.filename, reason)

    def _give_up(self, reason: str) -> None:
        self._close()
        refused = RefusedUpload.refuse(
            id=uuid4(), filename=self._command.filename, received=self.received, reason=reason
        )
        self._archive.record(self._context, refused)

    def _close(self) -> None:
        self._is_settled = True
        if self._writer is not None:
            self._writer.close()
