"""What a process follows for its subscribers, each thing once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import UUID
from weakref import WeakKeyDictionary, WeakValueDictionary

from infrastructure.jobs.failure_feed import JobFailure
from infrastructure.search.new_hits import NewHitsFinder
from interfaces.graphql.live.changes import Changes
from interfaces.graphql.live.jobs import job_failures
from interfaces.graphql.live.projections import ProjectionStates
from interfaces.graphql.live.saved_searches import NewHitsWatch, is_of_search
from interfaces.graphql.live.uploads import upload_changes
from interfaces.graphql.upload import Upload
from projections.uploads.queries import UploadRow

if TYPE_CHECKING:
    from infrastructure.container import Container


class Sources:
    """Of one container. Nothing is asked of the database before somebody follows."""

    def __init__(self, container: Container) -> None:
        self._positions = container.positions
        self._notifications = container.notifications
        self._pool = container.pool
        self._new_hits: NewHitsWatch | None = None
        # Of workspaces that somebody follows: he holds it.
        self._uploads: WeakValueDictionary[UUID, Changes[UploadRow]] = WeakValueDictionary()

    def uploads(self, workspace_id: UUID) -> Changes[UploadRow]:
        found = self._uploads.get(workspace_id)
        if found is None:
            found = upload_changes(self._positions, self._pool, workspace_id, Upload.of)
            self._uploads[workspace_id] = found
        return found

    @cached_property
    def projections(self) -> ProjectionStates:
        def listen(on_move: Callable[[], None]) -> Callable[[], None]:
            return self._positions.listen(lambda _name, _position: on_move())

        return ProjectionStates(listen, self._pool)

    def new_hits(self, finder: NewHitsFinder) -> NewHitsWatch:
        """One for all saved searches: they wait for the same read models."""

        def listen(on_move: Callable[[], None]) -> Callable[[], None]:
            def on_any(name: str, _position: int) -> None:
                if is_of_search(name):
                    on_move()

            return self._positions.listen(on_any)

        if self._new_hits is None:
            self._new_hits = NewHitsWatch(listen, finder)
        return self._new_hits

    @cached_property
    def job_failures(self) -> Changes[JobFailure]:
        return job_failures(self._notifications, self._pool)


SOURCES: WeakKeyDictionary[Container, Sources] = WeakKeyDictionary()


def sources_of(container: Container) -> Sources:
    if container not in SOURCES:
        SOURCES[container] = Sources(container)
    return SOURCES[container]
