"""Every job by name: the one list of what workers can do."""

from __future__ import annotations

from typing import Protocol

from procrastinate import App

from interfaces.jobs.labels import LabelJobHandlers, add_label_jobs
from interfaces.jobs.projections import ProjectionHandlers, add_projection_jobs
from interfaces.jobs.uploads import UploadHandlers, add_upload_jobs


class JobHandlers(UploadHandlers, LabelJobHandlers, ProjectionHandlers, Protocol):
    """What jobs need of the container. All of it is called in threads, several at a time."""


def register_tasks(app: App, container: JobHandlers) -> None:
    add_upload_jobs(app, container)
    add_label_jobs(app, container)
    add_projection_jobs(app, container)
