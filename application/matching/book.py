"""The decisions about an export's conversations, found by what the export calls them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

from application.matching.match import Match
from application.ports.keys import Pseudonyms


class MatchBook:
    def __init__(
        self,
        pseudonyms: Pseudonyms,
        *,
        workspace_id: UUID,
        format: str,
        facts: Iterable[Mapping[str, Any]] = (),
    ) -> None:
        """
        Args:
            facts: as they are recorded: without what the export calls its conversations.
        """
        self._pseudonyms = pseudonyms
        self._workspace_id = workspace_id
        self._format = format
        self._by_own = {match.own: match for match in map(Match.from_fact, facts)}

    def __bool__(self) -> bool:
        return bool(self._by_own)

    @property
    def matches(self) -> Collection[Match]:
        return self._by_own.values()

    def get(self, source_id: str) -> Match | None:
        """Of a conversation of the export; None if it is nobody else's."""
        if not self._by_own:
            return None
        return self._by_own.get(
            self._pseudonyms.conversation(self._workspace_id, self._format, source_id)
        )

    def author(self, source_id: str) -> UUID:
        """Of the export, before anybody knows who it is in the archive."""
        return self._pseudonyms.author(self._workspace_id, self._format, source_id)
