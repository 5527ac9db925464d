"""The chats of an export: which files are read, and what each conversation is called."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import PurePosixPath

from application.ports.chat_reader import Export, ExportFile
from domain.message import Conversation, ConversationKind
from infrastructure.readers.json_values import UnparsableJsonError, parse
from infrastructure.readers.reading import files_ending, name_of, unused
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.signal.chat_lines import HEAD, NOBODY
from infrastructure.readers.signal.layouts import Layout, layout_of
from infrastructure.readers.text_stream import sniff

ENDINGS = (".jsonl", ".json", ".md", ".txt")
_ROWS_FILE = "data.json"
_LINES_FILES = frozenset({"chat.md", "index.md"})  # the second in older versions
_OWN_FILES = _LINES_FILES | {_ROWS_FILE, "main.jsonl"}
_ANONYMOUS = frozenset({"data", "chat", "index"})
_MEDIA_FOLDERS = frozenset({"media", "files"})
_OWN_NAME = "Me"
_SAMPLE = 64 * 1024  # bytes in which it is looked for who speaks


def chats_of(export: Export) -> Iterator[tuple[ExportFile, Layout]]:
    """In the archive's order. Of the two files of one chat only the one that says more."""
    if not export.is_packed:
        (file,) = export.files
        yield file, _layout(file) or _guessed(file)
        return
    files = files_ending(export, *ENDINGS)
    homes = {_folder(file) for file in files if name_of(file) in _OWN_FILES}
    rows = {_folder(file) for file in files if name_of(file) == _ROWS_FILE and _is_rows(file)}
    for file in files:
        if _is_media(file, homes):
            continue
        if name_of(file) in _LINES_FILES and _folder(file) in rows:
            continue
        if (layout := _layout(file)) is not None:
            yield file, layout


def _layout(file: ExportFile) -> Layout | None:
    found = layout_of(file)
    return None if found is None else found.layout


def _guessed(file: ExportFile) -> Layout:
    return "backup" if sniff(file, 64).lstrip().startswith(b"{") else "lines"


def _is_rows(file: ExportFile) -> bool:
    return _layout(file) == "rows"


def _is_media(file: ExportFile, homes: set[str]) -> bool:
    """Whether it lies in the folder of what was sent, beside a file of chats."""
    folders = file.name.split("/")[:-1]
    return any(
        folder in _MEDIA_FOLDERS and "/".join(folders[:depth]) in homes
        for depth, folder in enumerate(folders)
    )


def _folder(file: ExportFile) -> str:
    return file.name.rpartition("/")[0]


class ConversationNames:
    """Conversations are called after their folders, which signal-export names after the chats."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def of(self, file: ExportFile, layout: Layout) -> Conversation:
        speakers, opening = _speakers(file, layout)
        names = speakers - {_OWN_NAME, NOBODY}
        path = PurePosixPath(file.name)
        title = path.stem
        if title in _ANONYMOUS:
            title = path.parent.name
        if not title:
            digest = sha256(opening).hexdigest()[:12]
            title = next(iter(names)) if len(names) == 1 else f"Chat {digest}"
        kind: ConversationKind = "unknown"
        if len(speakers - {NOBODY}) > 2:
            kind = "group"
        elif len(names) == 1 and _letters(title) == _letters(next(iter(names))):
            kind = "direct"
        return Conversation(unused(title, self._taken), title, kind)


def _speakers(file: ExportFile, layout: Layout) -> tuple[set[str], bytes]:
    """Who speaks at the beginning of a chat, and its first line."""
    head = sniff(file, _SAMPLE)
    opening = head.partition(b"\n")[0]
    if layout == "lines":
        names = {match[5] for match in HEAD.finditer(head.decode("utf-8", "replace"))}
    else:
        names = {name for line in head.split(b"\n") if (name := _sender(line))}
    return names, opening


def _sender(line: bytes) -> str | None:
    try:
        row = parse(line, Repairs(), None)
    except UnparsableJsonError:
        return None
    name = row.get("sender") if isinstance(row, dict) else None
    return name if isinstance(name, str) else None


def _letters(name: str) -> str:
    """Folders have no other characters."""
    return "".join(c for c in name.casefold() if c.isalnum())
