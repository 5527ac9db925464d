"""A pass in a process of its own, which is measured, and ended when it takes too long."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Mapping
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from application.ports.chat_reader import (
    ChatReader,
    ReadFacts,
    ReadOptions,
    UnreadableExportError,
)
from infrastructure.readers.containers.unpacking import Unpacked
from infrastructure.readers.promises import BrokenPromiseError
from infrastructure.readers.testing.files import GrownFile
from infrastructure.readers.testing.running import (
    ContractBrokenError,
    checked,
    seconds_allowed,
)

_HIGH_WATER = re.compile(r"VmHWM:\s*(\d+) kB")
_RESET_HIGH_WATER = "5"  # what Linux takes for it


class Measured(NamedTuple):
    items: int
    digest: str  # of all items, in their order
    grown: int  # bytes of memory, at the most, beyond what the process had before


def measured(
    reader: ChatReader, file: GrownFile, case: str, environment: Mapping[str, str] | None = None
) -> Measured:
    """
    Args:
        reader: of a class that can be imported, and is made without arguments.
        environment: variables of the process that are other than here.

    Raises:
        ContractBrokenError: for any exception but UnreadableExportError, for an item that is not
            as it has to be, for too much processor time.
    """
    kind = type(reader)
    allowed = seconds_allowed(file.size)
    task = {
        "reader": [kind.__module__, kind.__qualname__],
        "parts": [b64encode(part).decode() for part in (file.head, file.unit, file.tail)],
        "length": file.length,
        "name": file.name,
        "seconds": int(allowed) + 1,
    }
    done = subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-m", __name__],
        input=json.dumps(task).encode(),
        capture_output=True,
        env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **(environment or {})},
        check=False,
    )
    if done.returncode == -signal.SIGXCPU:
        raise ContractBrokenError(
            f"{case}: took more than {allowed:.0f} s of processor time for {file.size:,} bytes"
        )
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["nothing"]
        raise ContractBrokenError(f"{case}: ended with status {done.returncode}: {said[-1]}")
    answer = json.loads(done.stdout)
    return Measured(answer["items"], answer["digest"], answer["grown"])


def main() -> None:
    import resource

    task = json.load(sys.stdin)
    resource.setrlimit(resource.RLIMIT_CPU, (task["seconds"], task["seconds"] + 5))
    module, name = task["reader"]
    reader: Any = import_module(module)
    for part in name.split("."):
        reader = getattr(reader, part)
    head, unit, tail = map(b64decode, task["parts"])
    small = GrownFile(head, b"", 0, tail, task["name"])
    file = GrownFile(head, unit, task["length"], tail, task["name"])
    _run(reader(), small)  # what is loaded and cached once does not count
    before = _memory(reset=True)
    items, digest = _run(reader(), file)
    grown = _memory(reset=False) - before
    json.dump({"items": items, "digest": digest, "grown": grown}, sys.stdout)


def _run(reader: ChatReader, file: GrownFile) -> tuple[int, str]:
    items, digest, facts = 0, sha256(), ReadFacts()
    try:
        with Unpacked(file) as export:
            reader.recognise(export)
            for item in checked(reader, export, ReadOptions(), facts):
                items += 1
                digest.update(repr(item).encode("utf-8", "backslashreplace"))
    except UnreadableExportError as error:
        digest.update(str(error).encode("utf-8", "backslashreplace"))
    except BrokenPromiseError as error:
        sys.exit(str(error))
    digest.update(repr(facts).encode("utf-8", "backslashreplace"))
    return items, digest.hexdigest()


def _memory(*, reset: bool) -> int:
    """Bytes of memory at the most, since the last reset."""
    folder = Path("/proc/self")
    if reset:
        (folder / "clear_refs").write_text(_RESET_HIGH_WATER)
    found = _HIGH_WATER.search((folder / "status").read_text())
    return int(found[1]) * 1024 if found else 0


if __name__ == "__main__":
    main()
