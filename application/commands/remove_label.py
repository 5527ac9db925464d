"""Take a label off messages and conversations."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from application.archive import Accepted, Archive, Decision
from application.context import Context
from application.labels import about, load_book, shares_of, take_off, workspace_of
from application.ports.label_targets import LabelTargets
from application.uploads import settle


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveLabel:
    label: str | UUID  # its name or its id
    message_ids: tuple[int, ...] = ()
    conversation_ids: tuple[UUID, ...] = ()


class RemoveLabelHandler:
    def __init__(self, archive: Archive, targets: LabelTargets) -> None:
        self._archive = archive
        self._targets = targets

    def __call__(self, command: RemoveLabel, context: Context) -> Accepted:
        """
        Harmless to repeat: what does not have the label is left alone, and nothing
        is recorded of it.

        Returns:
            The result has `label_id`, and `changed`: on how much it changed something.

        Raises:
            LabelNotFoundError: if this workspace has no such label.
            LabelTargetsRefusedError: nothing is named, or more than 1,000.
            TargetNotFoundError: if this workspace does not have one of them; then nothing is done.
            CommandIdReusedError
        """
        named = (command.message_ids, command.conversation_ids)

        def decide() -> Decision:
            _, label = load_book(self._archive, context, command.label)
            shares = shares_of(self._targets, workspace_of(context), *named)
            changed, count = take_off(self._archive, label, shares)
            return changed, {"label_id": str(label.id), "changed": count}

        return settle(self._archive, context, "RemoveLabel", decide, about(command.label, *named))
