"""What a mail says and what is attached to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message as Mail
from typing import Any

from domain.message import Attachment
from infrastructure.readers.mbox.encodings import Note, decoded, header_text
from infrastructure.readers.mbox.flowed import unflowed
from infrastructure.readers.mbox.html import text_of_html
from infrastructure.readers.mbox.parsing import header

_PARTS_LIMIT = 1000
_DEPTH_LIMIT = 40
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,127}/[a-z0-9!#$&^_.+-]{1,127}", re.IGNORECASE)
_FOLDERS = re.compile(r"[\\/]")


@dataclass(slots=True)
class Body:
    text: str
    attachments: list[Attachment] = field(default_factory=list)


def body_of(mail: Mail[Any, Any], note: Note) -> Body:
    """
    The text is that of the plain parts that are shown; where they say nothing, that of the HTML.

    A plain part that has a file's name is an attachment; those without one follow each other in a
    mail, as where a list has put its footer into a part of its own.

    Raises:
        one of reading.MALFORMED: if it cannot be understood.
    """
    plain: list[str] = []
    html: list[str] = []
    found = Body("")
    for part in _leaves(mail, _DEPTH_LIMIT):
        type = part.get_content_type()
        name = _file_name(part, note)
        is_shown = name is None and part.get_content_disposition() != "attachment"
        if is_shown and type == "text/plain":
            plain.append(_text(part, note))
        elif is_shown and type == "text/html":
            html.append(_text(part, note))
        else:
            found.attachments.append(_attachment(part, name, type, note))
    found.text = "\n".join(filter(None, (text.strip("\n") for text in plain)))
    if not found.text.strip():
        found.text = "\n".join(filter(None, map(text_of_html, html)))
    found.text = found.text.rstrip()
    return found


def _leaves(part: Mail[Any, Any], depth_left: int) -> Iterator[Mail[Any, Any]]:
    """Parts that hold no others; a mail inside the mail is one of them."""
    payload = part.get_payload()
    is_multipart = isinstance(payload, list) and part.get_content_maintype() == "multipart"
    if not is_multipart or depth_left == 0:
        yield part
        return
    count = 0
    for inner in payload:
        for leaf in _leaves(inner, depth_left - 1) if isinstance(inner, Mail) else ():
            count += 1
            if count > _PARTS_LIMIT:
                return
            yield leaf


def _file_name(part: Mail[Any, Any], note: Note) -> str | None:
    name = part.get_filename()
    if not name:
        return None
    return _FOLDERS.split(header_text(str(name), note))[-1].strip() or None


def _content(part: Mail[Any, Any]) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _text(part: Mail[Any, Any], note: Note) -> str:
    charset = part.get_param("charset", "")
    name = charset[2] if isinstance(charset, tuple) else str(charset)
    text = decoded(_content(part), name, note).replace("\r\n", "\n").replace("\r", "\n")
    if str(part.get_param("format", "")).lower() == "flowed":
        text = unflowed(text, deletes_space=str(part.get_param("delsp", "")).lower() == "yes")
    return text


def _attachment(part: Mail[Any, Any], name: str | None, type: str, note: Note) -> Attachment:
    size: int | None = None
    if not part.is_multipart():
        size = len(_content(part))
    elif name is None and type == "message/rfc822":
        inner = part.get_payload(0)
        subject = header(inner, "subject") if isinstance(inner, Mail) else None
        name = f"{_FOLDERS.sub('_', header_text(subject, note))}.eml" if subject else None
    known = type if _MEDIA_TYPE.fullmatch(type) else None  # a header may hold anything
    return Attachment(name or (known or "").partition("/")[2] or "part", known, size)
