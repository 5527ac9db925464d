"""What an export tells again: found before its messages are recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from uuid import UUID

from application.matching.book import MatchBook
from application.matching.matcher import Matcher
from application.matching.placing import Placer
from application.ports.chat_reader import ReadItem
from application.ports.keys import Pseudonyms
from application.ports.known_messages import KnownMessages

NOBODY = UUID(int=0)  # an upload that there is not: of a preview


class Merging:
    """Of one export, as its options have it: `auto`, `ids` or `never`."""

    def __init__(
        self,
        pseudonyms: Pseudonyms,
        known: KnownMessages | None,
        *,
        workspace_id: UUID,
        upload_id: UUID = NOBODY,
        options: Mapping[str, Any],
    ) -> None:
        """
        Args:
            known: None where nothing is known but what ids say.
            options: of the upload; here `merge` counts.
        """
        self._pseudonyms = pseudonyms
        self._workspace_id = workspace_id
        self._upload_id = upload_id
        self.is_apart = options.get("merge") == "never"
        self._known = known if options.get("merge", "auto") == "auto" else None
        self.facts: Sequence[dict[str, Any]] = ()  # as they are recorded

    def alone(self, should_stop: Callable[[], bool]) -> AbstractContextManager[None]:
        """Of two overlapping exports, the second has to see what the first one brought."""
        if self._known is None:
            return nullcontext()
        return self._known.alone(self._workspace_id, should_stop=should_stop)

    def is_possible(self, should_stop: Callable[[], bool]) -> bool:
        """
        Whether the archive has anything that the export could tell again.

        Raises:
            MessagesLaggingError: if nobody can tell now.
            Stopped: when asked to.
        """
        known = self._known
        return known is not None and known.catch_up(self._workspace_id, should_stop=should_stop)

    def watch(self, items: Iterable[ReadItem], format: str) -> Iterator[ReadItem]:
        """Pass the export's items on; then it is decided what is what."""
        if self._known is None:
            yield from items
            return
        matcher = Matcher(
            self._known, self._pseudonyms, workspace_id=self._workspace_id, format=format
        )
        yield from matcher.watch(items)
        self.facts = [match.to_fact() for match in matcher.decide().values()]

    def book(self, format: str) -> MatchBook:
        return MatchBook(
            self._pseudonyms, workspace_id=self._workspace_id, format=format, facts=self.facts
        )

    def place(
        self, items: Iterable[ReadItem], book: MatchBook, recorded: Iterable[str | None] = ()
    ) -> Iterable[ReadItem]:
        """
        Give the messages that the archive has its keys.

        Args:
            recorded: keys of the messages that are recorded already, in order.
        """
        if self._known is None or not book:
            return items
        placer = Placer(
            self._known,
            workspace_id=self._workspace_id,
            upload_id=self._upload_id,
            book=book,
            recorded=recorded,
        )
        return placer.place(items)
