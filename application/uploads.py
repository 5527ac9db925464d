"""What the commands about uploads have in common."""

from __future__ import annotations

import itertools
import re
import time
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Literal, get_args
from uuid import UUID
from zoneinfo import available_timezones

from eventsourcing.persistence import IntegrityError

from application.archive import NOTHING, Accepted, Archive, Decision, NotFoundError
from application.context import SYSTEM, Context
from application.ports.chat_reader import DateOrder
from domain.upload import Stage, Upload

# What of an export may become part of a conversation that is there: whatever is the same chat; what
# has its id, or where there are none its name; nothing.
Merge = Literal["auto", "ids", "never"]
MAX_FILENAME = 255  # characters
MAX_SUFFIX = 20  # characters of a long name's ending that are kept: ".tar.gz"
MAX_COLUMNS = 50
LOOK_SECONDS = 1.0  # between two looks at whether an upload was withdrawn
ATTEMPTS = 20  # each lost race means that somebody else recorded something
# Control characters; lone surrogates, which no database takes; what turns the reading direction
# around, so that "exe.txt" may be shown for "txt.exe"; line separators.
UNWANTED = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u200e\u200f\u2028-\u202e\u2066-\u2069]")
SPACES = re.compile(r"\s+")


# Where the upload is further, somebody else has done what this step failed to do.
UNFINISHED: Mapping[str, frozenset[Stage]] = {
    "reading": frozenset({"received", "inspected", "reading"}),
    "embedding": frozenset({"read"}),
}


class UploadOptionsError(ValueError):
    """What the uploader said about the file cannot be meant."""


def clean_filename(given: str) -> str:
    """A name to show and to recognise formats by. It is never used as a path."""
    last = re.split(r"[/\\]", given)[-1]
    name = SPACES.sub(" ", UNWANTED.sub("", unicodedata.normalize("NFC", last))).strip()
    if name in {"", ".", ".."}:
        return "unnamed"
    if len(name) <= MAX_FILENAME:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not dot or len(suffix) > MAX_SUFFIX:
        return name[:MAX_FILENAME]
    return stem[: MAX_FILENAME - len(suffix) - 1] + dot + suffix


def check_options(given: Mapping[str, Any], formats: Collection[str] | None) -> dict[str, Any]:
    """
    The options that were given, without those that say nothing.

    Args:
        formats: those that can be read; None if that is not known here.

    Raises:
        UploadOptionsError: with a sentence that says what is possible.
    """
    options = {name: value for name, value in given.items() if value}
    unknown = options.keys() - {"timezone", "date_order", "format", "columns", "merge"}
    if unknown:
        raise UploadOptionsError(f"there is no option {min(unknown)!r}")
    timezone, order, name = (options.get(key) for key in ("timezone", "date_order", "format"))
    if timezone and timezone not in timezones():
        raise UploadOptionsError(
            f"{timezone!r} is no time zone; say it as in the IANA list, such as 'Europe/Berlin'"
        )
    if order and order not in get_args(DateOrder):
        raise UploadOptionsError(
            f"the date order is one of {', '.join(get_args(DateOrder))}, not {order!r}"
        )
    if name and formats is not None and name not in formats:
        raise UploadOptionsError(
            f"no reader for the format {name!r}; there are {', '.join(sorted(formats))}"
        )
    merge = options.get("merge")
    if merge and merge not in get_args(Merge):
        raise UploadOptionsError(
            f"merge is one of {', '.join(get_args(Merge))}, not {merge!r}: `auto` merges what is "
            "the same chat, `ids` only what the source's own ids and names say, `never` nothing"
        )
    columns = options.get("columns", {})
    if len(columns) > MAX_COLUMNS:
        raise UploadOptionsError(f"at most {MAX_COLUMNS} columns can be named")
    return options


@lru_cache(maxsize=1)
def timezones() -> frozenset[str]:
    return frozenset(available_timezones())


def load_upload(archive: Archive, context: Context, id: UUID) -> Upload:
    """
    Raises:
        NotFoundError: if this workspace has none with this id.
    """
    upload = archive.load(Upload, id)
    if upload.workspace_id != context.workspace_id:
        raise NotFoundError(f"no upload {id}")
    return upload


def standing_upload(archive: Archive, workspace_id: UUID, blob: str) -> tuple[int, Upload | None]:
    """How many uploads of these bytes were withdrawn, and the one that was not, if there is one."""
    for withdrawals in itertools.count():
        upload = archive.find(Upload, Upload.create_id(workspace_id, blob, withdrawals))
        if upload is None or upload.stage != "withdrawn":
            return withdrawals, upload
    raise AssertionError("unreachable")


class UntilWithdrawn:
    """
    Whether a job on an upload should stop: when it is told to, and soon after the withdrawal.

    Asked between any two messages; looks into the log once a second at most.
    """

    def __init__(self, archive: Archive, id: UUID, should_stop: Callable[[], bool]) -> None:
        self._archive = archive
        self._id = id
        self._should_stop = should_stop
        self._looked_at = time.monotonic()
        self.is_withdrawn = False

    def __call__(self) -> bool:
        now = time.monotonic()
        if now - self._looked_at >= LOOK_SECONDS and not self.is_withdrawn:
            self._looked_at = now
            self.is_withdrawn = self._archive.load(Upload, self._id).stage == "withdrawn"
        return self.is_withdrawn or self._should_stop()


def system_context(archive: Archive, upload: Upload) -> Context:
    """Of a job: it acts on the upload's last event, as part of the request that came from."""
    return job_context(archive, upload.id, upload.workspace_id)


def job_context(archive: Archive, stream: UUID, workspace_id: UUID | None = None) -> Context:
    """The same of any stream; no workspace means the instance."""
    cause = archive.event_log.last_of(stream)
    context = Context(actor_id=SYSTEM, workspace_id=workspace_id)
    if cause is None:
        return context
    context = replace(context, correlation_id=cause.correlation_id)
    return context.caused_by(cause.position)


def amend(
    archive: Archive,
    context: Context,
    id: UUID,
    change: Callable[[Upload], bool],
) -> Upload:
    """
    Record a job's next fact about an upload that others may have changed meanwhile.

    Args:
        change: triggers the event if the upload as it is now still permits it, and says whether.

    Returns:
        The upload as it is now, changed or not.
    """
    for attempts_left in reversed(range(ATTEMPTS)):
        upload = archive.load(Upload, id)
        if not change(upload):
            break
        try:
            archive.record(context, upload)
        except IntegrityError:
            if not attempts_left:
                raise
        else:
            break
    return upload


def settle(
    archive: Archive,
    context: Context,
    name: str,
    decide: Callable[[], Decision],
    about: Mapping[str, Any] = NOTHING,
) -> Accepted:
    """Carry out a command once; decide again if somebody else was quicker. `decide` loads anew."""
    for _ in range(ATTEMPTS - 1):
        try:
            return archive.once(context, name, decide, about)
        except IntegrityError:
            continue  # what it decided on has changed
    return archive.once(context, name, decide, about)
