"""Jobs about labels."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from procrastinate import App

from application.commands.carry_labels import CarryLabels
from infrastructure.jobs.retry import BackOff

PATIENT = BackOff(max_attempts=5)


class CarryLabelsOf(Protocol):
    def __call__(self, command: CarryLabels) -> None: ...


class Labels(Protocol):
    @property
    def carry(self) -> CarryLabelsOf: ...


class LabelJobHandlers(Protocol):
    @property
    def labels(self) -> Labels: ...


def add_label_jobs(app: App, handlers: LabelJobHandlers) -> None:
    @app.task(name="labels:carry", queue="reading", retry=PATIENT)
    def carry(*, upload_id: str, **_newer: object) -> None:
        handlers.labels.carry(CarryLabels(upload_id=UUID(upload_id)))
