"""What an upload that waits to be confirmed holds, and what it would bring."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import strawberry

from interfaces.graphql.connections import Connection, PageOf
from interfaces.graphql.context import Ask
from interfaces.graphql.preview_parts import (
    ColumnMapping,
    ComparedCounts,
    FormatCandidate,
    PreviewCounts,
    PreviewDates,
    PreviewedConversation,
    SampleLine,
    UnknownKey,
    ZoneCount,
)
from interfaces.graphql.reading import After, Before, First, Last
from interfaces.graphql.upload_parts import UploadWarning
from projections.paging import Slice, Window

Entry = tuple[int, Mapping[str, Any]]  # place, conversation
ENTRIES = PageOf[Entry]((int,), lambda entry: (entry[0],))


@strawberry.type(
    description="What an upload holds that is not read yet, and what it would bring to the "
    "archive as it was when the upload was inspected."
)
class UploadPreview:
    format: str | None = strawberry.field(
        description="For example `whatsapp`; null: several formats claim the file, see "
        "`candidates`. Then nothing else is known of it."
    )
    reason: str | None = strawberry.field(
        description="Why it is this format, for example `lines begin with a date and a name`."
    )
    candidates: list[FormatCandidate] = strawberry.field(
        description="Formats that claim the file equally: say one as `format`. Else empty."
    )
    owner: str | None = strawberry.field(
        description="Whose export it is, for example `Ada Lovelace`; null: it does not say so."
    )
    counts: PreviewCounts | None = strawberry.field(description="Null: the format is not known.")
    first_at: datetime | None = strawberry.field(
        description="Time of the first message, in UTC, for example `2024-03-01T09:02:00+00:00`."
    )
    last_at: datetime | None = strawberry.field(
        description="Time of the last message, in UTC, for example `2024-03-01T09:02:00+00:00`."
    )
    timezone: str | None = strawberry.field(
        description="In which local times were read, for example `Europe/Berlin`."
    )
    zones: list[ZoneCount] = strawberry.field(
        description="Where the zones of the messages' times come from."
    )
    dates: PreviewDates | None = strawberry.field(
        description="How dates in numbers are read; null: there are none."
    )
    samples: list[SampleLine] = strawberry.field(
        description="A few messages, with their times under each order of dates that is possible."
    )
    columns: list[ColumnMapping] = strawberry.field(
        description="Of a table, which column holds what. Else empty."
    )
    unknown_keys: list[UnknownKey] = strawberry.field(
        description="What is kept, but not understood; the most frequent first."
    )
    warnings: list[UploadWarning] = strawberry.field(description="Parts that would be left out.")
    is_complete: bool = strawberry.field(description="False: a broken tail would be left out.")
    comparison: ComparedCounts | None = strawberry.field(
        description="What all of it would bring, notices included; null: the format is not known."
    )
    is_current: bool = strawberry.field(
        description="False: the archive was still taking in earlier uploads, and the comparison "
        "may change."
    )
    found: strawberry.Private[Mapping[str, Any]]

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> UploadPreview:
        """
        Args:
            found: as `application.preview.Preview.as_json` gives it.
        """
        comparison = found["comparison"]
        dates = found["dates"]
        return cls(
            format=found["format"],
            reason=found["reason"],
            candidates=[FormatCandidate(**one) for one in found["candidates"]],
            owner=found.get("owner"),
            counts=PreviewCounts.of(found),
            first_at=moment(found.get("first")),
            last_at=moment(found.get("last")),
            timezone=found.get("timezone"),
            zones=[ZoneCount.of(*pair) for pair in found.get("zones", {}).items()],
            dates=None if dates is None else PreviewDates.of(dates),
            samples=[SampleLine.of(one) for one in found["samples"]],
            columns=[
                ColumnMapping(field=ours, column=theirs)
                for ours, theirs in found.get("columns", {}).items()
            ],
            unknown_keys=[
                UnknownKey(key=key, count=count)
                for key, count in found.get("unknown_keys", {}).items()
            ],
            warnings=[UploadWarning.of(one) for one in found.get("warnings", ())],
            is_complete=found["is_complete"],
            comparison=None if comparison is None else ComparedCounts.of(comparison),
            is_current=comparison is None or comparison["is_current"],
            found=found,
        )

    @strawberry.field(
        description="Its conversations in the export's order, a thousand at most: `counts` has all."
    )
    async def conversations(
        self,
        info: Ask,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[PreviewedConversation]:
        del info
        window = ENTRIES.window(first=first, after=after, last=last, before=before)
        compared = (self.found["comparison"] or {}).get("conversations", ())
        by_id = {one["id"]: one for one in compared}
        found = page_of(list(enumerate(self.found.get("conversations", ()))), window)
        return ENTRIES.connection(
            found,
            window,
            lambda entry: PreviewedConversation.of(entry[1], by_id.get(entry[1]["id"])),
        )


def page_of(entries: list[Entry], window: Window) -> Slice[Entry]:
    """Of a list that is there as a whole."""
    start = 0 if window.after is None else max(0, window.after[0] + 1)
    end = len(entries) if window.before is None else max(0, window.before[0])
    between = entries[start:end]
    if window.is_backward:
        return Slice(rows=between[-window.limit :], has_more=len(between) > window.limit)
    return Slice(rows=between[: window.limit], has_more=len(between) > window.limit)


def moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
