"""Messages in columns, beside a plain list of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from infrastructure.columns.codes import Codes
from infrastructure.columns.keys import KeyTable, packed, unpacked
from infrastructure.columns.message_table import NO_ROW, MessageTable, Told

# Keys that end in zeros are where packed ones could be taken for one another.
TEXTS = [UUID(int=0), UUID(int=1), UUID(int=256), UUID(int=1 << 120), UUID(int=(1 << 120) + 1)]
TALKS = [UUID(int=1), UUID(int=2)]
PEOPLE = [None, UUID(int=7), UUID(int=8)]


def told(id_: int, *, at: int = 0, talk: int = 0, person: int = 0, text: int | None = None) -> Told:
    return Told(
        message_id=id_,
        conversation_id=TALKS[talk],
        author_id=PEOPLE[person],
        sent_at=at,
        kind="message",
        language=None,
        features=0,
        text_key=None if text is None else TEXTS[text],
        key=id_,
        answers=0,
        thread=0,
        addressed=0,
    )


MESSAGES = st.builds(
    told,
    st.integers(0, 30),
    at=st.integers(0, 5),
    talk=st.integers(0, 1),
    person=st.integers(0, 2),
    text=st.none() | st.integers(0, len(TEXTS) - 1),
)
CHANGES = st.lists(
    st.lists(MESSAGES, max_size=8) | st.sets(st.integers(0, 30), max_size=6), max_size=12
)


@dataclass
class Both:
    """The table, and what it should hold."""

    table: MessageTable = field(default_factory=MessageTable)
    expected: dict[int, Told] = field(default_factory=dict)

    def change(self, by: list[Told] | set[int]) -> None:
        if isinstance(by, set):
            self.table.remove(by)
            for id_ in by:
                self.expected.pop(id_, None)
        else:
            self.table.add(by)
            self.expected |= {one.message_id: one for one in by}

    def ids(self, rows: np.ndarray) -> list[int]:
        alive = rows[self.table.column("alive")[rows]]
        return self.table.column("ids")[alive].tolist()


@given(CHANGES)
def test_it_holds_what_was_told_last(changes: list[list[Told] | set[int]]) -> None:
    both = Both()
    for change in changes:
        both.change(change)
    table = both.table
    assert len(table) == len(both.expected)
    asked = np.arange(-1, 33)
    rows = table.find(asked)
    assert set(asked[rows != NO_ROW].tolist()) == set(both.expected)
    for id_, one in both.expected.items():
        row = int(table.find(np.array([id_]))[0])
        assert table.talks.values[table.column("talks")[row]] == one.conversation_id
        author = int(table.column("authors")[row])
        assert (None if author < 0 else table.authors.values[author]) == one.author_id
        assert table.column("sent_at")[row] == one.sent_at
        text = int(table.column("texts")[row])
        key = None if text < 0 else unpacked(table.text_keys.of(np.array([text])))[0]
        assert key == one.text_key


@given(CHANGES)
def test_every_conversation_is_in_the_order_of_time(changes: list[list[Told] | set[int]]) -> None:
    both = Both()
    for change in changes:
        both.change(change)
    for number, talk in enumerate(both.table.talks.values):
        sequence = both.table.sequences.of(number)
        messages = [one for one in both.expected.values() if one.conversation_id == talk]
        messages.sort(key=lambda one: (one.sent_at, one.message_id))
        assert both.ids(sequence.rows) == [one.message_id for one in messages]
        for one in messages:
            row = int(both.table.find(np.array([one.message_id]))[0])
            place = both.table.sequences.place_of(sequence, row, one.sent_at)
            assert sequence.rows[place] == row


@given(CHANGES)
def test_of_each_text_the_message_sent_last_is_known(changes: list[list[Told] | set[int]]) -> None:
    both = Both()
    for change in changes:
        both.change(change)
    numbers = both.table.text_keys.find(packed(TEXTS))
    for key, number in zip(TEXTS, numbers.tolist(), strict=True):
        having = [one for one in both.expected.values() if one.text_key == key]
        expected = max(having, key=lambda one: (one.sent_at, one.message_id), default=None)
        if number < 0:
            assert expected is None
            continue
        [row] = both.table.latest(np.array([number])).tolist()
        found = None if row == NO_ROW else int(both.table.column("ids")[row])
        assert found == (expected.message_id if expected else None)


def test_who_reads_keeps_what_there_was() -> None:
    table = MessageTable()
    table.add(told(id_, at=id_) for id_ in range(100))
    ids, sequence = table.column("ids")[: table.count], table.sequences.of(0)
    table.add(told(id_, at=id_) for id_ in range(100, 5_000))
    assert ids.tolist() == list(range(100))
    assert len(sequence.rows) == 100


@given(st.lists(st.lists(st.integers(0, 2**128 - 1).map(lambda n: UUID(int=n)))))
def test_keys_keep_their_numbers(batches: list[list[UUID]]) -> None:
    table, numbers = KeyTable(), {}
    for batch in batches:
        found = table.add(packed(batch)).tolist()
        for key, number in zip(batch, found, strict=True):
            assert numbers.setdefault(key, number) == number
    every = list(numbers)
    assert len(set(numbers.values())) == len(table) == len(every)
    assert table.find(packed(every)).tolist() == list(numbers.values())
    assert unpacked(table.of(np.array(list(numbers.values()), dtype=np.int64))) == every
    assert table.find(packed([UUID(int=2**127 + 12345)])).tolist() == [
        numbers.get(UUID(int=2**127 + 12345), -1)
    ]


def test_only_what_ever_came_has_a_number() -> None:
    codes: Codes[str] = Codes()
    assert [codes.number(value) for value in ("a", "b", "a", None)] == [0, 1, 0, -1]
    assert codes.known(["b", "c"]) == [1]
    assert codes.among(np.array([0, 1, -1]), ["b", "c"]).tolist() == [False, True, False]
