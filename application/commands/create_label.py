"""Make a label, for messages and conversations of one workspace."""

from __future__ import annotations

from dataclasses import dataclass

from application.archive import Accepted, Archive, Decision
from application.context import Context
from application.labels import workspace_of
from application.uploads import settle
from domain.label import LabelBook


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateLabel:
    name: str
    colour: str | None = None  # "#rrggbb"
    description: str | None = None


class CreateLabelHandler:
    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def __call__(self, command: CreateLabel, context: Context) -> Accepted:
        """
        Returns:
            The result has `label_id` and `name`.

        Raises:
            LabelRefusedError: the name, colour or description is outside its limits.
            LabelNameTakenError: whatever the case of its letters.
            CommandIdReusedError
        """
        workspace_id = workspace_of(context)

        def decide() -> Decision:
            book = self._archive.find(LabelBook, LabelBook.create_id(workspace_id))
            book = book or LabelBook.open(workspace_id)
            id_ = book.create(command.name, colour=command.colour, description=command.description)
            return [book], {"label_id": str(id_)}

        return settle(self._archive, context, "CreateLabel", decide, {"name": command.name})
