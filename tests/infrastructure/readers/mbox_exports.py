"""Mail made by hand."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

from application.ports.chat_reader import ReadOptions
from domain.message import Message
from infrastructure.readers.mbox.reader import MboxReader
from infrastructure.readers.reading import GuardedReader
from tests.infrastructure.readers.support import (
    MemoryFile,
    Read,
    text_file,
)
from tests.infrastructure.readers.support import read as read_with

READER = GuardedReader(MboxReader())
ENVELOPE = "From ann@example.org Mon Jan 15 10:30:00 2024"
DATE = "Mon, 15 Jan 2024 10:30:00 +0000"


def read(file: Any, options: ReadOptions | None = None) -> Read:
    return read_with(file, options, reader=READER)


def mail(body: str = "hi", **headers: str) -> str:
    """Header names with underscores for hyphens; None leaves one out."""
    known = {"From": "Ann <ann@example.org>", "Date": DATE, "Message_ID": "<1@x>", **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in known.items() if value]
    return "\n".join([*lines, "", body]) + "\n"


def mbox(*mails: str, name: str = "rome.mbox") -> MemoryFile:
    return text_file("".join(f"{ENVELOPE}\n{one}\n" for one in mails), name)


def one(body: str = "hi", **headers: str) -> Message:
    (message,) = read(mbox(mail(body, **headers))).messages
    return message


def build(mail_text: str = "plain", html: str | None = None) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["Date"], message["Message-ID"] = "ann@example.org", DATE, "<1@x>"
    message.set_content(mail_text)
    if html is not None:
        message.add_alternative(html, subtype="html")
    return message


def read_mail(data: bytes) -> Message:
    found = read(MemoryFile(data, "x.eml"))
    (message,) = found.messages
    return message
