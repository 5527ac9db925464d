"""What the commands about labels have in common."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import UUID

from application.archive import Archive, NotFoundError
from application.context import Context
from application.ports.label_targets import LabelTargets
from domain.label import (
    LabelBook,
    LabelFacts,
    LabelledMessage,
    Labelling,
    LabelNotFoundError,
    not_found,
)

MOST_TARGETS = 1_000  # of one command


class LabelTargetsRefusedError(ValueError):
    """There is nothing to be labelled, or too much at once."""


class TargetNotFoundError(Exception):
    """The workspace has no such message or conversation."""


@dataclass(slots=True)
class Share:
    """What a command is about in one conversation."""

    is_whole: bool = False  # the conversation itself, too
    messages: dict[str, LabelledMessage] = field(default_factory=dict)  # by key, each once


Shares = Mapping[UUID, Share]  # by conversation


def workspace_of(context: Context) -> UUID:
    if context.workspace_id is None:
        raise NotFoundError("no workspace is named")
    return context.workspace_id


def load_book(
    archive: Archive, context: Context, label: str | UUID
) -> tuple[LabelBook, LabelFacts]:
    """
    The labels of the workspace, and the one of this id or name.

    Raises:
        LabelNotFoundError
    """
    book = archive.find(LabelBook, LabelBook.create_id(workspace_of(context)))
    if book is None:
        raise LabelNotFoundError(not_found(label))
    return book, book.find(label)


def shares_of(
    targets: LabelTargets,
    workspace_id: UUID,
    message_ids: Collection[int],
    conversation_ids: Collection[UUID],
) -> Shares:
    """
    What is to be labelled, by conversation.

    Raises:
        LabelTargetsRefusedError, TargetNotFoundError
    """
    count = len(set(message_ids)) + len(set(conversation_ids))
    if not count:
        raise LabelTargetsRefusedError("name at least one message or conversation")
    if count > MOST_TARGETS:
        raise LabelTargetsRefusedError(
            f"a command is about at most {MOST_TARGETS:,} messages and conversations"
        )
    found = targets.messages(workspace_id, set(message_ids)) if message_ids else {}
    known = targets.conversations(workspace_id, set(conversation_ids)) if conversation_ids else ()
    missing = [f"message {id_}" for id_ in message_ids if id_ not in found]
    missing += [f"conversation {id_}" for id_ in conversation_ids if id_ not in known]
    if missing:
        more = f", nor {len(missing) - 1:,} others" if len(missing) > 1 else ""
        raise TargetNotFoundError(f"there is no {missing[0]}{more}")
    shares: defaultdict[UUID, Share] = defaultdict(Share)
    for id_ in conversation_ids:
        shares[id_].is_whole = True
    for target in found.values():
        shares[target.conversation_id].messages[target.message.key] = target.message
    return shares


def put_on(archive: Archive, label: LabelFacts, shares: Shares) -> tuple[list[Labelling], int]:
    """What is to be recorded, and on how much the label was not yet."""
    changed: list[Labelling] = []
    count = 0
    for conversation_id, share in shares.items():
        messages = share.messages.values()
        labelling = archive.find(Labelling, Labelling.create_id(label.id, conversation_id))
        if labelling is None:
            changed.append(
                Labelling.begin(
                    label, conversation_id, list(messages), is_on_conversation=share.is_whole
                )
            )
            count += len(messages) + share.is_whole
        elif new := labelling.put_on(label, messages, is_on_conversation=share.is_whole):
            changed.append(labelling)
            count += new
    return changed, count


def take_off(archive: Archive, label: LabelFacts, shares: Shares) -> tuple[list[Labelling], int]:
    """What is to be recorded, and on how much the label was."""
    changed: list[Labelling] = []
    count = 0
    for conversation_id, share in shares.items():
        labelling = archive.find(Labelling, Labelling.create_id(label.id, conversation_id))
        if labelling is None:
            continue
        if old := labelling.take_off(
            label, share.messages.values(), is_on_conversation=share.is_whole
        ):
            changed.append(labelling)
            count += old
    return changed, count


def about(
    label: str | UUID, messages: Iterable[int], conversations: Iterable[UUID]
) -> dict[str, Any]:
    """What a command is about, short enough to be kept with its answer."""
    named = sorted({f"m{id_}" for id_ in messages} | {f"c{id_}" for id_ in conversations})
    return {"label": str(label), "targets": sha256(" ".join(named).encode()).hexdigest()}
