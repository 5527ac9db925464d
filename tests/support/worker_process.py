"""A worker as a process of its own, for tests that kill it: alone, or beside a web server."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import AsyncIterator

import uvicorn
from starlette.applications import Starlette

from infrastructure.jobs.worker import InProcessWorker, run_until_signalled
from tests.support.jobs import HURRIED, make_marking_app

ABANDONED = 3  # exit status: a job did not end in time


def main(kind: str, url: str) -> None:
    app = make_marking_app(url)
    if kind == "alone":
        is_clean = run_until_signalled(app, HURRIED)
        os._exit(0 if is_clean else ABANDONED)
    worker = InProcessWorker(app, HURRIED)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        worker.start()
        yield
        worker.stop()

    server = Starlette(lifespan=lifespan)
    uvicorn.run(server, uds=sys.argv[3], log_level="error")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
