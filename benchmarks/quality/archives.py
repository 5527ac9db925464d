"""Labelled messages in real archives: uploaded as an export, read, embedded, and read back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np

from application.commands.embed_upload import EmbedUpload
from application.commands.read_upload import ReadUpload
from application.ports.search import Hit
from benchmarks.database import advance
from benchmarks.quality.sets import LabelledSet
from infrastructure.container import Container
from interfaces.cli.actor import cli_context
from interfaces.cli.ingesting import ensure_workspace, send

BEGIN = datetime(2024, 5, 1, tzinfo=UTC).timestamp()
DAY = 86_400.0  # seconds
PEOPLE = 200  # who take turns, where nobody is named
PAUSE = 600.0  # seconds between their messages
STORED = "SELECT message_id, message_key, text_key FROM read.message WHERE workspace_id = %s"


class Line(NamedTuple):
    """One message of an export; its id is its row in the labelled set."""

    id: str
    conversation: str
    author: str
    timestamp: int  # seconds since 1970
    text: str


@dataclass(frozen=True)
class Archived:
    """A workspace that holds the messages of a labelled set, or most of them."""

    workspace_id: UUID
    labelled: LabelledSet
    rows: Mapping[int, int]  # by message id
    same: Mapping[UUID, Sequence[int]] = field(default_factory=dict)  # rows by their text's key

    def stood_for(self, hit: Hit) -> list[int]:
        """The rows of all messages that a hit stands for, the one that is shown first."""
        found = {self.rows[hit.message.id]: None}
        for key in hit.stands_for:
            more = [self.rows[key]] if isinstance(key, int) else self.same.get(key, ())
            found |= dict.fromkeys(more)
        return list(found)


def conversations(labelled: LabelledSet, *, without: Sequence[int] = ()) -> list[Line]:
    """
    As they were said, each source file a day after the one before.

    Args:
        without: rows that the archive shall not have.
    """
    assert labelled.conversation is not None
    left_out = set(without)
    return [
        Line(str(row), f"#{channel}", said.name, round(BEGIN + channel * 7 * DAY + said.at), text)
        for row, (said, channel, text) in enumerate(
            zip(labelled.said, labelled.conversation.tolist(), labelled.texts, strict=True)
        )
        if row not in left_out
    ]


def unrelated(labelled: LabelledSet) -> list[Line]:
    """In random order, by people who take turns: neighbours have nothing to do with each other."""
    order = np.random.default_rng(0).permutation(len(labelled.texts)).tolist()
    return [
        Line(
            str(row),
            "#support",
            f"Customer {place % PEOPLE + 1:03}",
            round(BEGIN + place * PAUSE),
            labelled.texts[row],
        )
        for place, row in enumerate(order)
    ]


def archive(
    container: Container, folder: Path, name: str, labelled: LabelledSet, told: Sequence[Line]
) -> Archived:
    """A workspace of its own, as uploading the messages makes it."""
    export = folder / f"{name}.jsonl"
    export.write_text("".join(json.dumps(line._asdict()) + "\n" for line in told))
    export.chmod(0o644)
    workspace_id = ensure_workspace(container, name, cli_context(None))
    upload_id, _ = send(container, export, context=cli_context(workspace_id), options={})
    container.read_upload(ReadUpload(upload_id=upload_id), should_stop=lambda: False)
    advance(container)
    container.embed_upload(EmbedUpload(upload_id=upload_id), should_stop=lambda: False)
    advance(container)
    return read_back(container, workspace_id, labelled, expected=len(told))


def read_back(
    container: Container, workspace_id: UUID, labelled: LabelledSet, *, expected: int
) -> Archived:
    """
    Raises:
        RuntimeError: if the archive has fewer messages than were uploaded, or others.
    """
    with container.pool.connection() as connection:
        found: list[Any] = connection.execute(STORED, (workspace_id,)).fetchall()
    if len(found) != expected:
        raise RuntimeError(f"{expected} messages were uploaded, and {len(found)} are there")
    rows = {message_id: int(key) for message_id, key, _ in found}
    same: dict[UUID, list[int]] = {}
    for message_id, _, text_key in found:
        if text_key is not None:
            same.setdefault(text_key, []).append(rows[message_id])
    return Archived(workspace_id, labelled, rows, same)
