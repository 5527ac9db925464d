"""What says that files hold threads of Messenger or Instagram, and which of the two."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from application.ports.chat_reader import Export, ExportFile, Recognition
from infrastructure.readers.reading import files_ending, name_of
from infrastructure.readers.text_stream import sniff

Platform = Literal["messenger", "instagram"]

_SENDER = re.compile(rb'"sender_name"\s*:')
_TIME = re.compile(rb'"timestamp(?:_ms)?"\s*:\s*"?\d')
_PEOPLE = re.compile(rb'"participants"\s*:\s*\[')
_THREAD = re.compile(rb'"(?:thread_path|is_still_participant)"\s*:')
_NO_MESSAGES = re.compile(rb'"messages"\s*:\s*\[\s*\]')
_ENCRYPTED = re.compile(rb'"threadName"\s*:')
_ENCRYPTED_SENDER = re.compile(rb'"senderName"\s*:')

_HEAD = 64 * 1024
_FILES_ASKED = 5
_MESSAGE_FILE = re.compile(r"message_\d+\.json|.+_\d+\.json", re.DOTALL)

_INSTAGRAM_FOLDERS = ("your_instagram_activity/", "followers_and_following/")
_FACEBOOK_FOLDERS = ("your_facebook_activity/", "your_activity_across_facebook/")
_INSTAGRAM_MARKS = re.compile(
    rb'your_instagram_activity/|"original_content_owner"\s*:|"Instagram User"'
    rb'|"actor"\s*:\s*"[^"]*"\s*,\s*"timestamp"\s*:'
)
_FACEBOOK_MARKS = re.compile(
    rb'your_facebook_activity/|your_activity_across_facebook/|"Facebook user"'
)
_SHARED_LINK = re.compile(rb'"link"\s*:\s*"https?://(?:[\w-]+\.)*?([\w-]+\.[\w-]+)[/"]')


def recognise(export: Export, platform: Platform) -> Recognition | None:
    """Claims what holds threads if it is the platform's; where nothing tells, it is Messenger's."""
    heads = [sniff(file, _HEAD) for file in _asked(export)]
    claims = [claim for head in heads if (claim := _claim(head)) is not None]
    if not claims or platform not in _platforms(export, heads):
        return None
    confidence, reason = max(claims, key=lambda claim: claim[0])
    return Recognition(platform, confidence, reason)


def looks_like_thread(head: bytes) -> bool:
    return _claim(head) is not None


def own_files(export: Export, platform: Platform) -> Sequence[ExportFile]:
    """Those of the platform, if an export holds downloads of both."""
    if len(_by_folders(export)) < 2:
        return export.files
    is_instagram = platform == "instagram"
    return [
        file
        for file in export.files
        if any(folder in file.name for folder in _INSTAGRAM_FOLDERS) == is_instagram
    ]


def _asked(export: Export) -> Iterator[ExportFile]:
    """A few files that are named like threads; if there is none, a few others."""
    files = files_ending(export, ".json")
    named = (file for file in files if _MESSAGE_FILE.fullmatch(name_of(file).lower()))
    numbered = (file for file in files if name_of(file).lower().startswith("message_"))
    seen: set[str] = set()
    for file in _chained(numbered, named, files):
        if file.name not in seen:
            seen.add(file.name)
            yield file
        if len(seen) == _FILES_ASKED:
            return


def _chained(*groups: Iterable[ExportFile]) -> Iterator[ExportFile]:
    for group in groups:
        yield from group


def _claim(head: bytes) -> tuple[float, str] | None:
    if not head.lstrip().startswith(b"{"):
        return None
    has_people = _PEOPLE.search(head) is not None
    if _SENDER.search(head) and _TIME.search(head):
        reason = "JSON messages with “sender_name” and “timestamp_ms”, as Meta exports them"
        return (0.95 if has_people or _THREAD.search(head) else 0.9), reason
    if _ENCRYPTED.search(head) and has_people:
        if _ENCRYPTED_SENDER.search(head) and _TIME.search(head):
            return 0.95, "JSON with “threadName” and “senderName”, as Meta exports encrypted chats"
        if _NO_MESSAGES.search(head):
            return 0.9, "an empty thread with “threadName”, as Meta exports encrypted chats"
    if has_people and _NO_MESSAGES.search(head) and _THREAD.search(head):
        return 0.9, "an empty thread with “participants”, as Meta exports them"
    return None


def _platforms(export: Export, heads: Sequence[bytes]) -> set[Platform]:
    return _by_folders(export) or {_by_content(heads)}


def _by_folders(export: Export) -> set[Platform]:
    found: set[Platform] = set()
    for file in export.files:
        if any(folder in file.name for folder in _FACEBOOK_FOLDERS):
            found.add("messenger")
        elif any(folder in file.name for folder in _INSTAGRAM_FOLDERS):
            found.add("instagram")
    return found


def _by_content(heads: Sequence[bytes]) -> Platform:
    plain = [head.replace(b"\\/", b"/") for head in heads]
    if any(_FACEBOOK_MARKS.search(head) for head in plain):
        return "messenger"
    if any(_INSTAGRAM_MARKS.search(head) for head in plain):
        return "instagram"
    hosts = {host for head in plain for host in _SHARED_LINK.findall(head)}
    return "instagram" if hosts == {b"instagram.com"} else "messenger"
