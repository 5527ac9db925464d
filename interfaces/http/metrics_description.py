"""What `GET /metrics` answers."""

from __future__ import annotations

from http import HTTPStatus

from interfaces.http.describing import Answer, Content, Operation

METRICS = Operation(
    id="measure",
    tag="health",
    summary="Measurements, for Prometheus",
    description="Of all processes of this instance, within 2.5 seconds whatever state the database "
    "is in. No label holds personal data.",
    answers={
        HTTPStatus.OK: Answer(
            description="In the text format of Prometheus.",
            content={
                "text/plain": Content(
                    schema={"type": "string"},
                    example="chatledger_database_up 1\n",
                )
            },
        )
    },
)
