"""Conversations as slackdump's “dump” mode writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.infrastructure.readers.support import MemoryFile, json_file, zip_file

ANSWERS = "slackdump_thread_replies"
CHANNEL = "C01234567"
NOON = 1_705_314_600
USERS = [
    {"id": "U1", "name": "ann.o", "profile": {"display_name": "Ann", "real_name": "Ann Other"}},
    {"id": "U2", "name": "bob", "real_name": "Bob Real", "profile": {"display_name": ""}},
]


def stamp(second: int) -> str:
    return f"{NOON + second}.000100"


def said(second: int, text: str = "hi", user: str = "U1", **more: Any) -> dict[str, Any]:
    return {"type": "message", "user": user, "text": text, "ts": stamp(second), **more}


def thread(second: int, *answers: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A message with answers, each of which names it, as Slack's API tells them."""
    root = said(second, thread_ts=stamp(second), reply_count=len(answers), **more)
    named = [{**one, "thread_ts": stamp(second), "parent_user_id": "U1"} for one in answers]
    return {**root, ANSWERS: named}


def dump(*messages: Any, **more: Any) -> dict[str, Any]:
    return {"channel_id": CHANNEL, "name": "general", **more, "messages": list(messages)}


def first_layout(*messages: Any, **more: Any) -> dict[str, Any]:
    """Until its second version slackdump wrote the ids behind the messages."""
    return {"name": "general", "messages": list(messages), "channel_id": CHANNEL, **more}


def dump_file(*messages: Any, name: str = f"{CHANNEL}.json", **more: Any) -> MemoryFile:
    return json_file(dump(*messages, **more), name)


def together(files: Mapping[str, Any]) -> MemoryFile:
    return zip_file({name: json.dumps(value) for name, value in files.items()}, "dumps.zip")
