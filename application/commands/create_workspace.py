"""Create a workspace, or find the one that has this name."""

from __future__ import annotations

from dataclasses import dataclass, replace

from application.archive import Accepted, Archive, Decision
from application.context import Context
from application.uploads import settle
from domain.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateWorkspace:
    name: str


class CreateWorkspaceHandler:
    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def __call__(self, command: CreateWorkspace, context: Context) -> Accepted:
        """
        Idempotent: names that differ only in case or surrounding space are the same workspace.

        Returns:
            The result has `workspace_id`, `name` (as it was created) and `is_new`.

        Raises:
            WorkspaceNameError
        """
        workspace = Workspace.create(command.name)

        def decide() -> Decision:
            known = self._archive.find(Workspace, workspace.id)
            if known is not None:
                return [], answer(known, is_new=False)
            created = Workspace.create(command.name)
            return [created], answer(created, is_new=True)

        context = replace(context, workspace_id=workspace.id)
        return settle(self._archive, context, "CreateWorkspace", decide)


def answer(workspace: Workspace, *, is_new: bool) -> dict[str, str | bool]:
    return {"workspace_id": str(workspace.id), "name": workspace.name, "is_new": is_new}
