"""Who is who in a workspace."""

from __future__ import annotations

from typing import Any

from domain.message import Author

_PEOPLE_KEPT = 500_000  # no workspace has more; beyond, people go by their ids
_SLACKBOT = "USLACKBOT"


class People:
    """Names by id. People missing from users.json are named as well as the messages allow."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {_SLACKBOT: "Slackbot"}
        self._authors: dict[tuple[str, str], Author] = {}
        self.missing: set[str] = set()  # ids that users.json does not have

    def add(self, raw: Any) -> None:
        """One element of users.json; what has no id is no person."""
        if not isinstance(raw, dict) or not isinstance(raw.get("id"), str):
            return
        if len(self._names) >= _PEOPLE_KEPT:
            return
        name = _best_name(raw)
        self._names[raw["id"]] = name or raw["id"]
        profile = raw.get("profile")
        bot = profile.get("bot_id") if isinstance(profile, dict) else None
        if isinstance(bot, str) and bot and name:
            self._names.setdefault(bot, name)

    def name(self, id: str) -> str:
        """The id itself where nothing better is known."""
        return self._names.get(id, id)

    def known_name(self, id: str) -> str | None:
        """None where nothing but the id is known."""
        name = self._names.get(id)
        return None if name == id else name

    def author(self, raw: dict[str, Any]) -> Author | None:
        """Who sent a message; None if it names nobody."""
        user = raw.get("user")
        if not isinstance(user, str) or not user:
            comment = raw.get("comment")
            user = comment.get("user") if isinstance(comment, dict) else None
        if isinstance(user, str) and user:
            name = self._names.get(user)
            if name is None:
                name = self._synthesise(user, raw)
            return self._author(user, name)
        return self._bot(raw)

    def _synthesise(self, user: str, raw: dict[str, Any]) -> str:
        if len(self._names) >= _PEOPLE_KEPT or len(self.missing) >= _PEOPLE_KEPT:
            return user
        self.missing.add(user)
        profile = raw.get("user_profile")
        written = _best_name(profile) if isinstance(profile, dict) else ""
        if not written and isinstance(raw.get("username"), str):
            written = raw["username"]
        if written:
            self._names[user] = written
        return written or user

    def _bot(self, raw: dict[str, Any]) -> Author | None:
        bot = raw.get("bot_id")
        written = raw.get("username")
        if not isinstance(written, str) or not written:
            profile = raw.get("bot_profile")
            written = profile.get("name") if isinstance(profile, dict) else None
        name = written if isinstance(written, str) and written else None
        if isinstance(bot, str) and bot:
            return self._author(bot, name or self._names.get(bot, bot))
        return None if name is None else self._author(name, name)

    def _author(self, id: str, name: str) -> Author:
        author = self._authors.get((id, name))
        if author is None:
            if len(self._authors) >= _PEOPLE_KEPT:
                self._authors.clear()
            author = self._authors[id, name] = Author(id, name)
        return author


def _best_name(raw: dict[str, Any]) -> str:
    """As Slack shows it: the chosen display name, else the full name, else the account."""
    profile = raw.get("profile")
    places = [profile] if isinstance(profile, dict) else []
    for place, key in (
        *((p, k) for p in places for k in ("display_name", "real_name")),
        *((raw, k) for k in ("display_name", "real_name", "name")),
    ):
        name = place.get(key)
        if isinstance(name, str) and name.strip():
            return name.strip()
    return ""
