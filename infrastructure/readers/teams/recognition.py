"""What in a file says that its messages are those of Teams."""

from __future__ import annotations

import re
from collections.abc import Iterator

from application.ports.chat_reader import Export, ExportFile, Recognition
from infrastructure.readers.limits import SNIFF
from infrastructure.readers.reading import name_of
from infrastructure.readers.text_stream import sniff

HEAD = 32 * 1024
_FILES_ASKED = 8  # of an archive
_ENDINGS = (".json", ".jsonl", ".ndjson")
_BEGINS = re.compile(rb"\s*[\[{]")
_CREATED = re.compile(rb'"[Cc]reatedDateTime"\s*:')
_BODY = re.compile(rb'"[Bb]ody"\s*:\s*\{[^{}]{0,200}"[Cc]ontentType"\s*:\s*"(?:html|text)"')
_BODY_BACKWARDS = re.compile(rb'"[Cc]ontentType"\s*:\s*"(?:html|text)"\s*\}')
_PLACE = re.compile(
    rb'"(?:[Cc]hatId|[Cc]hannelIdentity|[Ee]ventDetail|[Rr]eplyToId)"\s*:'
    rb'|"[Mm]essageType"\s*:\s*"(?:message|systemEventMessage|unknownFutureValue)"'
)
_CONTEXT = re.compile(
    rb'"@odata\.context"\s*:\s*"[^"]{0,300}(?:chats|channels)[^"]{0,300}/messages'
)
_TEAMS = re.compile(rb'"GroupsId"\s*:\s*"')
_CHATS = re.compile(rb'"[Cc]hatType"\s*:\s*"(?:oneOnOne|group|meeting)"')
_MAIL = re.compile(rb'"(?:toRecipients|receivedDateTime|bodyPreview)"\s*:')


def recognise(export: Export, format: str) -> Recognition | None:
    size = HEAD if export.is_packed else SNIFF
    claims = [claim for file in _asked(export) if (claim := _claim(file, size)) is not None]
    if not claims:
        return None
    confidence, reason = max(claims, key=lambda claim: claim[0])
    return Recognition(format, confidence, reason)


def holds_messages(head: bytes) -> bool:
    return _messages(head) is not None


def describes_chats(head: bytes) -> bool:
    return _CHATS.search(head) is not None


def _asked(export: Export) -> Iterator[ExportFile]:
    """A few files: first large ones that are named as in the administrator's export."""
    if not export.is_packed:
        yield from export.files
        return
    files = [file for file in export.files if file.name.lower().endswith(_ENDINGS)]
    named = [file for file in files if name_of(file).lower().startswith(("messages", "teamslist"))]
    named.sort(key=lambda file: -file.size)  # many members wrote nothing
    seen: set[str] = set()
    for file in (*named[: _FILES_ASKED - 2], *files):
        if file.name not in seen:
            seen.add(file.name)
            yield file
        if len(seen) == _FILES_ASKED:
            return


def _claim(file: ExportFile, size: int) -> tuple[float, str] | None:
    head = sniff(file, size)
    if (claim := _messages(head)) is not None:
        return claim
    if _BEGINS.match(head) and _TEAMS.search(head) and b'"Privacy"' in head:
        return 0.9, "a list of teams with “GroupsId”, as the administrator's export of Teams has"
    return None


def _messages(head: bytes) -> tuple[float, str] | None:
    if _BEGINS.match(head) is None or _MAIL.search(head) or not _CREATED.search(head):
        return None
    if not (_BODY.search(head) or _BODY_BACKWARDS.search(head)):
        return None
    if _PLACE.search(head):
        return 0.95, "JSON messages with Teams' “body”, “createdDateTime” and place in a chat"
    if _CONTEXT.search(head):
        return 0.9, "a page of messages of Microsoft Graph"
    return None
