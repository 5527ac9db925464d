"""One element of a Slack day file becomes a Message."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from application.ports.chat_reader import ReadFacts
from domain.message import Edit, Message, Reaction
from infrastructure.readers.json_values import storable
from infrastructure.readers.reading import count_key
from infrastructure.readers.slack.blocks import text_of_attachments, text_of_blocks
from infrastructure.readers.slack.files import Upload, attachments
from infrastructure.readers.slack.mrkdwn import Mrkdwn
from infrastructure.readers.slack.people import People
from infrastructure.readers.slack.subtypes import CHANGED, DELETED, kind_of, told

# Understood, and kept because a Message has no place of its own for them.
_KEPT = frozenset(
    {
        *("attachments", "room", "topic", "purpose", "old_name", "inviter", "root", "pinned_to"),
        *(
            "pinned_info",
            "permalink",
            "item",
            "item_type",
            "metadata",
            "name",
            "members",
            "file_id",
        ),
        *("assistant_app_thread", "x_files", "call", "language", "saved"),
    }
)
_UNDERSTOOD = frozenset(
    {
        *("type", "subtype", "ts", "user", "bot_id", "username", "text", "thread_ts", "team"),
        *("parent_user_id", "reply_count", "replies", "reply_users", "reply_users_count"),
        *("latest_reply", "edited", "reactions", "files", "file", "blocks", "client_msg_id"),
        *("user_profile", "bot_profile", "icons", "source_team", "user_team", "subscribed"),
        *("is_locked", "upload", "display_as_bot", "comment", "is_intro", "last_read", "mrkdwn"),
        *("is_starred", "hidden", "app_id", "unread_count", "no_notifications", "x_reply_count"),
        *("channel", "event_ts", "channel_type", "message", "previous_message", "deleted_ts"),
        *("inviter_id", "bot_link", "is_ephemeral", "permission"),
    }
)
_KNOWN = _UNDERSTOOD | _KEPT
_PLAIN_KEYS = frozenset(
    {
        *("client_msg_id", "type", "text", "user", "ts", "team", "user_team", "source_team"),
        *("blocks", "user_profile", "thread_ts", "parent_user_id", "reply_count", "replies"),
        *("reply_users", "reply_users_count", "latest_reply", "is_locked", "subscribed"),
    }
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WINDOW = 32_768  # messages of one conversation that are not told twice


class MessageConverter:
    """Converts the messages of a workspace, one conversation after the other."""

    def __init__(
        self,
        people: People,
        markup: Mrkdwn,
        uploads: dict[str, Upload],
        facts: ReadFacts,
    ) -> None:
        self._people = people
        self._markup = markup
        self._uploads = uploads
        self._unknown = facts.unknown_keys
        self._told: dict[str, tuple[str, int]] = {}  # key -> who said what
        self._told_before: dict[str, tuple[str, int]] = {}
        self._is_again = False

    def begin(self) -> None:
        """The next conversation."""
        self._told, self._told_before = {}, {}
        self._is_again = False

    def again(self) -> None:
        """
        The same conversation as of another time, when a message may have been edited: of one
        timestamp there is but one message, the one that was told first.
        """
        self._is_again = True

    def message(self, conversation: str, raw: dict[str, Any]) -> Message | None:
        """
        A thread's root names itself as the thread, as Slack does. None for a message that was
        told already: answers that are shown in the channel, too, and channels of two workspaces.

        Raises:
            one of reading.MALFORMED: if the element is not what Slack writes.
        """
        ts = raw["ts"]
        sent_at = moment(ts)
        subtype = raw.get("subtype")
        if subtype in (CHANGED, DELETED):
            return self._change(conversation, raw)
        key = self._key(ts, raw)
        if key is None:
            return None
        text = raw.get("text")
        thread = raw.get("thread_ts")
        thread = thread if isinstance(thread, str) else None
        author = self._people.author(raw)
        if raw.keys() <= _PLAIN_KEYS and isinstance(text, str) and text:
            plain = self._markup.plain(text)
            return Message(
                *(conversation, key, author, sent_at, "microsecond", "stated", "message", plain),
                thread=thread,
            )
        kind = kind_of(subtype)
        edited = raw.get("edited")
        return Message(
            conversation,
            key,
            author,
            sent_at,
            "microsecond",
            "stated",
            kind,
            "" if kind == "deleted" else self._text(raw),
            None,
            thread,
            moment(edited["ts"]) if edited else None,
            (),
            _reactions(raw["reactions"]) if raw.get("reactions") else (),
            attachments(raw, self._uploads),
            None if raw.keys() <= _UNDERSTOOD else self._extra(raw),
        )

    def _key(self, ts: str, raw: dict[str, Any]) -> str | None:
        """
        The timestamp, which is unique in its conversation; not so for comments on a file.
        None for the very same message.
        """
        said = _said(raw)
        before = self._told.get(ts) or self._told_before.get(ts)
        if before == said or (before is not None and self._is_again and "comment" not in raw):
            return None
        if before is not None:
            ts = f"{ts}:{_mark(raw)}"
            if ts in self._told or ts in self._told_before:
                return None
        self._told[ts] = said
        if len(self._told) >= _WINDOW:
            self._told, self._told_before = {}, self._told
        return ts

    def _text(self, raw: dict[str, Any]) -> str:
        text = raw.get("text")
        if not isinstance(text, str) or not text:
            parts = (text_of_blocks(raw.get("blocks")), text_of_attachments(raw.get("attachments")))
            text = "\n".join(filter(None, parts))
            text = text or told(raw.get("subtype"), raw, self._people)
        return self._markup.plain(text)

    def _change(self, conversation: str, raw: dict[str, Any]) -> Message | None:
        """
        An edit or a deletion that is written as an event of its own, with the message as it was.
        One about a message that was told already is a notice: what is told is not told again.
        """
        is_deletion = raw["subtype"] == DELETED
        before = raw.get("previous_message")
        before = before if isinstance(before, dict) else {}
        after = before if is_deletion else raw["message"]
        known = raw["deleted_ts"] if is_deletion else after["ts"]
        moment(known)
        if known in self._told or known in self._told_before:
            what = "deleted a message" if is_deletion else f"edited a message: {self._text(after)}"
            notice = {**after, "ts": raw["ts"], "subtype": None, "text": ""}
            if (message := self.message(conversation, notice)) is None:
                return None
            return message._replace(kind="system", text=what, reply_to=known, reactions=())
        message = self.message(conversation, {**after, "ts": known})
        if message is None:
            return None
        edits: tuple[Edit, ...] = ()
        if before and (is_deletion or before.get("text") != after.get("text")):
            edited = before.get("edited")
            edits = (Edit(self._text(before), moment(edited["ts"]) if edited else None),)
        if is_deletion:
            return message._replace(kind="deleted", text="", edits=edits)
        return message._replace(edits=edits)

    def _extra(self, raw: dict[str, Any]) -> dict[str, Any] | None:
        unknown = raw.keys() - _KNOWN
        for name in sorted(unknown):
            count_key(self._unknown, f"messages.{name}")
        kept = {k: storable(v) for k, v in raw.items() if k in unknown or k in _KEPT}
        return kept or None


def _said(raw: dict[str, Any]) -> tuple[str, int]:
    """What makes two messages of one time the same: who said what."""
    user, text = raw.get("user"), raw.get("text")
    if not isinstance(text, str) or not text:
        text = repr(raw.get("attachments"))
    return (user if isinstance(user, str) else "", hash(text))


def _mark(raw: dict[str, Any]) -> str:
    """What tells a message from another one of its time: the number of a comment, else its text."""
    comment = raw.get("comment")
    known = comment.get("id") if isinstance(comment, dict) else None
    if isinstance(known, str):
        return known
    said = f"{raw.get('user')} {raw.get('bot_id')} {raw.get('text')}"
    return sha256(said.encode("utf-8", "replace")).hexdigest()[:12]


def moment(ts: str) -> datetime:
    """
    Slack's "seconds.microseconds"; the micros tell messages of one second apart.

    Raises:
        TypeError, ValueError, OverflowError: if it is no such text.
    """
    whole, _, micros = ts.partition(".")
    seconds = int(whole)
    if seconds < 0:
        raise OverflowError(f"{seconds} seconds since 1970 are no time of ours")
    return _EPOCH + timedelta(0, seconds, int(micros[:6].ljust(6, "0")))


def _reactions(raw: Any) -> tuple[Reaction, ...]:
    found: list[Reaction] = []
    for one in raw:
        users = tuple([str(user) for user in one.get("users") or ()])
        count = one.get("count")
        total = count if isinstance(count, int) and count > len(users) else len(users)
        found.append(Reaction(str(one["name"]), users, total))
    return tuple(found)
