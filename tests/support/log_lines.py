"""What the application logs, gathered as it comes out."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from infrastructure.logging import configure_logging
from infrastructure.settings import LogLevel


class Lines:
    def __init__(self, stream: io.StringIO) -> None:
        self._stream = stream

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    def all(self, event: str | None = None, **facts: Any) -> list[dict[str, Any]]:
        """Those of this event that say these facts, in order."""
        lines = [json.loads(line) for line in self.text.split("\n")[:-1]]
        return [
            line
            for line in lines
            if event in {None, line["event"]} and facts.items() <= line.items()
        ]


@contextmanager
def logged(level: LogLevel = "info") -> Iterator[Lines]:
    """As JSON, from the root on; at the end logging is as it was."""
    root = logging.getLogger()
    handlers, before = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logging(form="json", level=level, stream=stream)
    try:
        yield Lines(stream)
    finally:
        root.handlers[:] = handlers
        root.setLevel(before)
        logging.captureWarnings(capture=False)
