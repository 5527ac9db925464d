"""
What was counted in samples by other means, held against what is read of them.

Somebody else wrote the expectations. A `Record` says the same in their words, as it was found in
what was read; `differences` tells of each key that differs, and of each that no record has.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from application.ports.chat_reader import ChatReader, ExportFile
from domain.message import Message
from tests.infrastructure.readers.support import Read, digest, read

Checker = Callable[[Path, Any], Iterable[object]]
"""Folder and expectation -> what was found, to be held against all of the expectation each."""
Stamp = Callable[[Message], str]

TESTS = Path(__file__).parents[2]
NOTES = {  # keys that nothing is found for -> why
    "file": "what the others are about",
    "note": "for people",
    "notes": "for people",
    "source": "where the sample is from",
    "upstream": "where the expectation is from",
    "conversations_ground_truth": "of the source; most formats cannot tell them apart",
}
FORMATS = {  # what we call a format -> what expectations call it
    "chatgpt": {"chatgpt-conversations-json"},
    "claude": {"claude-export-json"},
    "csv": {"generic-csv"},
    "discord": {"discordchatexporter-json"},
    "instagram": {"instagram"},
    "irc": {"irssi", "mirc", "weechat", "znc"},
    "jsonl": {"generic-csv"},
    "mbox": {"mbox"},
    "messenger": {"facebook-messenger-json"},
    "signal": {"signal", "signal-export (carderne/signal-export chat.md + data.json)"},
    "skype": {"skype/teams-personal-messages-json"},
    "slack": {"slack-export-zip"},
    "telegram": {"telegram-desktop-json", "telegram-single"},
    "whatsapp": {"whatsapp-txt"},
}


class Record(dict[str, Any]):
    """What was found, by key. It may have more keys than are expected, but none less."""


@dataclass(frozen=True)
class Note:
    """A key that needs no check."""

    reason: str


@dataclass(frozen=True)
class CheckedBy:
    """A key that a reader's own test checks."""

    test: str  # path of the module, below tests/, "::" and its name
    by_name: bool = True  # the test has the key in it; not so for what is said in words


@dataclass(frozen=True)
class Mistaken:
    """A key that the expectation has wrong."""

    found: object
    says: object
    right: object
    reason: str


def differences(expected: Any, found: object, where: str) -> Iterator[str]:
    match found:
        case Note():
            pass
        case CheckedBy(test, by_name):
            words = words_of(test)
            if words is None or (by_name and where.rpartition(".")[2] not in words):
                yield f"{where}: {test} does not check it"
        case Mistaken():
            if expected != found.says:
                yield f"{where}: no longer says {found.says!r}"
            yield from differences(found.right, found.found, where)
        case Record():
            for key, value in expected.items():
                if key in found:
                    yield from differences(value, found[key], f"{where}.{key}")
                elif key not in NOTES:
                    yield f"{where}.{key}: nobody checks it"
        case [Record(), *_]:
            if len(expected) != len(found):
                yield f"{where}: {len(expected)} expected, {len(found)} found"
            for n, (one, other) in enumerate(zip(expected, found, strict=False)):
                yield from differences(one, other, f"{where}[{n}]")
        case frozenset():
            if expected not in found:
                yield f"{where}: {expected!r} expected, one of {sorted(found)} found"
        case _:
            if expected != found:
                yield f"{where}: {expected!r} expected, {found!r} found"


@cache
def words_of(test: str) -> frozenset[str] | None:
    """The strings in a test function; None if there is no such test."""
    module, _, name = test.partition("::")
    path = TESTS / module
    for node in ast.parse(path.read_text()).body if path.is_file() else ():
        if isinstance(node, ast.FunctionDef) and node.name == name:
            constants = (n.value for n in ast.walk(node) if isinstance(n, ast.Constant))
            return frozenset(value for value in constants if isinstance(value, str))
    return None


def read_cleanly(source: Path | ExportFile, *, reader: ChatReader | None = None) -> Read:
    found = read(source, reader=reader)
    assert (found.warnings, found.facts.unknown_keys) == ([], {}), source
    keys = Counter((m.conversation, m.key) for m in found.messages)
    assert max(keys.values()) == 1, source
    return found


def stored(path: Path) -> Record:
    """That it is the very file that was counted."""
    data = path.read_bytes()
    return Record(
        bytes=len(data),
        sha256=sha256(data).hexdigest(),
        valid_utf8=data == data.decode(errors="replace").encode(),
    )


def counted(found: Read, stamp: Stamp) -> Record:
    """What most expectations say, whatever the format."""
    said = [message for message in found.messages if message.kind == "message"]
    speakers = Counter(author_of(message) for message in said)
    stamps = sorted(map(stamp, said))
    titles = {conversation.id: conversation.title for conversation in found.conversations}
    per_title = dict.fromkeys(titles.values(), 0) | Counter(titles[m.conversation] for m in said)
    return Record(
        format=frozenset(FORMATS[found.format]),
        messages=len(said),
        speakers=len({message.author for message in found.spoken}),
        channels=len(found.conversations),
        first_ts=stamps[0] if stamps else None,
        last_ts=stamps[-1] if stamps else None,
        messages_per_channel=per_title,
        top_speakers=[list(pair) for pair in speakers.most_common(5)],
        digest_sha256=digest(said, stamp),
        timestamp_precision="/".join(sorted({m.precision for m in found.messages})),
        system_lines=sum(message.kind == "system" for message in found.messages),
        actions=sum(message.kind == "action" for message in found.messages),
        empty_text=sum(not message.text for message in said),
    )


def author_of(message: Message) -> str | None:
    return message.author.name if message.author else None
