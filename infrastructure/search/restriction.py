"""Which messages a search may find, as SQL over `read.message AS m`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection

from application.searching.filters import Choice, Feature, Filters
from domain.transcript import IDS_PER_POSITION
from infrastructure.columns import filtering
from infrastructure.columns.filtering import Test, without
from infrastructure.columns.message_table import ATTACHMENT, LINK, REACTION, REPLY
from infrastructure.search.labels import LabelFilter, label_filter
from infrastructure.search.names import CONVERSATIONS, FILES, PEOPLE, Meant, meant
from infrastructure.search.tsquery import Demand, TsQueries

FEATURES: dict[Feature, str] = {
    "link": "m.has_link",
    "attachment": "m.attachments IS NOT NULL",
    "reaction": "m.reactions IS NOT NULL",
    "reply": "m.reply_to IS NOT NULL",
}
IN_COLUMNS: dict[Feature, int] = {
    "link": LINK,
    "attachment": ATTACHMENT,
    "reaction": REACTION,
    "reply": REPLY,
}
# As the index over a whole workspace has it.
SENT_AT = "(m.sent_at AT TIME ZONE 'UTC')"
SENT_FROM = f"{SENT_AT} >= (%(sent_from)s::timestamptz AT TIME ZONE 'UTC')"
SENT_BEFORE = f"{SENT_AT} < (%(sent_before)s::timestamptz AT TIME ZONE 'UTC')"
TALKS = """
SELECT conversation_id FROM read.conversation
WHERE workspace_id = %(workspace)s AND kind = ANY(%(kinds)s)
"""


class Restriction(NamedTuple):
    sql: str  # "" or " AND …"; the workspace is always checked beside it
    values: dict[str, Any]
    is_narrow: bool = False  # not all messages of a moment may be found
    notes: tuple[str, ...] = ()
    # The same over columns, but for the moment and the words; None: columns do not tell.
    tests: tuple[Test, ...] | None = ()
    demands: tuple[Demand, ...] = ()  # the words


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
        authors = meant(connection, workspace_id, filters.authors, PEOPLE)
        made.among("author_id", authors, filtering.of_authors)
        talks = meant(connection, workspace_id, filters.conversations, CONVERSATIONS)
        made.among("conversation_id", talks, filtering.of_talks)
        made.of_uploads(meant(connection, workspace_id, filters.uploads, FILES))
        made.of_kinds(filters.message_kinds)
        made.of_talks_of_kinds(connection, workspace_id, filters.conversation_kinds)
        made.in_languages(filters.languages)
        made.having(filters)
        if filters.labels:
            made.labelled(label_filter(connection, workspace_id, filters.labels))
        if filters.sent_from is not None:
            made.add(SENT_FROM, sent_from=filters.sent_from)
            made.test(filtering.sent_from(filters.sent_from))
        if filters.sent_before is not None:
            made.add(SENT_BEFORE, sent_before=filters.sent_before)
            made.test(filtering.sent_before(filters.sent_before))
    if words.required:
        made.add("m.words @@ %(required)s::tsquery", required=words.required)
    if words.excluded:
        made.add("NOT m.words @@ %(excluded)s::tsquery", excluded=words.excluded)
    sql = "".join(f" AND {part}" for part in made.parts)
    is_narrow = bool(filters or words.required or words.excluded)
    tests = tuple(made.tests) if made.is_columnar else None
    return Restriction(sql, made.values, is_narrow, made.notes, tests, words.demands)


class Conditions:
    """Each filter twice: as SQL, and over columns."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.values: dict[str, Any] = {}
        self.tests: list[Test] = []
        self.is_columnar = True
        self.notes: tuple[str, ...] = ()

    def add(self, sql: str, **values: Any) -> None:
        self.parts.append(sql)
        self.values |= values

    def test(self, test: Test) -> None:
        self.tests.append(test)

    def among(self, column: str, meant: Meant, having: Callable[[Sequence[UUID]], Test]) -> None:
        """The system, which is no author, is none of those that are excluded."""
        self.notes += tuple(meant.notes)
        if meant.any_of is not None:
            self.add(f"m.{column} = ANY(%({column})s)", **{column: meant.any_of})
            self.test(having(meant.any_of))
        if meant.none_of:
            name = f"not_{column}"
            excluded = f"(m.{column} IS NULL OR m.{column} <> ALL(%({name})s))"
            self.add(excluded, **{name: meant.none_of})
            self.test(without(having(meant.none_of)))

    def of_uploads(self, meant: Meant) -> None:
        """
        One of several uploads that had the message is enough. Columns do not tell: who has the
        message, too, is no news of the message.
        """
        self.notes += tuple(meant.notes)
        if meant.any_of is not None:
            self.add("m.upload_ids && %(uploads)s::uuid[]", uploads=meant.any_of)
            self.is_columnar = False
        if meant.none_of:
            self.add("NOT m.upload_ids && %(not_uploads)s::uuid[]", not_uploads=meant.none_of)
            self.is_columnar = False

    def of_kinds(self, kinds: Choice) -> None:
        if kinds.any_of:
            self.add("m.kind = ANY(%(kinds)s)", kinds=list(kinds.any_of))
            self.test(filtering.of_kinds(kinds.any_of))
        if kinds.none_of:
            self.add("m.kind <> ALL(%(not_kinds)s)", not_kinds=list(kinds.none_of))
            self.test(without(filtering.of_kinds(kinds.none_of)))

    def of_talks_of_kinds(
        self, connection: Connection[Any], workspace_id: UUID, kinds: Choice
    ) -> None:
        def found(chosen: Sequence[str]) -> list[UUID]:
            values = {"workspace": workspace_id, "kinds": list(chosen)}
            return [row[0] for row in connection.execute(TALKS, values)]

        if kinds.any_of:
            talks = found(kinds.any_of)
            self.add("m.conversation_id = ANY(%(talks)s)", talks=talks)
            self.test(filtering.of_talks(talks))
        if kinds.none_of:
            talks = found(kinds.none_of)
            self.add("m.conversation_id <> ALL(%(not_talks)s)", not_talks=talks)
            self.test(without(filtering.of_talks(talks)))

    def in_languages(self, languages: Choice) -> None:
        """What does not tell its language is in none of those that are excluded."""
        if languages.any_of:
            self.add("m.language = ANY(%(languages)s)", languages=list(languages.any_of))
            self.test(filtering.in_languages(languages.any_of))
        if languages.none_of:
            self.add(
                "(m.language IS NULL OR m.language <> ALL(%(not_languages)s))",
                not_languages=list(languages.none_of),
            )
            self.test(without(filtering.in_languages(languages.none_of)))

    def labelled(self, found: LabelFilter) -> None:
        self.notes += tuple(found.notes)
        for sql, values in found.conditions():
            self.add(sql, **values)
        if found.any_of is not None:
            self.test(filtering.of_messages_or_talks(*found.any_of))
        if found.none_of is not None:
            self.test(without(filtering.of_messages_or_talks(*found.none_of)))

    def having(self, filters: Filters) -> None:
        for feature in filters.has:
            self.add(FEATURES[feature])
            self.test(filtering.having(IN_COLUMNS[feature]))
        for feature in filters.has_not:
            self.add(f"NOT ({FEATURES[feature]})")
            self.test(without(filtering.having(IN_COLUMNS[feature])))
