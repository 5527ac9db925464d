"""Which vector belongs to which text, beside a plain dictionary."""

from __future__ import annotations

from uuid import UUID

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from infrastructure.columns.keys import packed, unpacked
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
    asked = np.arange(14)
    keys, is_known = known.keys_of(asked)
    found = dict(zip(asked[is_known].tolist(), unpacked(keys[is_known]), strict=True))
    assert found == texts
