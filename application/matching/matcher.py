"""Whether conversations of an export are conversations of the archive, and which: the decision."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from application.matching.deciding import Found, Pair, decide
from application.matching.match import Match
from application.matching.probing import Prober, Told
from application.matching.rule import AS_BEFORE, joined
from application.ports.chat_reader import ReadItem
from application.ports.keys import Pseudonyms
from application.ports.known_messages import KnownAlias, KnownConversation, KnownMessages, Span
from domain.text_form import comparable


class Matcher:
    """Reads along with the inspection, then decides."""

    def __init__(
        self, known: KnownMessages, pseudonyms: Pseudonyms, *, workspace_id: UUID, format: str
    ) -> None:
        self._known = known
        self._workspace_id = workspace_id
        self._format = format
        self._prober = Prober(known, pseudonyms, workspace_id=workspace_id, format=format)

    def watch(self, items: Iterable[ReadItem]) -> Iterator[ReadItem]:
        return self._prober.watch(items)

    def decide(self) -> dict[str, Match]:
        """
        By the export's conversation ids, once the items are exhausted. Others are nobody else's.

        No two conversations of the export become one: whichever has more in common comes first.
        What else of the archive is the same chat as one of them was apart for want of it.
        """
        told = self._prober.told
        by_own = {one.own: one for one in told.values()}
        candidates = {known for own in by_own for known in self._prober.evidence.candidates(own)}
        known = self._known.conversations(self._workspace_id, candidates | by_own.keys())
        aliases = self._known.aliases(self._workspace_id, by_own.keys())
        found: list[Found] = []
        for own, one in by_own.items():
            if is_settled_by_ids(one, known.get(own)):
                continue  # the source says which message is which
            found += self._candidates(one, known)
        found.sort(key=lambda one: (-one.texts, one.match.own != one.match.into, one.match.into))
        matches: dict[str, Match] = {}
        joins: defaultdict[str, list[UUID]] = defaultdict(list)
        taken: set[UUID] = set()
        proven = [one.match for one in found]
        for match in [*proven, *map(earlier_match, aliases.values())]:
            source = by_own[match.own].source
            # Another conversation of the export is it already, by its name or id.
            is_another = match.is_foreign and match.into in known.keys() & by_own.keys()
            if match.into in taken or is_another:
                continue
            if source not in matches:
                matches[source] = match
                taken.add(match.into)
            elif match in proven:
                joins[source].append(match.into)
                taken.add(match.into)
        return {source: with_joins(match, joins[source]) for source, match in matches.items()}

    def _candidates(self, told: Told, known: Mapping[UUID, KnownConversation]) -> Iterator[Found]:
        evidence = self._prober.evidence
        for id, anchors in evidence.candidates(told.own).items():
            there = known.get(id)
            if there is None:
                continue
            pair = Pair(
                own=told.own,
                known=id,
                is_same_title=is_same_title(told.title, there.title),
                are_ids_decisive=is_other_by_ids(told, there, self._format),
            )

            def asked(first: int, last: int) -> int:
                return evidence.asked(told.own, first, last)

            def counted(first: int, last: int, id: UUID = id) -> int:
                return self._known.count(self._workspace_id, Span(id, first, last))

            found = decide(pair, anchors, asked=asked, known=counted)
            if found is not None:
                yield found


def with_joins(match: Match, others: Sequence[UUID]) -> Match:
    if not others:
        return match
    return replace(match, joins=tuple(sorted(others)), rule=joined(match.rule, len(others)))


def is_settled_by_ids(told: Told, known: KnownConversation | None) -> bool:
    return known is not None and told.has_ids and known.has_ids and not known.is_mixed


def is_other_by_ids(told: Told, known: KnownConversation, format: str) -> bool:
    """Unless its messages have the same ids, too."""
    is_comparable = told.has_ids and known.has_ids and known.format == format
    return is_comparable and told.own != known.id


def is_same_title(one: str, other: str) -> bool:
    return comparable(one).casefold() == comparable(other).casefold() != ""


def earlier_match(alias: KnownAlias) -> Match:
    """What was found of an earlier export: the clocks are as they were at its end."""
    match = Match.from_fact(alias.match)
    last = match.shifts[-1]
    return Match(
        own=match.own,
        into=match.into,
        authors=match.authors,
        shifts=(last._replace(earliest=0, since=0),),
        slack=match.slack,
        rule=AS_BEFORE,
    )
