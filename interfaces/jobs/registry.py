"""Every job by name: the one list of what workers can do."""

from __future__ import annotations

from typing import Any, Protocol

from procrastinate import App
from psycopg_pool import ConnectionPool

from interfaces.jobs.projections import ProjectionSteps, add_projection_jobs
from interfaces.jobs.uploads import UploadHandlers, add_upload_jobs


class JobHandlers(UploadHandlers, Protocol):
    """What jobs need of the container. All of it is called in threads, several at a time."""

    @property
    def pool(self) -> ConnectionPool[Any]: ...

    @property
    def runner(self) -> ProjectionSteps: ...


def register_tasks(app: App, container: JobHandlers) -> None:
    add_upload_jobs(app, container)
    add_projection_jobs(app, container.runner, container.pool)
