"""Telegram's service messages in words. The actions are those its desktop app writes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from infrastructure.readers.telegram.entities import Texts

UNSUPPORTED = "a message that the app which made this export did not understand"

# Whose fields are in braces; who did it is put before.
_ACTIONS = {
    "create_group": "created the group “{title}”",
    "create_channel": "created the channel “{title}”",
    "edit_group_title": "changed the group's name to “{title}”",
    "edit_group_photo": "changed the group's photo",
    "delete_group_photo": "removed the group's photo",
    "join_group_by_request": "joined by request",
    "pin_message": "pinned a message",
    "topic_created": "opened the topic “{title}”",
    "clear_history": "cleared the history",
    "migrate_to_supergroup": "turned the group into a supergroup",
    "migrate_from_group": "turned the group “{title}” into this one",
    "joined_telegram": "joined Telegram",
    "score_in_game": "scored {score} in a game",
    "send_payment": "sent a payment",
    "refunded_payment": "refunded a payment",
    "take_screenshot": "took a screenshot",
    "attach_menu_bot_allowed": "allowed the bot in the attachment menu",
    "allow_sending_messages": "allowed the bot to send messages",
    "send_passport_values": "shared passport data ({values})",
    "proximity_reached": "is within {distance} m of {to}",
    "requested_phone_number": "asked for the phone number",
    "invite_to_group_call": "invited {members} to a group call",
    "group_call_scheduled": "scheduled a group call for {schedule_date}",
    "send_webview_data": "sent data to the bot",
    "send_premium_gift": "gave Telegram Premium for {months} months",
    "suggest_profile_photo": "suggested a profile photo",
    "requested_peer": "shared a contact with the bot",
    "set_chat_wallpaper": "changed the wallpaper",
    "set_same_chat_wallpaper": "set the same wallpaper",
    "gift_code_prize": "got a gift code for {months} months of Telegram Premium",
    "giveaway_launch": "started a giveaway",
    "giveaway_results": "announced {winners} winners of a giveaway",
    "boost_apply": "boosted the group ({boosts})",
    "send_stars_gift": "gave {stars} stars",
    "stars_prize": "won {stars} stars",
    "send_star_gift": "sent a gift worth {stars} stars",
}


def notice(raw: Mapping[str, Any], texts: Texts) -> str:
    """
    A service message in words.

    Raises:
        TypeError, AttributeError: if it is not what Telegram writes.
    """
    action = raw.get("action")
    if not isinstance(action, str):
        told = raw.get("information_text")
        what = told if isinstance(told, str) else "did something"
    else:
        what = _what(action, raw)
    who = raw.get("actor", raw.get("from"))
    line = f"{who} {what}" if isinstance(who, str) and who else what
    said = [texts.plain(raw[key]) for key in ("text", "gift_text") if raw.get(key)]
    return "\n".join([line, *filter(None, said)])


def _what(action: str, raw: Mapping[str, Any]) -> str:
    special = _SPECIAL.get(action)
    if special is not None:
        return special(raw)
    template = _ACTIONS.get(action)
    if template is None:
        title = _title(raw)
        words = [action.replace("_", " "), f"“{title}”" if title else "", _members(raw)]
        return " ".join(word for word in words if word)
    fields = {key: _shown(key, value) for key, value in raw.items()}
    fields |= {"title": _title(raw), "members": _members(raw) or "somebody"}
    return template.format_map(_Fields(fields))


class _Fields(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "?"


def _shown(key: str, value: Any) -> str:
    if key == "schedule_date" and isinstance(value, int) and 0 <= value < 2**32:
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M UTC")
    if isinstance(value, list):
        return ", ".join(str(one).replace("_", " ") for one in value)
    return str(value)


def _title(raw: Mapping[str, Any]) -> str:
    title = raw.get("new_title") or raw.get("title") or ""
    return str(title)


def _members(raw: Mapping[str, Any]) -> str:
    return ", ".join(str(member) for member in raw.get("members") or [] if member is not None)


def _call(raw: Mapping[str, Any]) -> str:
    seconds, reason = raw.get("duration_seconds"), raw.get("discard_reason")
    lasted = f"for {seconds} seconds" if seconds else ""
    ended = {"missed": "and was missed", "busy": "and was busy"}.get(str(reason), "")
    return " ".join(word for word in ("called", lasted, ended) if word)


def _group_call(raw: Mapping[str, Any]) -> str:
    seconds = raw.get("duration")
    return f"ended a group call of {seconds} seconds" if seconds else "started a group call"


def _invitation(raw: Mapping[str, Any]) -> str:
    inviter = raw.get("inviter")
    return f"joined by a link of {inviter}" if isinstance(inviter, str) else "joined by a link"


def _added(raw: Mapping[str, Any]) -> str:
    if raw.get("members") == [raw.get("actor")]:
        return "joined the group"
    return f"added {_members(raw) or 'somebody'}"


def _removed(raw: Mapping[str, Any]) -> str:
    if raw.get("members") == [raw.get("actor")]:
        return "left the group"
    return f"removed {_members(raw) or 'somebody'}"


def _timer(raw: Mapping[str, Any]) -> str:
    period = raw.get("period")
    if not period:
        return "set messages to stay"
    return f"set messages to be deleted after {period} seconds"


def _theme(raw: Mapping[str, Any]) -> str:
    emoji = raw.get("emoticon")
    return f"changed the chat's theme to {emoji}" if emoji else "removed the chat's theme"


def _topic(raw: Mapping[str, Any]) -> str:
    title = _title(raw)
    return f"changed the topic to “{title}”" if title else "changed the topic's icon"


_SPECIAL = {
    "phone_call": _call,
    "group_call": _group_call,
    "join_group_by_link": _invitation,
    "invite_members": _added,
    "remove_members": _removed,
    "set_messages_ttl": _timer,
    "edit_chat_theme": _theme,
    "topic_edit": _topic,
}
