"""
Fuzz readers one after the other: `python -m tests.fuzz [--seconds N] [FORMAT …]`.

`--replay FILE FORMAT` runs one input that was found before; it needs no fuzzer.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

from infrastructure.readers.registry import default_readers
from tests.fuzz.inputs import Inputs, run

REPOSITORY = Path(__file__).parents[2]
EXECUTED = re.compile(r"stat::number_of_executed_units:\s*(\d+)")


def main() -> None:
    formats = [reader.format for reader in default_readers()]
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("formats", nargs="*", metavar="FORMAT", help=f"of {', '.join(formats)}")
    parser.add_argument("--seconds", type=int, default=300, help="for each reader")
    parser.add_argument("--folder", type=Path, default=REPOSITORY / "var" / "fuzz")
    parser.add_argument("--replay", type=Path, metavar="FILE")
    given = parser.parse_args()
    if unknown := set(given.formats) - set(formats):
        parser.error(f"there is no format {min(unknown)}; there are {', '.join(formats)}")
    if given.replay:
        if len(given.formats) != 1:
            parser.error("--replay needs the one FORMAT that it was found with")
        replay(given.formats[0], given.replay)
        return
    found = [fuzz(name, given.folder / name, given.seconds) for name in given.formats or formats]
    sys.exit(any(found))


def fuzz(format: str, folder: Path, seconds: int) -> bool:
    """Whether anything is wrong with the reader."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tests.fuzz.target", format, str(folder), str(seconds)]
    with (folder / "log.txt").open("wb") as log:
        done = subprocess.run(command, stdout=log, stderr=log, cwd=REPOSITORY, check=False)
    text = (folder / "log.txt").read_text("utf-8", "replace")
    if "No module named 'atheris'" in text:
        sys.exit("the fuzzer is not installed: `make fuzz` installs it")
    counted = EXECUTED.search(text)
    executions = f"{int(counted[1]):,}" if counted else "an unknown number of"
    found = sorted(path for path in folder.glob("found-*") if path.suffix != ".txt")
    print(f"{format}: {executions} executions, {len(found)} findings", flush=True)
    for path in found:
        print(f"  {os.path.relpath(path)}")
    if done.returncode and not found:
        print(f"  ended with status {done.returncode}: {os.path.relpath(folder / 'log.txt')}")
    return bool(found or done.returncode)


def replay(format: str, path: Path) -> None:
    reader = next(one for one in default_readers() if one.format == format)
    run(reader, Inputs(format).export(path.read_bytes()))
    print("nothing is wrong with it any more")


if __name__ == "__main__":
    main()
