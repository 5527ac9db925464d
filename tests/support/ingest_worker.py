"""A worker of the whole application as a process of its own, for tests that kill it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from infrastructure.bootstrap import open_container
from infrastructure.jobs.app import make_app
from infrastructure.jobs.worker import run_until_signalled
from infrastructure.jobs.worker_settings import WorkerSettings
from infrastructure.settings import Settings
from interfaces.cli.running import projections_woken
from interfaces.jobs.registry import register_tasks
from tests.support.fake_embedder import HashEmbedder

# A dead worker is noticed at once: the test kills many.
HURRIED = WorkerSettings(
    poll_seconds=0.1,
    sweep_seconds=0.3,
    reap_seconds=0.2,
    heartbeat_seconds=0.2,
    stalled_seconds=1.0,
)


def settings_for(url: str, folder: Path) -> Settings:
    return Settings.from_env(
        {"DATABASE_URL": url, "CHATLEDGER_DATA_DIR": str(folder), "CHATLEDGER_MASTER_KEY": KEY}
    )


KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="  # not a secret: for tests


def main(url: str, folder: str) -> None:
    with (
        open_container(
            settings_for(url, Path(folder)), make_embedder=lambda _: HashEmbedder()
        ) as container,
        projections_woken(container),
    ):
        app = make_app(container.conninfo)
        register_tasks(app, container)
        print("working", flush=True)  # noqa: T201
        run_until_signalled(app, HURRIED)
        os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
