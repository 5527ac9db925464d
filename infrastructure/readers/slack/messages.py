"""One element of a Slack day file becomes a Message."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from application.ports.chat_reader import ReadFacts
from domain.message import Attachment, Message, MessageKind, Reaction
from infrastructure.readers.json_values import storable
from infrastructure.readers.local_time import from_epoch
from infrastructure.readers.reading import count_key
from infrastructure.readers.slack.mrkdwn import Mrkdwn, text_of_attachments, text_of_blocks
from infrastructure.readers.slack.people import People

_PLACES = ("channel", "group")
_EVENTS = ("join", "leave", "topic", "purpose", "name", "archive", "unarchive")
_SYSTEM = frozenset(
    {
        *(f"{place}_{event}" for place in _PLACES for event in _EVENTS),
        *("channel_convert_to_private", "channel_convert_to_public", "channel_canvas_updated"),
        *("channel_posting_permissions", "pinned_item", "unpinned_item", "reminder_add"),
        *("bot_add", "bot_remove", "bot_enable", "bot_disable", "huddle_thread", "sh_room_created"),
        *("joiner_notification", "bookmark_added", "tabbed_canvas_updated", "mpim_join"),
    }
)
_KINDS: dict[str, MessageKind] = {
    **dict.fromkeys(_SYSTEM, "system"),
    "me_message": "action",
    "tombstone": "deleted",
}
# Understood, and kept because a Message has no place of its own for them.
_KEPT = frozenset({"attachments", "room", "topic", "purpose", "old_name", "inviter", "root"})
_UNDERSTOOD = frozenset(
    {
        *("type", "subtype", "ts", "user", "bot_id", "username", "text", "thread_ts", "team"),
        *("parent_user_id", "reply_count", "replies", "reply_users", "reply_users_count"),
        *("latest_reply", "edited", "reactions", "files", "file", "blocks", "client_msg_id"),
        *("user_profile", "bot_profile", "icons", "source_team", "user_team", "subscribed"),
        *("is_locked", "upload", "display_as_bot", "comment", "is_intro", "last_read", "mrkdwn"),
        *("is_starred", "pinned_to", "pinned_info", "hidden", "app_id", "x_files", "name"),
        *("members", "unread_count", "permalink", "no_notifications", "item_type", "item"),
        *("x_reply_count", "channel", "event_ts", "file_id", "assistant_app_thread", "metadata"),
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


class MessageConverter:
    """Converts the messages of a workspace."""

    def __init__(self, people: People, markup: Mrkdwn, facts: ReadFacts) -> None:
        self._people = people
        self._markup = markup
        self._unknown = facts.unknown_keys

    def message(self, conversation: str, raw: dict[str, Any]) -> Message:
        """
        A thread's root names itself as the thread, as Slack does.

        Raises:
            one of reading.MALFORMED: if the element is not what Slack writes.
        """
        ts = raw["ts"]
        sent_at = moment(ts)
        text = raw.get("text")
        thread = raw.get("thread_ts")
        thread = thread if isinstance(thread, str) else None
        author = self._people.author(raw)
        if raw.keys() <= _PLAIN_KEYS and isinstance(text, str) and text:
            plain = self._markup.plain(text)
            return Message(
                *(conversation, ts, author, sent_at, "microsecond", "stated", "message", plain),
                thread=thread,
            )
        if not isinstance(text, str) or not text:
            text = text_of_attachments(raw.get("attachments")) or text_of_blocks(raw.get("blocks"))
        edited = raw.get("edited")
        subtype = raw.get("subtype")
        return Message(
            conversation=conversation,
            key=ts,
            author=author,
            sent_at=sent_at,
            precision="microsecond",
            zone="stated",
            kind=_KINDS.get(subtype, "message") if isinstance(subtype, str) else "message",
            text=self._markup.plain(text),
            thread=thread,
            edited_at=moment(edited["ts"]) if edited else None,
            reactions=_reactions(raw["reactions"]) if raw.get("reactions") else (),
            attachments=_files(raw),
            extra=self._extra(raw),
        )

    def _extra(self, raw: dict[str, Any]) -> dict[str, Any] | None:
        unknown = raw.keys() - _KNOWN
        for name in sorted(unknown):
            count_key(self._unknown, f"messages.{name}")
        kept = {k: storable(v) for k, v in raw.items() if k in unknown or k in _KEPT}
        return kept or None


def moment(ts: str) -> datetime:
    """
    Slack's "seconds.microseconds"; the micros tell messages of one second apart.

    Raises:
        TypeError, ValueError, OverflowError: if it is no such text.
    """
    seconds, _, micros = ts.partition(".")
    at = from_epoch(int(seconds))
    return at.replace(microsecond=int(micros[:6].ljust(6, "0")))


def _reactions(raw: Any) -> tuple[Reaction, ...]:
    found: list[Reaction] = []
    for one in raw:
        users = tuple(str(user) for user in one.get("users") or [])
        count = one.get("count")
        total = max(count, len(users)) if isinstance(count, int) else len(users)
        found.append(Reaction(str(one["name"]), users, total))
    return tuple(found)


def _files(raw: dict[str, Any]) -> tuple[Attachment, ...]:
    files = raw.get("files")
    single = raw.get("file")
    listed = files if isinstance(files, list) else [single] if single else []
    found: list[Attachment] = []
    for file in listed:
        if not isinstance(file, dict):
            continue
        name = file.get("name") or file.get("title") or file.get("id") or "file"
        mime, size = file.get("mimetype"), file.get("size")
        found.append(
            Attachment(
                str(name),
                mime if isinstance(mime, str) and mime else None,
                size if isinstance(size, int) else None,
            )
        )
    return tuple(found)
