"""Files and folders that are complete, or are not there: also when the process is killed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from uuid import uuid4

import click

NAME_KEPT = 100  # characters of the name, in that of what is not finished


class OutputError(click.ClickException):
    """Nothing was written under that name; the message says why."""

    exit_code = 2


def require_free(final: Path, *, is_folder: bool, is_forced: bool) -> None:
    """
    Args:
        is_forced: what an earlier export wrote is replaced. Nobody else's files are.

    Raises:
        OutputError
    """
    if not final.parent.is_dir():
        raise OutputError(f"there is no folder {final.parent}")
    if is_folder and final.is_dir():
        others = [path.name for path in final.iterdir() if not is_forced or path.suffix != ".rsmf"]
        if others and is_forced:
            raise OutputError(
                f"{final} holds {others[0]!r}, which is no RSMF file: nothing is lost"
            )
        if others:
            raise OutputError(f"{final} is not empty: --force replaces the RSMF files in it")
    elif final.exists():
        if final.is_dir() or is_folder:
            kind = "a folder" if final.is_dir() else "a file"
            raise OutputError(f"{final} is {kind}: choose another name")
        if not is_forced:
            raise OutputError(f"{final} is there already: --force replaces it")


@contextmanager
def complete_file(final: Path, *, is_forced: bool) -> Iterator[IO[bytes]]:
    """
    What is written appears under its name at the end, if nothing went wrong.

    Raises:
        OutputError
    """
    part = unfinished(final)
    with said_plainly(final):
        try:
            with part.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            require_free(final, is_folder=False, is_forced=is_forced)
            part.replace(final)
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def complete_folder(final: Path, *, is_forced: bool) -> Iterator[Path]:
    """
    The folder to write to appears under its name at the end, if nothing went wrong.

    Raises:
        OutputError
    """
    final = final.resolve()
    part, old = unfinished(final), unfinished(final)
    with said_plainly(final):
        try:
            part.mkdir()
            yield part
            require_free(final, is_folder=True, is_forced=is_forced)
            try:
                if final.exists():
                    final.rename(old)
                part.rename(final)
            finally:
                if old.exists() and not final.exists():
                    old.rename(final)
            shutil.rmtree(old, ignore_errors=True)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def unfinished(final: Path) -> Path:
    return final.with_name(f".{final.name[:NAME_KEPT]}.{uuid4().hex[:8]}.part")


@contextmanager
def said_plainly(final: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"{final} cannot be written: {error.strerror or error}") from error
