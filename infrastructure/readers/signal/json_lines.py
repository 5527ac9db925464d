"""Files of one JSON value a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from application.ports.chat_reader import ExportFile, ReadWarning
from infrastructure.readers.json_values import TooDeepError, UnparsableJsonError, parse
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.text_stream import read_lines

Line = tuple[int, str, Any]  # its number, how it is written, and its value


def json_lines(file: ExportFile, repairs: Repairs) -> Iterator[Line | ReadWarning]:
    """
    Yields a warning in place of a line that is no JSON; a fatal one if it is the last: then the
    file is cut off there.
    """
    broken: ReadWarning | None = None
    for number, line in enumerate(read_lines(file, repairs), start=1):
        if not line or line.isspace():
            continue
        if broken is not None:
            yield broken
            broken = None
        try:
            value = _value(line, repairs, number)
        except TooDeepError as error:
            yield ReadWarning(file.name, number, f"{error}; line skipped")
        except UnparsableJsonError as error:
            broken = ReadWarning(file.name, number, f"broken JSON: {error}; line skipped")
        else:
            yield number, line, value
    if broken is not None:
        reason = f"the last line is no whole JSON value, the file seems cut off: {broken.reason}"
        yield broken._replace(reason=reason, is_fatal=True)


def _value(line: str, repairs: Repairs, number: int) -> Any:
    if "\\u0000" not in line:
        try:
            return orjson.loads(line)
        except orjson.JSONDecodeError:
            return parse(line.encode("utf-8", "replace"), repairs, number)
    return parse(line.encode("utf-8", "replace"), repairs, number)
