"""Delete a label, for good, and take it off whatever it is on."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from application.archive import Accepted, Archive, Decision
from application.context import Context
from application.labels import load_book
from application.uploads import settle


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteLabel:
    label: str | UUID  # its name or its id


class DeleteLabelHandler:
    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def __call__(self, command: DeleteLabel, context: Context) -> Accepted:
        """
        Returns:
            The result has `label_id`.

        Raises:
            LabelNotFoundError: if this workspace has no such label.
            CommandIdReusedError
        """

        def decide() -> Decision:
            book, label = load_book(self._archive, context, command.label)
            book.delete(label)
            return [book], {"label_id": str(label.id)}

        about = {"label": str(command.label)}
        return settle(self._archive, context, "DeleteLabel", decide, about)
