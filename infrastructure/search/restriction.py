"""Which messages a search may find, as SQL over `read.message AS m`."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection

from application.searching.filters import Choice, Feature, Filters
from domain.transcript import IDS_PER_POSITION
from infrastructure.search.labels import LabelFilter, label_filter
from infrastructure.search.names import CONVERSATIONS, FILES, PEOPLE, Meant, meant
from infrastructure.search.tsquery import TsQueries

FEATURES: dict[Feature, str] = {
    "link": "m.has_link",
    "attachment": "m.attachments IS NOT NULL",
    "reaction": "m.reactions IS NOT NULL",
    "reply": "m.reply_to IS NOT NULL",
}
# As the index over a whole workspace has it.
SENT_AT = "(m.sent_at AT TIME ZONE 'UTC')"
SENT_FROM = f"{SENT_AT} >= (%(sent_from)s::timestamptz AT TIME ZONE 'UTC')"
SENT_BEFORE = f"{SENT_AT} < (%(sent_before)s::timestamptz AT TIME ZONE 'UTC')"
IN_KIND = """
m.conversation_id IN (
    SELECT conversation_id FROM read.conversation
    WHERE workspace_id = %(workspace)s AND kind = ANY(%({name})s)
)
"""


class Restriction(NamedTuple):
    sql: str  # "" or " AND …"; the workspace is always checked beside it
    values: dict[str, Any]
    is_narrow: bool = False  # not all messages of a moment may be found
    notes: tuple[str, ...] = ()


def restriction(
    connection: Connection[Any],
    workspace_id: UUID,
    filters: Filters,
    words: TsQueries,
    messages_position: int | None,
) -> Restriction:
    """
    Args:
        messages_position: what came later is not found; None: everything is.
    """
    made = Conditions()
    if messages_position is not None:
        made.add("m.message_id < %(below)s", below=(messages_position + 1) * IDS_PER_POSITION)
    if filters:
        made.among("author_id", meant(connection, workspace_id, filters.authors, PEOPLE))
        talks = meant(connection, workspace_id, filters.conversations, CONVERSATIONS)
        made.among("conversation_id", talks)
        made.of_uploads(meant(connection, workspace_id, filters.uploads, FILES))
        made.of_kinds(filters)
        made.in_languages(filters.languages)
        made.having(filters)
        if filters.labels:
            made.labelled(label_filter(connection, workspace_id, filters.labels))
        if filters.sent_from is not None:
            made.add(SENT_FROM, sent_from=filters.sent_from)
        if filters.sent_before is not None:
            made.add(SENT_BEFORE, sent_before=filters.sent_before)
    if words.required:
        made.add("m.words @@ %(required)s::tsquery", required=words.required)
    if words.excluded:
        made.add("NOT m.words @@ %(excluded)s::tsquery", excluded=words.excluded)
    sql = "".join(f" AND {part}" for part in made.parts)
    is_narrow = bool(filters or words.required or words.excluded)
    return Restriction(sql, made.values, is_narrow, made.notes)


class Conditions:
    def __init__(self) -> None:
        self.parts: list[str] = []
        self.values: dict[str, Any] = {}
        self.notes: tuple[str, ...] = ()

    def add(self, sql: str, **values: Any) -> None:
        self.parts.append(sql)
        self.values |= values

    def among(self, column: str, meant: Meant) -> None:
        """The system, which is no author, is none of those that are excluded."""
        self.notes += tuple(meant.notes)
        if meant.any_of is not None:
            self.add(f"m.{column} = ANY(%({column})s)", **{column: meant.any_of})
        if meant.none_of:
            name = f"not_{column}"
            excluded = f"(m.{column} IS NULL OR m.{column} <> ALL(%({name})s))"
            self.add(excluded, **{name: meant.none_of})

    def of_uploads(self, meant: Meant) -> None:
        """One of several uploads that had the message is enough."""
        self.notes += tuple(meant.notes)
        if meant.any_of is not None:
            self.add("m.upload_ids && %(uploads)s::uuid[]", uploads=meant.any_of)
        if meant.none_of:
            self.add("NOT m.upload_ids && %(not_uploads)s::uuid[]", not_uploads=meant.none_of)

    def of_kinds(self, filters: Filters) -> None:
        kinds, talks = filters.message_kinds, filters.conversation_kinds
        if kinds.any_of:
            self.add("m.kind = ANY(%(kinds)s)", kinds=list(kinds.any_of))
        if kinds.none_of:
            self.add("m.kind <> ALL(%(not_kinds)s)", not_kinds=list(kinds.none_of))
        if talks.any_of:
            self.add(IN_KIND.format(name="talks"), talks=list(talks.any_of))
        if talks.none_of:
            self.add(f"NOT {IN_KIND.format(name='not_talks')}", not_talks=list(talks.none_of))

    def in_languages(self, languages: Choice) -> None:
        """What does not tell its language is in none of those that are excluded."""
        if languages.any_of:
            self.add("m.language = ANY(%(languages)s)", languages=list(languages.any_of))
        if languages.none_of:
            self.add(
                "(m.language IS NULL OR m.language <> ALL(%(not_languages)s))",
                not_languages=list(languages.none_of),
            )

    def labelled(self, found: LabelFilter) -> None:
        self.notes += tuple(found.notes)
        for sql, values in found.conditions():
            self.add(sql, **values)

    def having(self, filters: Filters) -> None:
        for feature in filters.has:
            self.add(FEATURES[feature])
        for feature in filters.has_not:
            self.add(f"NOT ({FEATURES[feature]})")
