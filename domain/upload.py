"""An uploaded export: from its bytes to a searchable archive, and everything that can go wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.aggregate import CHATLEDGER_NAMESPACE, Aggregate
from domain.refused_upload import RefusedUpload
from domain.upload_events import UploadEvents

__all__ = [
    "NothingToConfirmError",
    "NothingToRetryError",
    "OptionsSettledError",
    "Question",
    "RefusedUpload",
    "Stage",
    "UnansweredError",
    "Upload",
    "UploadWithdrawnError",
]

Stage = Literal["received", "inspected", "reading", "read", "searchable", "rejected", "withdrawn"]

# What an upload that is held back waits for.
Question = Literal["confirmation", "date_order", "format"]
NEEDED: dict[str, str] = {
    "date_order": "say the date order (ymd, dmy or mdy): the file can be read in more than one",
    "format": "say the format: more than one claims the file",
}


class UploadWithdrawnError(Exception):
    """The upload was withdrawn, for good: the same file sent again is a new upload."""


class NothingToRetryError(Exception):
    """An upload that is searchable has nothing left to try again."""


class OptionsSettledError(Exception):
    """Part of the upload is recorded as it was read with other options; they must not be mixed."""


class NothingToConfirmError(Exception):
    """What was found in the file cannot be read as it is."""


class UnansweredError(Exception):
    """The file does not decide how it is to be read, and nobody has said it."""


class Upload(UploadEvents, Aggregate):
    """The same bytes in the same workspace are the same upload, until it is withdrawn."""

    TOPIC = "upload"

    @staticmethod
    def create_id(workspace_id: UUID, blob: str, withdrawals: int = 0) -> UUID:
        """`withdrawals`: how many uploads of the same bytes were withdrawn before."""
        again = f"/{withdrawals}" if withdrawals else ""
        return uuid5(CHATLEDGER_NAMESPACE, f"upload/{workspace_id}/{blob}{again}")

    @classmethod
    def receive(
        cls,
        *,
        workspace_id: UUID,
        blob: str,
        size: int,
        sha256: str,
        filename: str,
        options: dict[str, Any],
        withdrawals: int = 0,
        is_confirmed: bool = True,
    ) -> Upload:
        """
        Args:
            withdrawals: how many uploads of the same bytes were withdrawn before.
            is_confirmed: its messages may be recorded as soon as it is known how to read them.
        """
        before = cls.create_id(workspace_id, blob, withdrawals - 1) if withdrawals else None
        return cls._create(
            cls.Received,
            id=cls.create_id(workspace_id, blob, withdrawals),
            workspace_id=str(workspace_id),
            blob=blob,
            size=size,
            sha256=sha256,
            filename=filename,
            options=options,
            after=None if before is None else str(before),
            is_confirmed=is_confirmed,
        )

    @event(UploadEvents.Received)
    def __init__(
        self,
        *,
        workspace_id: str,
        blob: str,
        size: int,
        sha256: str,
        filename: str,
        options: dict[str, Any],
        after: str | None,
        is_confirmed: bool,
    ) -> None:
        del after
        self.workspace_id = UUID(workspace_id)
        self.blob = blob
        self.size = size
        self.sha256 = sha256
        self.filename = filename
        self.options = options
        self.is_confirmed = is_confirmed
        self.questions: tuple[str, ...] = ()  # unanswered: it is held back
        self.stage: Stage = "received"
        self.has_failed = False
        self.times_given_up = 0  # by final failures
        self.format: str | None = None
        self.reader_version = 0
        self.inspected_messages = 0  # system notices included
        self.batches = 0
        self.matches: list[dict[str, Any]] = []
        self.joins: tuple[UUID, ...] = ()  # conversations that are to become others

    def receive_again(self, filename: str) -> None:
        self._require_not_withdrawn()
        self.trigger_event(self.ReceivedAgain, filename=filename)

    def come_again(self, options: dict[str, Any], *, is_confirmed: bool) -> bool:
        """
        The same bytes were sent once more: what that means for how they are to be read.

        Returns:
            Whether the options are taken; False: it stays as it is read, with other options.
        """
        if self.has_failed or self.stage == "rejected":
            self.request_retry(options or None)
            if is_confirmed and not self.is_confirmed:
                self.confirm(options or None)
            return True
        if self.is_confirmed and not self.is_held_back:
            return not options or options == self.options
        options = options or self.options
        if is_confirmed and not self.unanswered(options):
            self.confirm(options)
        elif options != self.options:
            self.request_inspection(options)
        return True

    def record_inspected(self, **facts: Any) -> None:
        self._require_not_withdrawn()
        self.trigger_event(self.Inspected, **facts)

    @property
    def is_held_back(self) -> bool:
        return bool(self.questions)

    def hold_back(self, questions: tuple[str, ...]) -> None:
        """
        Args:
            questions: that the file leaves open, without "confirmation", which is known here.
        """
        self._require_not_withdrawn()
        asked = questions if self.is_confirmed else ("confirmation", *questions)
        if asked:
            self.trigger_event(self.HeldBack, questions=list(asked))

    def request_inspection(self, options: dict[str, Any] | None = None) -> None:
        """
        With other options than before, or with the same where none are given. It is not read
        before it is confirmed, even if it was to be.

        Raises:
            OptionsSettledError: if its messages are being recorded, or were.
        """
        self._require_unread("inspected")
        options = self.options if options is None else options
        self.trigger_event(self.InspectionRequested, options=options)

    def confirm(self, options: dict[str, Any] | None = None) -> None:
        """
        With other options than before, or with the same where none are given. Once it is
        confirmed, confirming it again changes nothing.

        Raises:
            UnansweredError: if the options leave open what the file does not decide.
            OptionsSettledError: if it is confirmed with other options.
            NothingToConfirmError: if it was rejected.
        """
        self._require_not_withdrawn()
        options = options or self.options
        if self.stage == "rejected":
            raise NothingToConfirmError(
                f"upload {self.id} cannot be read as it is: inspect it with other options"
            )
        if self.is_confirmed and not self.is_held_back and options == self.options:
            return
        self._require_unread("confirmed")
        if unanswered := self.unanswered(options):
            raise UnansweredError(f"upload {self.id}: {'; '.join(NEEDED[q] for q in unanswered)}")
        self.trigger_event(self.Confirmed, options=options)

    def unanswered(self, options: dict[str, Any]) -> tuple[str, ...]:
        """What these options leave open of what the file does not decide."""
        return tuple(q for q in self.questions if q != "confirmation" and not options.get(q))

    def reject(self, reason: str) -> None:
        self._require_not_withdrawn()
        self.trigger_event(self.Rejected, reason=reason)

    def start_reading(self, *, from_batch: int, matches: Sequence[dict[str, Any]] = ()) -> None:
        """`matches`: which conversations are which of the archive, see the event."""
        self._require_not_withdrawn()
        self.trigger_event(self.ReadingStarted, from_batch=from_batch, matches=list(matches))

    def record_read(self, *, batches: int, messages: int) -> None:
        self._require_not_withdrawn()
        joins = sorted(id for match in self.matches for id in match.get("joins", ()))
        self.trigger_event(self.Read, batches=batches, messages=messages, joins=joins)

    def finish_embedding(self, *, model: str, embedded: int, reused: int) -> None:
        self._require_not_withdrawn()
        self.trigger_event(self.EmbeddingFinished, model=model, embedded=embedded, reused=reused)

    def fail(self, *, stage: str, reason: str, attempt: int, is_final: bool) -> None:
        self.trigger_event(
            self.Failed, stage=stage, reason=reason, attempt=attempt, is_final=is_final
        )

    def request_retry(self, options: dict[str, Any] | None = None) -> None:
        """
        With other options than before, or with the same where none are given.

        Also where no failure is known: a job that was discarded or lost leaves none behind.
        """
        self._require_not_withdrawn()
        if self.stage == "searchable" and not self.has_failed:
            raise NothingToRetryError(f"upload {self.id} is searchable and has not failed")
        if self.is_held_back and not self.has_failed:
            raise NothingToRetryError(
                f"upload {self.id} has not failed: it waits for somebody to confirm it"
            )
        options = options or self.options
        if options != self.options and self.stage not in {"received", "rejected"}:
            raise OptionsSettledError(
                f"upload {self.id} is {self.stage} with the options it was sent with, and goes on "
                "with them; try it again without other options"
            )
        self.trigger_event(self.RetryRequested, options=options)

    def withdraw(self) -> None:
        self._require_not_withdrawn()
        self.trigger_event(self.Withdrawn)

    def record_downloaded(self, *, first_byte: int, last_byte: int) -> None:
        self._require_not_withdrawn()
        self.trigger_event(self.Downloaded, first_byte=first_byte, last_byte=last_byte)

    def _require_unread(self, done: str) -> None:
        self._require_not_withdrawn()
        if self.stage not in {"received", "inspected", "rejected"}:
            raise OptionsSettledError(
                f"upload {self.id} is {self.stage}: too late for it to be {done} with other options"
            )

    def _require_not_withdrawn(self) -> None:
        if self.stage == "withdrawn":
            raise UploadWithdrawnError(
                f"upload {self.id} was withdrawn, for good; the same file sent again is a new one"
            )

    @event(UploadEvents.ReceivedAgain)
    def _apply_received_again(self, filename: str) -> None:
        """Changes nothing: the fact is what matters."""

    @event(UploadEvents.Inspected)
    def _apply_inspected(
        self, format: str, reader_version: int, messages: int, system: int
    ) -> None:
        self.format = format
        self.reader_version = reader_version
        self.inspected_messages = messages + system
        self.stage = "inspected"

    @event(UploadEvents.HeldBack)
    def _apply_held_back(self, questions: list[str]) -> None:
        self.questions = tuple(questions)
        self.stage = "inspected"

    @event(UploadEvents.InspectionRequested)
    def _apply_inspection_requested(self, options: dict[str, Any]) -> None:
        self.options = options
        self.is_confirmed = False
        self._look_anew()

    @event(UploadEvents.Confirmed)
    def _apply_confirmed(self, options: dict[str, Any]) -> None:
        self.is_confirmed = True
        if options != self.options:
            self.options = options
            self._look_anew()
        self.questions = ()
        self.has_failed = False

    def _look_anew(self) -> None:
        """What was found holds no longer."""
        self.stage = "received"
        self.questions = ()
        self.has_failed = False

    @event(UploadEvents.Rejected)
    def _apply_rejected(self) -> None:
        self.questions = ()
        self.stage = "rejected"

    @event(UploadEvents.ReadingStarted)
    def _apply_reading_started(self, matches: list[dict[str, Any]]) -> None:
        self.stage = "reading"
        self.matches = matches

    @event(UploadEvents.Read)
    def _apply_read(self, batches: int, joins: list[str]) -> None:
        self.batches = batches
        self.joins = tuple(map(UUID, joins))
        self.stage = "read"

    @event(UploadEvents.EmbeddingFinished)
    def _apply_embedding_finished(self) -> None:
        self.stage = "searchable"
        self.has_failed = False

    @event(UploadEvents.Failed)
    def _apply_failed(self, *, is_final: bool) -> None:
        self.has_failed = True
        self.times_given_up += is_final

    @event(UploadEvents.RetryRequested)
    def _apply_retry_requested(self, options: dict[str, Any]) -> None:
        self.options = options
        self.has_failed = False
        if self.stage == "rejected" or self.is_held_back:
            self._look_anew()

    @event(UploadEvents.Downloaded)
    def _apply_downloaded(self) -> None:
        """Changes nothing: the fact is what matters."""

    @event(UploadEvents.Withdrawn)
    def _apply_withdrawn(self) -> None:
        self.stage = "withdrawn"
