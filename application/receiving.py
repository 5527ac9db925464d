"""One chat export on its way in: its bytes are kept once, and what came of them is recorded."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
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
from application.uploads import UploadOptionsError, settle, standing_upload
from domain.upload import OptionsSettledError, RefusedUpload, Upload

Refusal = Literal["too_large", "empty", "cut_off", "no_room"]


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
    confirm: bool = True  # read it at once, if it is clear how; False: show first what it holds


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
            UploadRefusedError: if there were none, or there is no room.
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
        sha256 = writer.sha256
        try:
            with self._blobs.claimed(writer.address):
                accepted = self._settle(writer.address)
        except NoRoomError as error:
            self._refuse("no_room", str(error))
        except OptionsSettledError as error:
            raise UploadOptionsError(str(error)) from error
        finally:
            self._close()
        # Not in the stored answer: that is kept for ever, and the hash would outlive an erasure.
        facts = {"size": writer.received, "sha256": sha256}
        return Accepted(accepted.position, {**accepted.result, **facts})

    def _settle(self, blob: str) -> Accepted:
        try:
            accepted = settle(self._archive, self._context, "ReceiveUpload", self._decide)
            self._require_own(accepted, blob)
        except Exception as error:
            self._take_back(blob, error)
            raise
        return accepted

    def _require_own(self, accepted: Accepted, blob: str) -> None:
        """A first answer may be of an upload of these bytes that was withdrawn since."""
        withdrawals, _ = standing_upload(self._archive, self._workspace_id, blob)
        own = {Upload.create_id(self._workspace_id, blob, n) for n in range(withdrawals + 1)}
        if UUID(accepted.result["upload_id"]) not in own:
            raise CommandIdReusedError(
                f"the command id {self._context.command_id} was used for another file; "
                "take a new one for each file"
            )

    def _take_back(self, blob: str, error: Exception) -> None:
        """
        Bytes that no event names would stay for ever: nobody could even erase them.

        They do stay while the log cannot be asked, for the event may be in it; the file sent
        again finds them.
        """
        if self._stored is None or not self._stored.is_new:
            return
        try:
            if standing_upload(self._archive, self._workspace_id, blob)[1] is None:
                self._blobs.delete(blob)
        except Exception as second:  # noqa: BLE001 - the first error is the one to report
            error.add_note(f"and the bytes could not be taken back: {type(second).__name__}")

    def _decide(self) -> Decision:
        writer = self._open_writer
        withdrawals, known = standing_upload(self._archive, self._workspace_id, writer.address)
        if known is not None:
            options = dict(self._command.options)
            known.receive_again(self._command.filename)
            writer.commit()  # puts the blob right if it was damaged
            answer: dict[str, Any] = {"upload_id": str(known.id), "again": True}
            if not known.come_again(options, is_confirmed=self._command.confirm):
                answer["options_ignored"] = True
            return [known], answer
        stored = writer.commit()
        self._stored = stored
        upload = Upload.receive(
            workspace_id=self._workspace_id,
            blob=stored.address,
            size=stored.size,
            sha256=stored.sha256,
            filename=self._command.filename,
            options=dict(self._command.options),
            withdrawals=withdrawals,
            is_confirmed=self._command.confirm,
        )
        answer = {"upload_id": str(upload.id), "again": False}
        if withdrawals:
            before = Upload.create_id(self._workspace_id, stored.address, withdrawals - 1)
            answer["after_withdrawal_of"] = str(before)
        return [upload], answer

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
