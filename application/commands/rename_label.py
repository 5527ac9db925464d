"""Call a label otherwise. It stays on whatever it is on."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from application.archive import Accepted, Archive, Decision
from application.context import Context
from application.labels import load_book
from application.uploads import settle


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameLabel:
    label: str | UUID  # its name or its id
    name: str


class RenameLabelHandler:
    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def __call__(self, command: RenameLabel, context: Context) -> Accepted:
        """
        Returns:
            The result has `label_id`.

        Raises:
            LabelNotFoundError: if this workspace has no such label.
            LabelRefusedError: the name is outside its limits.
            LabelNameTakenError: by another label.
            CommandIdReusedError
        """

        def decide() -> Decision:
            book, label = load_book(self._archive, context, command.label)
            book.rename(label, command.name)
            return [book], {"label_id": str(label.id)}

        about = {"label": str(command.label), "name": command.name}
        return settle(self._archive, context, "RenameLabel", decide, about)
