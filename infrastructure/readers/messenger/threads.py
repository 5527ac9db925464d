"""
Which files of an export belong to one thread, and in which order they are read.

A thread lies in `<section>/<thread>/message_N.json`; the higher N, the older. Large exports come
in several archives, and a thread's files may lie in more than one of them.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from application.ports.chat_reader import Export, ExportFile
from infrastructure.readers.messenger.recognition import Platform, looks_like_thread, own_files
from infrastructure.readers.text_stream import sniff

SECTIONS = frozenset(
    {"inbox", "archived_threads", "filtered_threads", "message_requests", "e2ee_cutover"}
)
_NUMBERED = re.compile(r"(?:(?P<folder>.*)/)?message_(?P<number>\d{1,9})\.json", re.DOTALL)
_HEAD = 64 * 1024  # bytes in which the first message begins, also of a group of 250 people


@dataclass(frozen=True, slots=True)
class Thread:
    """
    The files of one thread, oldest first.

    Where an export holds the thread twice, as two downloads packed together do, each copy counts
    its equal messages anew: so the same message has the same key in both.
    """

    place: str  # as `thread_path` writes it, if the folders say so; else the folder, or ""
    copies: list[list[ExportFile]]


def threads_of(export: Export, platform: Platform) -> list[Thread]:
    """In the order in which their first files come."""
    if not export.is_packed:
        return [Thread("", [list(export.files)])]
    folders: dict[str, list[tuple[int, ExportFile]]] = {}
    found: dict[str, Thread] = {}
    for file in own_files(export, platform):
        if match := _NUMBERED.fullmatch(file.name):
            place = _place(match["folder"] or "")
            if place not in folders:
                folders[place] = []
                found[f"folder {place}"] = Thread(place, [])
            folders[place].append((int(match["number"]), file))
        elif file.name.lower().endswith(".json") and looks_like_thread(sniff(file, _HEAD)):
            found[f"file {file.name}"] = Thread("", [[file]])
    for place, files in folders.items():
        found[f"folder {place}"].copies.extend(_copies(files))
    return list(found.values())


def _place(folder: str) -> str:
    above, _, name = folder.rpartition("/")
    section = above.rpartition("/")[2]
    return f"{section}/{name}" if section in SECTIONS else name


def _copies(files: list[tuple[int, ExportFile]]) -> list[list[ExportFile]]:
    seen: Counter[int] = Counter()
    copies: list[list[ExportFile]] = []
    for number, file in sorted(files, key=lambda pair: -pair[0]):
        if seen[number] == len(copies):
            copies.append([])
        copies[seen[number]].append(file)
        seen[number] += 1
    return copies
