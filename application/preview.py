"""What is shown of an export before it is read: the same everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any
from uuid import UUID

from application.comparison import ComparedConversation, Comparison
from application.inspection import WARNINGS_KEPT, Inspection, Inspector
from application.merging import Merging
from application.ports.chat_reader import (
    AmbiguousFormatError,
    ChatReader,
    DatesRead,
    Export,
    ReadFacts,
    ReadItem,
    ReadOptions,
    ReadWarning,
    Recognition,
)
from application.ports.comparing import ArchiveComparer, Comparing
from application.ports.jobs import Stopped
from application.sampling import SampleLine, Sampler, lines_in_each_order
from application.storable import clean

CONVERSATIONS_SHOWN = 1_000
FILES_IN_DOUBT_SHOWN = 20
NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    format: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DateOrders:
    """How numeric dates are read, over all files."""

    chosen: str
    possible: tuple[str, ...]  # what the file permits, the chosen one first
    decided_by: str | None  # "file", "person"; None: nobody, `chosen` is but a guess
    doubt: str | None  # why it is but a guess
    files: tuple[str, ...]  # that leave it open, the first few


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonShown:
    """Over all conversations, and of the first ones each."""

    fresh: int
    edited: int
    vanished: int
    known: int
    is_current: bool
    conversations: tuple[ComparedConversation, ...]

    @classmethod
    def of(cls, comparison: Comparison) -> ComparisonShown:
        every = comparison.conversations
        return cls(
            fresh=sum(one.fresh for one in every),
            edited=sum(one.edited for one in every),
            vanished=sum(one.vanished for one in every),
            known=sum(one.known for one in every),
            is_current=comparison.is_current,
            conversations=every[:CONVERSATIONS_SHOWN],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    file: str
    reason: str | None  # why it is this format
    candidates: tuple[Candidate, ...]  # formats that claim it equally; then nothing else is known
    inspection: Inspection | None
    dates: DateOrders | None  # None: no numeric dates
    samples: tuple[SampleLine, ...]
    comparison: ComparisonShown | None  # None: not compared
    is_complete: bool  # False: a broken tail was left out
    questions: tuple[str, ...]  # date_order, format: what somebody has to say before it is read

    def as_json(self) -> dict[str, Any]:
        """One object, the same for `chatledger inspect --json` and for GraphQL."""
        found: dict[str, Any] = {"file": self.file, "format": None, "reason": self.reason}
        if self.inspection is not None:
            found |= asdict(self.inspection)
            found["conversations"] = found["conversations"][:CONVERSATIONS_SHOWN]
            found["conversation_count"] = len(self.inspection.conversations)
        found["candidates"] = [asdict(one) for one in self.candidates]
        found["dates"] = None if self.dates is None else asdict(self.dates)
        found["samples"] = [asdict(one) for one in self.samples]
        found["comparison"] = None if self.comparison is None else comparison_as_json(self)
        found["is_complete"] = self.is_complete
        found["questions"] = list(self.questions)
        return dict(clean(found))


def comparison_as_json(preview: Preview) -> dict[str, Any]:
    found = asdict(preview.comparison) if preview.comparison is not None else {}
    for one in found["conversations"]:
        into = one["merges_into"]
        one["merges_into"] = None if into is None else str(into)
    return found


def never() -> bool:
    return False


class Previewer:
    """
    Looks through an export once, to its end, and records nothing.

    Args:
        comparer: None: there is no archive to compare with.
        merging_in: makes what finds, of a workspace, messages that exports tell again, by the
            options of an upload; None: only ids tell what the archive has.
    """

    def __init__(
        self,
        comparer: ArchiveComparer | None = None,
        merging_in: Callable[[UUID, Mapping[str, Any]], Merging] | None = None,
    ) -> None:
        self._comparer = comparer
        self._merging_in = merging_in

    def look(
        self,
        reader: ChatReader,
        recognition: Recognition,
        export: Export,
        options: ReadOptions,
        *,
        workspace_id: UUID | None = None,
        merge: Mapping[str, Any] = NO_OPTIONS,
        should_stop: Callable[[], bool] = never,
        warnings_kept: int = WARNINGS_KEPT,
    ) -> Preview:
        """
        Args:
            workspace_id: whose archive it is compared with; None: it is not compared.
            merge: the upload's options; `merge` among them says what may be merged.

        Raises:
            Stopped: when asked to.
            UnreadableExportError: if not even one item can be read.
        """
        facts = ReadFacts()
        inspector = Inspector(warnings_kept=warnings_kept)
        sampler = Sampler()
        fatal: list[ReadWarning] = []

        def passing() -> Iterator[ReadItem]:
            for item in watched(reader.read(export, options, facts), should_stop, fatal):
                inspector.add(item)
                sampler.add(item)
                yield item

        def again() -> Iterator[ReadItem]:
            return watched(reader.read(export, options, ReadFacts()), should_stop, [])

        merging = None
        if workspace_id is not None and self._merging_in is not None:
            merging = self._merging_in(workspace_id, merge)
        comparison = self._compared(passing(), again, workspace_id, reader.format, merging)
        inspection = inspector.result(format=reader.format, file=export.name, facts=facts)
        dates = orders_of(facts.dates, options)
        open_ones = [one for one in facts.dates if len(one.possible) > 1]
        samples = sampler.lines(facts.date_order)
        if open_ones:
            first = next((one for one in open_ones if one.doubt is not None), open_ones[0])
            samples = lines_in_each_order(reader, export, options, first) or samples
        return Preview(
            file=export.name,
            reason=recognition.reason,
            candidates=(),
            inspection=inspection,
            dates=dates,
            samples=samples,
            comparison=None if comparison is None else ComparisonShown.of(comparison),
            is_complete=not fatal,
            questions=() if dates is None or dates.decided_by else ("date_order",),
        )

    def _compared(
        self,
        items: Iterator[ReadItem],
        again: Callable[[], Iterator[ReadItem]],
        workspace_id: UUID | None,
        format: str,
        merging: Merging | None,
    ) -> Comparison | None:
        """
        Exhausts the items.

        Args:
            again: the items once more; asked for where part of them is the archive's.
        """
        if self._comparer is None or workspace_id is None:
            return consume(items, None)
        if merging is not None:
            items = merging.watch(items, format)
        is_apart = merging is not None and merging.is_apart
        with self._comparer.comparing(workspace_id, format, is_apart=is_apart) as comparing:
            comparison = consume(items, comparing)
        book = None if merging is None else merging.book(format)
        if merging is None or not book:
            return comparison
        with self._comparer.comparing(workspace_id, format, book=book) as comparing:
            return consume(iter(merging.place(again(), book)), comparing)


def undecided(export: Export, error: AmbiguousFormatError) -> Preview:
    """Of a file that several formats claim equally: to read it would be to guess."""
    return Preview(
        file=export.name,
        reason=None,
        candidates=tuple(
            Candidate(format=claim.format, reason=claim.reason) for claim in error.claims
        ),
        inspection=None,
        dates=None,
        samples=(),
        comparison=None,
        is_complete=True,
        questions=("format",),
    )


def consume(items: Iterator[ReadItem], comparing: Comparing | None) -> Comparison | None:
    if comparing is None:
        for _ in items:
            pass
        return None
    # Only now: to look at a file without an archive should not load what an archive needs.
    from application.transcription import batches

    for batch, conversations in batches(items):
        comparing.add(batch, conversations)
    return comparing.result()


def orders_of(dates: list[DatesRead], options: ReadOptions) -> DateOrders | None:
    if not dates:
        return None
    in_doubt = [one for one in dates if one.doubt is not None]
    first = in_doubt[0] if in_doubt else dates[0]
    possible = dict.fromkeys(
        order for one in ([first] if in_doubt else dates) for order in one.possible
    )
    decided_by = "file"
    if options.date_order is not None:
        decided_by = "person"
    return DateOrders(
        chosen=first.order,
        possible=tuple(possible),
        decided_by=None if in_doubt else decided_by,
        doubt=first.doubt,
        files=tuple(one.file for one in in_doubt[:FILES_IN_DOUBT_SHOWN]),
    )


def watched(
    items: Iterable[ReadItem], should_stop: Callable[[], bool], fatal: list[ReadWarning]
) -> Iterator[ReadItem]:
    """Pass items on; note what ended the reading early; heed a request to stop."""
    for number, item in enumerate(items):
        if number % 1_000 == 0 and should_stop():
            raise Stopped
        if isinstance(item, ReadWarning) and item.is_fatal:
            fatal.append(item)
        yield item


def read_options(options: Mapping[str, Any]) -> ReadOptions:
    return ReadOptions(
        timezone=options.get("timezone"),
        date_order=options.get("date_order"),
        columns=options.get("columns") or {},
    )


def inspected_facts(preview: Preview, reader: ChatReader) -> dict[str, Any]:
    """The fields of `Upload.Inspected`."""
    found = preview.inspection
    assert found is not None  # noqa: S101 - for the type checker: only a tie has none
    return {
        "format": found.format,
        "reader_version": reader.version,
        "reason": preview.reason,
        "timezone": found.timezone,
        "date_order": found.date_order,
        "conversations": len(found.conversations),
        "messages": found.messages,
        "system": found.system,
        "authors": found.authors,
        "first_at": found.first,
        "last_at": found.last,
        "unknown_keys": found.unknown_keys,
        "is_complete": preview.is_complete,
        "warnings": [asdict(warning) for warning in found.warnings],
    }
