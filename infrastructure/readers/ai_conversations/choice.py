"""Which files of an export may hold conversations with an AI: `conversations.json` and the like."""

from __future__ import annotations

import re
from collections.abc import Callable

from application.ports.chat_reader import Export, ExportFile
from infrastructure.readers.reading import files_ending, name_of
from infrastructure.readers.text_stream import sniff

HEAD = 64 * 1024  # bytes in which the first conversation begins
_FILES_ASKED = 5
_NAMED = re.compile(r"conversations?\b.*\.json", re.IGNORECASE)
_NUMBERED = re.compile(r"conversations-(\d{1,9})\.json", re.IGNORECASE)

Claim = tuple[float, str]  # confidence and reason


def best_claim(export: Export, claim_of: Callable[[bytes], Claim | None]) -> Claim | None:
    """The surest one of a few files; those come first whose names promise most."""
    files = sorted(
        files_ending(export, ".json"),
        key=lambda file: _NAMED.fullmatch(name_of(file)) is None,
    )
    heads = (sniff(file, HEAD) for file in files[:_FILES_ASKED])
    claims = [claim for head in heads if (claim := claim_of(head)) is not None]
    return max(claims, default=None)


def conversation_files(
    export: Export, claim_of: Callable[[bytes], Claim | None]
) -> list[ExportFile]:
    """
    Those to read, in the archive's order; `conversations-000.json` and so on by their numbers,
    also one that begins strangely beside others that do not.
    """
    if not export.is_packed:
        return list(export.files)
    files = files_ending(export, ".json")
    claimed = {file.name for file in files if claim_of(sniff(file, HEAD)) is not None}
    folders = {name.rpartition("/")[0] for name in claimed}
    chosen = [
        file
        for file in files
        if file.name in claimed or (_number(file) >= 0 and file.name.rpartition("/")[0] in folders)
    ]
    return sorted(chosen, key=_number)


def _number(file: ExportFile) -> int:
    match = _NUMBERED.fullmatch(name_of(file))
    return int(match[1]) if match else -1
