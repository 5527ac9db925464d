"""
Carry labels over to where a reading has put the messages of an export.

An upload is read again when its conversation turns out to be another one's, or because somebody
withdrew it and sent the same file once more. Mostly its messages keep conversation and key, by
which labels know them. But where their conversation has become another, both are new. The same
bytes give the same batches: so each message is found again by its place in the file.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from application.archive import Archive, Decision
from application.labels import Share, put_on
from application.uploads import settle, system_context
from domain.label import LabelBook, LabelFacts, LabelledMessage, Labelling
from domain.transcript import IDS_PER_POSITION, Transcript
from domain.upload import Upload


@dataclass(frozen=True, slots=True, kw_only=True)
class CarryLabels:
    upload_id: UUID


class Told(NamedTuple):
    conversation_id: UUID
    text: str
    message: LabelledMessage


class CarryLabelsHandler:
    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def __call__(self, command: CarryLabels) -> None:
        """Once for each upload: what somebody has taken off since is not put on again."""
        upload = self._archive.load(Upload, command.upload_id)
        before = self._reading_before(upload)
        if before is None or upload.stage == "withdrawn":
            return
        moves = moved(before, upload)
        labels = self._labels(upload.workspace_id)
        if not (moves and labels):
            return
        context = replace(
            system_context(self._archive, upload), command_id=uuid5(upload.id, "labels/carry")
        )

        def decide() -> Decision:
            changed: list[Labelling] = []
            for label, shares in self._carried(labels, moves, before, upload).items():
                changed += put_on(self._archive, label, shares)[0]
            return changed, {}

        settle(self._archive, context, "CarryLabels", decide)

    def _reading_before(self, upload: Upload) -> Upload | None:
        """The last one of the same bytes that has recorded anything."""
        found = None
        for number in itertools.count():
            id_ = Upload.create_id(upload.workspace_id, upload.blob, number)
            if id_ == upload.id:
                return found
            earlier = self._archive.find(Upload, id_)
            if earlier is None:
                return found
            if next(self._told(earlier.id), None) is not None:
                found = earlier
        raise AssertionError("unreachable")

    def _labels(self, workspace_id: UUID) -> list[LabelFacts]:
        book = self._archive.find(LabelBook, LabelBook.create_id(workspace_id))
        return [] if book is None else [LabelFacts(*pair) for pair in book.names.items()]

    def _carried(
        self,
        labels: list[LabelFacts],
        moves: Mapping[UUID, Collection[UUID]],
        before: Upload,
        upload: Upload,
    ) -> dict[LabelFacts, dict[UUID, Share]]:
        """What each label is to be put on."""
        carried: defaultdict[LabelFacts, dict[UUID, Share]] = defaultdict(dict)
        wanted: defaultdict[tuple[UUID, str], list[LabelFacts]] = defaultdict(list)
        for label, old in itertools.product(labels, moves):
            labelling = self._archive.find(Labelling, Labelling.create_id(label.id, old))
            if labelling is None:
                continue
            if labelling.is_on_conversation:
                for new in moves[old]:
                    carried[label].setdefault(new, Share()).is_whole = True
            for key in labelling.keys:
                wanted[old, key].append(label)
        if wanted:
            for was, now in zip(self._told(before.id), self._told(upload.id), strict=False):
                if was is None or now is None or was.text != now.text:
                    continue  # erased; or another reader has read the file otherwise
                for label in wanted.get((was.conversation_id, was.message.key), ()):
                    share = carried[label].setdefault(now.conversation_id, Share())
                    share.messages[now.message.key] = now.message
        return carried

    def _told(self, upload_id: UUID) -> Iterator[Told | None]:
        """What an upload recorded, in the order of its file; None where the author was erased."""
        for batch in itertools.count():
            stream = Transcript.create_id(upload_id, batch)
            event: Any = next(iter(self._archive.events.get(stream)), None)
            place = self._archive.event_log.last_of(stream)
            if event is None or place is None:
                return
            yield from told(event, place.position)


def told(event: Any, position: int) -> list[Told | None]:
    found: list[Told | None] = [None] * len(event.slots)
    for subject, block in event.blocks.items():
        for ordinal, fields in block["messages"]:
            conversation = event.conversations[event.slots[ordinal][0]]
            id_ = position * IDS_PER_POSITION + ordinal
            message = LabelledMessage(id_, fields["key"], UUID(subject))
            found[ordinal] = Told(UUID(conversation), fields["text"], message)
    return found


def moved(before: Upload, now: Upload) -> dict[UUID, set[UUID]]:
    """
    Conversations in which messages of the export were, and are not any more; and what each of them
    has become, if it is part of another one now.
    """
    was, is_ = places(before), places(now)
    found: dict[UUID, set[UUID]] = {}
    for own in was.keys() | is_.keys():
        old, new = was.get(own, own), is_.get(own, own)
        if old != new:
            found.setdefault(old, set()).update({new} - {own})
    return found


def places(upload: Upload) -> dict[UUID, UUID]:
    """What the conversations of an upload are by their source's id -> what they are here."""
    return {UUID(match["own"]): UUID(match["into"]) for match in upload.matches}
