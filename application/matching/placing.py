"""Messages on their way from reader to transcript: those that the archive has get its keys."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from application.matching.book import MatchBook
from application.matching.match import Match
from application.matching.pairing import Paired, Said, form_of, pair
from application.matching.windows import Windows, last_gap
from application.ports.chat_reader import ReadItem
from application.ports.known_messages import KnownMessage, KnownMessages, Span
from application.storable import key as storable_key
from application.storable import microseconds
from domain.clock import MINUTE, UNITS
from domain.message import Message

CHUNK = 2_000  # messages that are looked for at once
# Keys are remembered as long as readers remember theirs, see ContentKeys.
REMEMBERED = 65_536


class Placed(NamedTuple):
    """A message of the export, and the one that it is in the archive, if it is there."""

    message: Message
    known: KnownMessage | None


class Share(NamedTuple):
    """What a chunk has of one conversation: messages by their place in it."""

    match: Match
    messages: dict[int, Message]


class Placer:
    """
    Gives messages the keys and the clock of the conversation that they were found to belong to.

    What it does depends on the export and the archive only, not on where batches end. Memory: one
    chunk, what the archive has of its time, and the keys of the last messages.
    """

    def __init__(
        self,
        known: KnownMessages,
        *,
        workspace_id: UUID,
        upload_id: UUID,
        book: MatchBook,
        recorded: Iterable[str | None] = (),
    ) -> None:
        """
        Args:
            upload_id: the archive's messages that this upload has brought or seen already are
                left alone.
            recorded: the keys under which the first messages were recorded before the reading
                was interrupted; None where nobody knows it any more. They stand.
        """
        self._known = known
        self._workspace_id = workspace_id
        self._upload_id = upload_id
        self._book = book
        self._recorded = iter(recorded)
        self._claimed: OrderedDict[tuple[UUID, str], None] = OrderedDict()
        self._keys: OrderedDict[tuple[UUID, str], str] = OrderedDict()  # own -> the archive's
        self._images = {match.own: frozenset(match.authors.values()) for match in book.matches}

    def place(self, items: Iterable[ReadItem]) -> Iterator[ReadItem]:
        for item in self.placed(items):
            yield item.message if isinstance(item, Placed) else item

    def placed(self, items: Iterable[ReadItem]) -> Iterator[Placed | ReadItem]:
        """In the same order. What belongs to no conversation of the archive passes unchanged."""
        waiting: list[ReadItem] = []
        messages = 0
        for item in items:
            waiting.append(item)
            messages += isinstance(item, Message)
            if messages >= CHUNK:
                cut = last_gap(waiting)
                yield from self._settle(waiting[:cut])
                waiting = waiting[cut:]
                messages = sum(isinstance(one, Message) for one in waiting)
        yield from self._settle(waiting)

    def _settle(self, items: Sequence[ReadItem]) -> Iterator[Placed | ReadItem]:
        standing = self._standing(items)
        shares = self._shares(items)
        there = self._around(shares)
        settled: dict[int, Placed] = {}
        for share in shares:
            settled |= self._pair(share, there.get(share.match.into, ()), standing)
        for place, item in enumerate(items):
            if isinstance(item, Message):
                yield settled.get(place) or Placed(item, None)
            else:
                yield item

    def _shares(self, items: Sequence[ReadItem]) -> Collection[Share]:
        """Of each conversation that is the archive's."""
        found: dict[UUID, Share] = {}
        for place, item in enumerate(items):
            if isinstance(item, Message) and (match := self._book.get(item.conversation)):
                found.setdefault(match.own, Share(match, {})).messages[place] = item
        return found.values()

    def _standing(self, items: Sequence[ReadItem]) -> dict[int, str]:
        """Of these messages the keys that they were recorded under."""
        found: dict[int, str] = {}
        for place, item in enumerate(items):
            if not isinstance(item, Message):
                continue
            key = next(self._recorded, None)
            match = self._book.get(item.conversation)
            if key is not None and match is not None:
                found[place] = key
                self._remember(match, storable_key(item.key), key)
        return found

    def _around(self, shares: Iterable[Share]) -> Mapping[UUID, Sequence[KnownMessage]]:
        """What the archive has of the time of these messages, unless one of them is it already."""
        windows = Windows()
        for match, messages in shares:
            for message in messages.values():
                reach = max(MINUTE, UNITS[message.precision]) + match.slack
                for moment in match.moments(microseconds(message.sent_at)):
                    windows.add(match.into, moment - reach, moment + reach)
        spans = [Span(*window) for window in windows.joined()]
        found: defaultdict[UUID, list[KnownMessage]] = defaultdict(list)
        if spans:
            for one in self._known.within(self._workspace_id, spans, without=self._upload_id):
                if (one.conversation_id, one.key) not in self._claimed:
                    found[one.conversation_id].append(one)
        return found

    def _pair(
        self, share: Share, there: Sequence[KnownMessage], standing: Mapping[int, str]
    ) -> dict[int, Placed]:
        match, messages = share
        unsettled = [
            place
            for place, message in messages.items()
            if place not in standing and self._own_key(match, message) not in self._keys
        ]
        said = [self._said(match, messages[place]) for place in unsettled]
        paired: dict[int, Paired] = {}
        known_there = [known_said(one) for one in there]
        taken = self._images[match.own]
        for one in pair(said, known_there, slack=match.slack, taken=taken):
            place = unsettled[one.place]
            paired[place] = one
            self._remember(match, storable_key(messages[place].key), there[one.known].key)
        settled = {}
        for place, message in messages.items():
            found = paired.get(place)
            if found is None:
                settled[place] = Placed(self._moved(match, message, 0), None)
            else:
                moved = self._moved(match, message, found.moment)
                settled[place] = Placed(moved, there[found.known])
        return settled

    def _own_key(self, match: Match, message: Message) -> tuple[UUID, str]:
        return match.own, storable_key(message.key)

    def _said(self, match: Match, message: Message) -> Said:
        own = None if message.author is None else self._book.author(message.author.id)
        author = None if own is None else match.authors.get(own)
        if author is None and own not in self._images[match.own]:
            author = own
        return Said(
            key=match.key(storable_key(message.key)),
            moments=match.moments(microseconds(message.sent_at)),
            unit=UNITS[message.precision],
            author=author,
            is_mapped=own is None or own in match.authors,
            kind=message.kind,
            form=form_of(message.kind, message.text),
        )

    def _moved(self, match: Match, message: Message, moment: int) -> Message:
        """With the archive's key, and by its clock."""
        at = microseconds(message.sent_at)
        ahead = match.moments(at)[moment] - at
        by = timedelta(microseconds=ahead)
        keyed = message._replace(
            key=self._key(match, message.key),
            reply_to=message.reply_to and self._key(match, message.reply_to),
            thread=message.thread and self._key(match, message.thread),
        )
        if not ahead:
            return keyed
        return keyed._replace(
            sent_at=message.sent_at + by,
            zone="derived" if message.zone == "assumed" else message.zone,
            edited_at=message.edited_at and message.edited_at + by,
            edits=tuple(edit._replace(at=edit.at and edit.at + by) for edit in message.edits),
        )

    def _key(self, match: Match, own: str) -> str:
        key = storable_key(own)
        return self._keys.get((match.own, key)) or match.key(key)

    def _remember(self, match: Match, own: str, key: str) -> None:
        self._keys[match.own, own] = key
        self._claimed[match.into, key] = None
        for remembered in (self._keys, self._claimed):
            while len(remembered) > REMEMBERED:
                remembered.popitem(last=False)


def known_said(known: KnownMessage) -> Said:
    return Said(
        key=known.key,
        moments=(known.sent_at,),
        unit=UNITS[known.precision],
        author=known.author_id,
        is_mapped=True,
        kind=known.kind,
        form=form_of(known.kind, known.text),
    )
