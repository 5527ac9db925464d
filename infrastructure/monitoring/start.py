"""What a process does first, so that all it does later can be seen."""

from __future__ import annotations

import logging
import sys

from infrastructure.discretion import describe
from infrastructure.logging import configure_logging
from infrastructure.monitoring.exposition import own_version
from infrastructure.observability.sharing import share
from infrastructure.observability.tracing import start_tracing
from infrastructure.saying import speak
from infrastructure.settings import LogLevel, Settings

log = logging.getLogger(__name__)

LASTING = frozenset({"serve", "worker"})  # roles of processes that run until they are stopped


def start_observing(settings: Settings, *, role: str, is_verbose: bool = False) -> None:
    """
    Logs, metrics and traces of this process, before it opens anything else. In every process
    that is started, also in those that another one starts. Harmless to repeat.

    Args:
        role: the command that runs. Only the lasting ones log all that they do, and add their
            metrics to those of others.
    """
    is_lasting = role in LASTING
    default: LogLevel = "info" if is_lasting else "warning"
    form = settings.log_format or ("text" if sys.stderr.isatty() else "json")
    configure_logging(form=form, level=settings.log_level or default, is_verbose=is_verbose)
    speak(in_lines=is_lasting and form == "json")
    if is_lasting:
        try:
            share(settings.metrics_dir, role=role)
        except OSError as error:
            log.warning("metrics are of this process alone: %s", describe(error))
    start_tracing(settings.otlp_endpoint, role=role, version=own_version())
