"""One mail becomes a Message."""

from __future__ import annotations

import re
from collections import OrderedDict
from datetime import datetime
from email.errors import CloseBoundaryNotFoundDefect
from email.message import Message as Mail
from typing import Any, NamedTuple

from domain.message import Attachment, Conversation, Message
from infrastructure.readers.content_keys import ContentKeys
from infrastructure.readers.local_time import LocalClock
from infrastructure.readers.mbox.addresses import author_of
from infrastructure.readers.mbox.body import body_of
from infrastructure.readers.mbox.dates import (
    MailDate,
    envelope_date,
    parse_date,
    received_date,
)
from infrastructure.readers.mbox.encodings import header_text
from infrastructure.readers.mbox.parsing import header, parsed
from infrastructure.readers.mbox.places import place_of_list
from infrastructure.readers.mbox.splitting import RawMail
from infrastructure.readers.repairs import Repairs

_ID = re.compile(r"<[^<>\s]{1,1000}>")
_THREAD_WINDOW = 100_000  # mails of threads whose root is remembered
_KEPT = ("subject", "to", "cc", "bcc", "reply-to", "newsgroups", "x-gmail-labels")
_FOLDER_DATA = "DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA"  # of Pine and UW IMAP


class Converted(NamedTuple):
    conversation: Conversation
    message: Message
    is_whole: bool  # whether its last part is closed


class Mails:
    """Converts the mails of one export, in file order."""

    def __init__(self, clock: LocalClock) -> None:
        self._clock = clock
        self._keys = ContentKeys()
        self._threads: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._last: datetime | None = None

    def message(self, raw: RawMail, place: Conversation, repairs: Repairs) -> Converted | None:
        """
        None for what a program keeps in a folder for itself.

        Args:
            place: where mails of no list belong.

        Raises:
            one of reader.UNREADABLE: if it is no mail.
        """
        mail = parsed(raw.data)
        note = _Noted(repairs, raw.line)

        def text(value: str) -> str:
            return header_text(value, note)

        subject = text(header(mail, "subject") or "")
        if subject == _FOLDER_DATA:
            return None
        envelope = "" if raw.envelope is None else raw.envelope.decode("cp1252", "replace")
        if not mail.keys():
            raise ValueError("it has no headers")
        list_id = text(header(mail, "list-id") or "")
        conversation = (place_of_list(list_id) if list_id else None) or place
        author = author_of(lambda name: header(mail, name), text)
        date = self._date(mail, envelope)
        body = body_of(mail, note)
        attachments = tuple(body.attachments)
        if raw.left_out and attachments:
            attachments = (*attachments[:-1], _without_size(attachments[-1]))
        key, reply_to, thread = self._identity(mail, conversation.id)
        said = body.text
        if reply_to is None and subject and not said.startswith(subject):
            said = f"{subject}\n\n{said}".rstrip()
        if key is None:
            # The date goes in as it is written: another time zone changes no key.
            written = header(mail, "date") or envelope
            key = self._keys.key(conversation.id, written, author.id if author else "", said)
        if thread is not None:
            self._remember(conversation.id, key, thread)
        return Converted(
            conversation,
            Message(
                conversation=conversation.id,
                key=key,
                author=author,
                sent_at=date.at,
                precision=date.precision,
                zone=date.zone,
                kind="message",
                text=said,
                reply_to=reply_to,
                thread=thread,
                attachments=attachments,
                extra=_extra(mail, note),
            ),
            is_whole=not any(isinstance(d, CloseBoundaryNotFoundDefect) for d in mail.defects),
        )

    def _date(self, mail: Mail[Any, Any], envelope: str) -> MailDate:
        """
        Raises:
            ValueError: if it has none, and there is none to take it from.
        """
        date = parse_date(header(mail, "date") or "", self._clock)
        date = date or envelope_date(envelope, self._clock)
        date = date or received_date(header(mail, "received") or "", self._clock)
        if date is None:
            if self._last is None:
                raise ValueError("it has no date")
            date = MailDate(self._last, "second", "derived")
        self._last = date.at
        return date

    def _identity(
        self, mail: Mail[Any, Any], conversation: str
    ) -> tuple[str | None, str | None, str | None]:
        """The keys of the mail, of the one that it answers, and of the root of its thread."""
        own = _id_text(mail, "message-id").strip()
        match = _ID.search(own)
        key = match[0] if match else own[:1000] or None
        references = [id for id in _ID.findall(_id_text(mail, "references")) if id != key]
        answered = [id for id in _ID.findall(_id_text(mail, "in-reply-to")) if id != key]
        reply_to = answered[0] if answered else references[-1] if references else None
        if reply_to is None:
            return key, None, None
        root = references[0] if references else reply_to
        for id in (root, reply_to):
            if (known := self._threads.get((conversation, id))) is not None:
                return key, reply_to, known
        return key, reply_to, root

    def _remember(self, conversation: str, key: str, thread: str) -> None:
        self._threads[conversation, key] = thread
        if len(self._threads) > _THREAD_WINDOW:
            self._threads.popitem(last=False)


class _Noted:
    """Repairs of one mail."""

    def __init__(self, repairs: Repairs, line: int) -> None:
        self._repairs = repairs
        self._line = line

    def __call__(self, kind: str) -> None:
        self._repairs.note(kind, self._line)


def _id_text(mail: Mail[Any, Any], name: str) -> str:
    """A header of ids. Bytes that are no text are written out: ids that differ stay different."""
    raw = (header(mail, name) or "").replace("\0", "")
    if raw.isascii():
        return raw
    return raw.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _without_size(attachment: Attachment) -> Attachment:
    return attachment._replace(size=None)


def _extra(mail: Mail[Any, Any], note: _Noted) -> dict[str, Any] | None:
    """Headers that are of use to people and have no place in a Message."""
    found: dict[str, Any] = {}
    for name in _KEPT:
        value = header(mail, name)
        if value is not None and (shown := header_text(value, note)):
            found[name.replace("-", "_")] = shown
    return found or None
