"""Which vector belongs to which text, beside a plain dictionary."""

from __future__ import annotations

from uuid import UUID

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from infrastructure.columns.keys import KeyTable, packed, unpacked
from infrastructure.columns.pairing import Pairing
from infrastructure.columns.text_vectors import ABSENT, TextVectors

TEXTS = [UUID(int=number) for number in (0, 1, 256, 1 << 120, 7)]
CHANGES = st.lists(st.integers(0, len(TEXTS) - 1) | st.sets(st.integers(0, 12)), max_size=12)


@given(CHANGES)
def test_both_ways_say_the_same(changes: list[int | set[int]]) -> None:
    """Each number brings a text a new vector; each set takes vectors away."""
    known, texts = TextVectors(), dict[int, UUID]()
    latest: dict[UUID, int] = {}
    for vector, change in enumerate(changes):
        if isinstance(change, set):
            known.remove(np.array(sorted(change), dtype=np.int64))
            for gone in change:
                key = texts.pop(gone, None)
                if key is not None and latest.get(key) == gone:
                    del latest[key]
        else:
            known.add(np.array([vector]), packed([TEXTS[change]]))
            texts[vector] = TEXTS[change]
            latest[TEXTS[change]] = vector
    expected = [latest.get(key, ABSENT) for key in TEXTS]
    assert known.vectors_of(packed(TEXTS)).tolist() == expected
    # By the numbers of a table that has some of the texts, in another order, and others.
    table = KeyTable()
    table.add(packed([UUID(int=99), *reversed(TEXTS[:3])]))
    assert texts_by_number(known, table, 14) == {
        vector: key for vector, key in texts.items() if key in TEXTS[:3]
    }
    table.add(packed(TEXTS))
    assert texts_by_number(known, table, 14) == texts
    numbers = table.find(packed(TEXTS))
    assert known.of_texts(numbers, table).tolist() == expected
    assert known.of_texts(np.array([ABSENT, 10_000]), table).tolist() == [ABSENT, ABSENT]


def texts_by_number(known: TextVectors, table: KeyTable, count: int) -> dict[int, UUID]:
    numbers = known.texts_of(np.arange(count), table)
    found = np.flatnonzero(numbers != ABSENT)
    return dict(zip(found.tolist(), unpacked(table.of(numbers[found])), strict=True))


@given(st.lists(st.tuples(st.booleans(), st.sets(st.integers(0, 30), min_size=1)), max_size=12))
def test_two_tables_that_grow_know_what_they_have_in_common(
    additions: list[tuple[bool, set[int]]],
) -> None:
    """Also where they are asked for after each addition, to the one or the other."""
    tables = KeyTable(), KeyTable()
    pairing = Pairing(*tables)
    for is_other, numbers in additions:
        tables[is_other].add(packed([UUID(int=number) for number in numbers]))
        for table, other, translate in (
            (tables[0], tables[1], pairing.to_other),
            (tables[1], tables[0], pairing.to_one),
        ):
            every = np.arange(len(table))
            assert translate(every).tolist() == other.find(table.of(every)).tolist()
