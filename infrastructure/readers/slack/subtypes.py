"""What kinds of messages Slack has, and the notices it leaves without words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.message import MessageKind
from infrastructure.readers.slack.people import People

CHANGED = "message_changed"
DELETED = "message_deleted"

_PLACES = ("channel", "group")
_EVENTS = ("join", "leave", "topic", "purpose", "name", "archive", "unarchive")
_SYSTEM = frozenset(
    {
        *(f"{place}_{event}" for place in _PLACES for event in _EVENTS),
        *("channel_convert_to_private", "channel_convert_to_public", "channel_canvas_updated"),
        *("channel_posting_permissions", "pinned_item", "unpinned_item", "reminder_add"),
        *("bot_add", "bot_remove", "bot_enable", "bot_disable", "huddle_thread", "sh_room_created"),
        *("joiner_notification", "bookmark_added", "tabbed_canvas_updated", "mpim_join"),
        *("app_conversation_join", "app_conversation_leave", "ekm_access_denied"),
        *("channel_retention_changed", "added_to_workflow", "sh_room_shared"),
    }
)
_KINDS: dict[str, MessageKind] = {
    **dict.fromkeys(_SYSTEM, "system"),
    "me_message": "action",
    "tombstone": "deleted",
}
_SAID = {
    "join": "joined",
    "leave": "left",
    "archive": "archived the channel",
    "unarchive": "brought the channel back from the archive",
    "name": "renamed the channel from “{old_name}” to “{name}”",
    "topic": "set the topic: {topic}",
    "purpose": "set the purpose: {purpose}",
}


def kind_of(subtype: Any) -> MessageKind:
    return _KINDS.get(subtype, "message") if isinstance(subtype, str) else "message"


def told(subtype: Any, raw: Mapping[str, Any], people: People) -> str:
    """A sentence for a notice that has no text; empty for everything else."""
    if isinstance(raw.get("room"), dict):
        return _huddle(raw["room"], people)
    if not isinstance(subtype, str) or kind_of(subtype) != "system":
        return ""
    place, _, event = subtype.partition("_")
    if place in _PLACES and event in _SAID:
        fields = {key: raw.get(key, "") for key in ("old_name", "name", "topic", "purpose")}
        return _SAID[event].format(**fields)
    return subtype.replace("_", " ")


def _huddle(room: Mapping[str, Any], people: People) -> str:
    """Who took part in a call, and how long it took."""
    listed = room.get("participant_history") or room.get("participants") or []
    names = [people.name(one) for one in listed if isinstance(one, str)]
    started, ended = room.get("date_start"), room.get("date_end")
    text = "a huddle"
    if names:
        text += f" with {', '.join(names)}"
    if isinstance(started, int) and isinstance(ended, int) and ended > started > 0:
        text += f", {max(1, round((ended - started) / 60))} min"
    return text
