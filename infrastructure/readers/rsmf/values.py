"""The values of events: times, reactions, attachments, edits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from domain.message import Attachment, Edit, Precision, Reaction, Zone
from infrastructure.readers.local_time import LocalClock
from infrastructure.readers.rsmf.identity import text_id
from infrastructure.readers.rsmf.people import People
from infrastructure.readers.stamps import parse_stamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Moment(NamedTuple):
    at: datetime  # UTC
    precision: Precision
    zone: Zone


class Edits(NamedTuple):
    superseded: tuple[Edit, ...] = ()
    edited_at: datetime | None = None
    newest: str | None = None  # the text after the last edit, where it says so


def moment(value: Any, clock: LocalClock) -> Moment:
    """
    ISO 8601, with or without an offset; also what else people write for times.

    Raises:
        ValueError, OverflowError: if it is no time.
    """
    if isinstance(value, str) and len(value) >= 19 and value[13] == ":" and value[16] == ":":
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            at = None
        if at is not None:
            zone: Zone = "stated"
            if at.tzinfo is None:
                at, zone = clock.utc(at), clock.zone
            elif at.tzinfo is not UTC:
                at = at.astimezone(UTC)
            return Moment(at, precision_of(value), zone)
    stamp = parse_stamp(value, "ymd", clock)
    return Moment(stamp.at, stamp.precision, stamp.zone)


def precision_of(written: str) -> Precision:
    """Of an ISO time with seconds: how far its fraction goes."""
    if written[19:20] not in (".", ","):
        return "second"
    digits = 0
    for character in written[20:]:
        if not character.isdigit():
            break
        digits += 1
    return "millisecond" if digits <= 3 else "microsecond"


def reactions(raw: Any, people: People) -> tuple[Reaction, ...]:
    """
    Raises:
        one of reading.MALFORMED: if the value is not a list of reactions.
    """
    found: list[Reaction] = []
    for one in _listed(raw):
        value = one["value"]
        if not isinstance(value, str):
            raise TypeError(f"a reaction is {type(value).__name__}")
        ids = [text_id(id) for id in _listed(one.get("participants"))]
        authors = tuple(author.id for author in map(people.author, ids) if author is not None)
        count = one.get("count")
        total = count if isinstance(count, int) and not isinstance(count, bool) else 0
        plain = value.strip(":") or value
        found.append(Reaction(plain, authors, max(total, len(authors), 1)))
    return tuple(found)


def attachments(
    raw: dict[str, Any], files: Mapping[str, int] | None
) -> tuple[tuple[Attachment, ...], int]:
    """
    With the number of those whose file is not there.

    Args:
        files: sizes in bytes by name, of the files beside the manifest; None: it came alone.

    Raises:
        one of reading.MALFORMED: if the value is not a list of attachments.
    """
    found: list[Attachment] = []
    missing = 0
    listed = _listed(raw.get("attachments"))
    if (single := raw.get("attachment")) is not None:  # some tools write just a file's name
        listed = [*listed, {"id": single}]
    for one in listed:
        id = text_id(one.get("id"))
        display = one.get("display")
        name = display if isinstance(display, str) and display else id
        if name is None:
            raise ValueError("an attachment without an id")
        size = one.get("size")
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            size = None if files is None or id is None else files.get(id)
        missing += files is not None and id not in files
        found.append(Attachment(name, None, size))
    return tuple(found), missing


def edits(raw: Any, clock: LocalClock) -> Edits:
    """
    Oldest first, where all have times; else in the file's order.

    Raises:
        one of reading.MALFORMED: if the value is not a list of edits.
    """
    steps: list[tuple[datetime | None, dict[str, Any]]] = []
    for one in _listed(raw):
        stamp = one.get("timestamp")
        steps.append((None if stamp is None else moment(stamp, clock).at, one))
    times = [at for at, _ in steps if at is not None]
    if len(times) == len(steps):
        steps.sort(key=lambda step: step[0] or _EPOCH)
    superseded = tuple(
        Edit(one["previous"], at) for at, one in steps if isinstance(one.get("previous"), str)
    )
    newest = steps[-1][1].get("new") if steps else None
    return Edits(superseded, max(times, default=None), newest if isinstance(newest, str) else None)


def _listed(raw: Any) -> list[Any]:
    if raw is None:
        return []
    if not isinstance(raw, list):
        raise TypeError(f"a list was expected, not {type(raw).__name__}")
    return raw
