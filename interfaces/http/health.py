"""GET /healthz and /readyz: for whoever restarts processes and sends them requests."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict
from http import HTTPStatus
from typing import Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from infrastructure.monitoring.readiness import Readiness, Report
from interfaces.http.describing import Answer, Content, DescribedRoute, Operation, closed_object
from interfaces.http.parameters import no_parameters
from interfaces.http.problems import RETRY_SECONDS, problem
from interfaces.http.transfers import NOT_STORED, Threads

FRESH_SECONDS = 1.0  # so that no number of probes is a load
ANSWER_SECONDS = 2.4


class HealthContainer(Protocol):
    @property
    def readiness(self) -> Readiness: ...


class Probe:
    """Looks for all who ask at the same time at once."""

    def __init__(self, container: HealthContainer) -> None:
        self._container = container
        self._threads = Threads(1)  # never in those of requests, which may all be waiting
        self._looking: asyncio.Task[Report] | None = None
        self._report: Report | None = None
        self._looked_at = float("-inf")

    async def report(self) -> Report | None:
        """None if it takes too long to find out."""
        if time.monotonic() - self._looked_at < FRESH_SECONDS:
            return self._report
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            # Shielded: who gives up waiting must not end it for the others.
            return await asyncio.wait_for(asyncio.shield(self._looking), ANSWER_SECONDS)
        except TimeoutError:
            return None

    async def _look(self) -> Report:
        self._report = await self._threads.run(self._container.readiness.look)
        self._looked_at = time.monotonic()
        return self._report


def health_routes(container: HealthContainer) -> list[DescribedRoute]:
    probe = Probe(container)

    async def readyz(request: Request) -> Response:
        no_parameters(request)
        report = await probe.report()
        checks = [] if report is None else [asdict(check) for check in report.checks]
        if report is not None and report.is_ready:
            content = {"status": "ready", "checks": checks}
            return JSONResponse(content, headers={"Cache-Control": NOT_STORED})
        failed = [check["name"] for check in checks if check["status"] == "failed"]
        detail = f"not ready: {', '.join(failed)}" if failed else "it takes too long to find out"
        answer = problem(HTTPStatus.SERVICE_UNAVAILABLE, "not_ready", detail, checks=checks)
        answer.headers["Retry-After"] = str(RETRY_SECONDS)
        return answer

    return [
        DescribedRoute("/healthz", healthz, {"GET": HEALTHZ}),
        DescribedRoute("/readyz", readyz, {"GET": READYZ}),
    ]


async def healthz(request: Request) -> Response:
    """The process answers. Whether it can do its work is another question."""
    no_parameters(request)
    return JSONResponse({"status": "ok"}, headers={"Cache-Control": NOT_STORED})


CHECK = closed_object(
    {
        "name": {"type": "string", "description": "What was looked at."},
        "status": {
            "type": "string",
            "enum": ["ok", "warning", "failed"],
            "description": "A warning is for people: requests are served all the same.",
        },
        "reason": {"type": "string", "description": "Why, in words; never personal data."},
    }
)
READY = closed_object(
    {
        "status": {"type": "string", "const": "ready"},
        "checks": {"type": "array", "items": CHECK},
    }
)
HEALTHZ = Operation(
    id="isAlive",
    tag="health",
    summary="Does the process live?",
    description="It does if it answers. Restart it if it does not; for anything else see /readyz.",
    answers={
        HTTPStatus.OK: Answer(
            description="It lives.",
            content={
                "application/json": Content(
                    schema=closed_object({"status": {"type": "string", "const": "ok"}}),
                    example={"status": "ok"},
                )
            },
        )
    },
)
READYZ = Operation(
    id="isReady",
    tag="health",
    summary="Can the process do its work?",
    description="""
Looks at the database, the schema's revision, every read model, notifications, the disk, workers,
the search model and the FAISS index. Answers within 2.5 seconds, also while the database hangs, and
looks at most once a second. Do not restart a process for not being ready: send requests to another
one.
""",
    answers={
        HTTPStatus.OK: Answer(
            description="It can. Warnings do not keep it from its work.",
            content={
                "application/json": Content(
                    schema=READY,
                    example={
                        "status": "ready",
                        "checks": [{"name": "database", "status": "ok", "reason": "it answers"}],
                    },
                )
            },
        )
    },
    problems={
        HTTPStatus.SERVICE_UNAVAILABLE: {
            "not_ready": "it cannot; `checks` says why, in the form of 200"
        }
    },
)
