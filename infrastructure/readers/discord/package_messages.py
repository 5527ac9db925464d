"""One message of a data package, as a row or as an object, becomes a Message."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from application.ports.chat_reader import ReadFacts
from domain.message import Attachment, Author, Conversation, Message
from infrastructure.readers.content_keys import ContentKeys
from infrastructure.readers.discord.contents import file_of
from infrastructure.readers.discord.dates import Moment, local_moment, stated_moment
from infrastructure.readers.discord.markup import Markup
from infrastructure.readers.discord.snowflakes import id_of, moment_of
from infrastructure.readers.json_values import storable
from infrastructure.readers.local_time import LocalClock
from infrastructure.readers.reading import count_key

_KNOWN = frozenset({"ID", "Timestamp", "Contents", "Attachments"})
_SECOND = timedelta(seconds=1)


class PackagedMessages:
    """Converts the messages of one channel: those of the package's owner, and no others."""

    def __init__(
        self,
        conversation: Conversation,
        owner: Author,
        markup: Markup,
        clock: LocalClock,
        facts: ReadFacts,
    ) -> None:
        self._conversation = conversation.id
        self._owner = owner
        self._markup = markup
        self._clock = clock
        self._unknown = facts.unknown_keys
        self._keys = ContentKeys()

    def message(self, raw: dict[str, Any]) -> Message:
        """
        Raises:
            one of reading.MALFORMED: if it is not what Discord writes.
        """
        id, written = id_of(raw.get("ID")), raw.get("Timestamp")
        # Tables that went through a spreadsheet have ids without their last digits.
        if id is not None and not id.isdigit():
            id = None
        contents = raw.get("Contents")
        if not isinstance(contents, str):
            if contents is not None:
                raise TypeError(f"Contents is {type(contents).__name__}")
            contents = ""
        at, precision, zone = self._moment(written, id)
        key = id or self._keys.key(self._conversation, str(written), self._owner.id, contents)
        addresses = _addresses(raw.get("Attachments"))
        return Message(
            conversation=self._conversation,
            key=key,
            author=self._owner,
            sent_at=at,
            precision=precision,
            zone=zone,
            kind="message",
            text=self._markup.plain(contents),
            attachments=tuple(Attachment(*file_of(address)) for address in addresses),
            extra=self._extra(raw, addresses),
        )

    def _moment(self, written: Any, id: str | None) -> Moment:
        """
        A time without an offset is UTC where the id proves it, by the same second. Then the id's
        own millisecond is the time, as it is where none is written.
        """
        try:
            return stated_moment(written)
        except (TypeError, ValueError, OverflowError):
            exact, local = moment_of(id), _local(written)
        if exact is not None and (local is None or abs(exact - local) <= _SECOND):
            return Moment(exact, "millisecond", "derived")
        return local_moment(written, self._clock)

    def _extra(self, raw: dict[str, Any], addresses: list[str]) -> dict[str, Any] | None:
        extra: dict[str, Any] = {}
        if addresses:
            extra["attachments"] = addresses
        for name in sorted(raw.keys() - _KNOWN):
            count_key(self._unknown, f"messages.{name}")
            extra[name] = storable(raw[name])
        return extra or None


def _local(written: Any) -> datetime | None:
    """As if it were UTC."""
    try:
        return datetime.fromisoformat(written).replace(tzinfo=UTC)
    except (TypeError, ValueError):
        return None


def _addresses(written: Any) -> list[str]:
    """
    Raises:
        AttributeError: if it is no text of addresses with spaces between.
    """
    return written.split() if written else []
