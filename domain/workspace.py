"""A workspace: an archive of its own, separate from every other."""

from __future__ import annotations

from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.aggregate import CHATLEDGER_NAMESPACE, Aggregate, Creation

MAX_NAME = 100  # characters


class WorkspaceNameError(ValueError):
    """A workspace's name is 1 to 100 printable characters."""


class UnknownWorkspaceError(Exception):
    """There is no workspace of this name, or it is not the actor's."""


class Workspace(Aggregate):
    TOPIC = "workspace"

    class Created(Creation):
        TOPIC = "workspace.created"
        name: str

    @staticmethod
    def create_id(name: str) -> UUID:
        """Names that differ only in case or surrounding space are the same workspace."""
        return uuid5(CHATLEDGER_NAMESPACE, f"workspace/{name.strip().casefold()}")

    @classmethod
    def create(cls, name: str) -> Workspace:
        name = name.strip()
        if not (0 < len(name) <= MAX_NAME and name.isprintable()):
            raise WorkspaceNameError(
                f"a workspace's name is 1 to {MAX_NAME} printable characters, not {name[:120]!r}"
            )
        return cls._create(cls.Created, id=cls.create_id(name), name=name)

    @event(Created)
    def __init__(self, *, name: str) -> None:
        self.name = name
