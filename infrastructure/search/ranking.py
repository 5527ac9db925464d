"""What both sides found becomes one order, of which pages are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from infrastructure.search.fusion import fuse
from infrastructure.search.meaning import MeaningHit
from infrastructure.search.words import WordsHit

Key = UUID | int  # the text's key; the message's id where it has none
# How many each side gives: at first few, and more only for whoever turns so many pages.
DEPTHS = (100, 1_000)


class Ranked(NamedTuple):
    """One message of a result. Where nothing is ranked, it has no score."""

    message_id: int
    level: int
    key: float  # what the order goes by: see application.ports.search.Place
    score: float = 0.0
    meaning: float | None = None
    meaning_rank: int | None = None
    words: float | None = None
    words_rank: int | None = None


class Sides(NamedTuple):
    """Each best first; equal texts once."""

    meant: Sequence[MeaningHit]
    worded: Sequence[WordsHit]
    is_whole: bool  # neither side has more


def rank(sides: Sides, level: int) -> list[tuple[Key, Ranked]]:
    by_meaning = {hit.text_key: (place, hit) for place, hit in enumerate(sides.meant, start=1)}
    by_words = {key_of(hit): (place, hit) for place, hit in enumerate(sides.worded, start=1)}
    ranked: list[tuple[Key, Ranked]] = []
    for key, score in fuse(list(by_meaning), list(by_words)):
        meaning_rank, near = by_meaning.get(key, (None, None))  # type: ignore[arg-type]
        words_rank, worded = by_words.get(key, (None, None))
        found = worded or near
        if found is None:
            raise AssertionError("fused out of nothing")
        entry = Ranked(
            message_id=found.message_id,
            level=level,
            key=score,
            score=score,
            meaning=None if near is None else near.cosine,
            meaning_rank=meaning_rank,
            words=None if worded is None else worded.rank,
            words_rank=words_rank,
        )
        ranked.append((key, entry))
    return ranked


def key_of(hit: WordsHit) -> Key:
    return hit.text_key or hit.message_id


def without_repetition(found: Sequence[WordsHit]) -> list[WordsHit]:
    """Of equal texts the best one."""
    unique: dict[Key, WordsHit] = {}
    for hit in found:
        unique.setdefault(key_of(hit), hit)
    return list(unique.values())


def behind(entries: Sequence[Ranked], key: float, message_id: int) -> Sequence[Ranked]:
    """
    Those behind one of them. If that one is gone meanwhile, those behind where it stood.
    """
    for number, entry in enumerate(entries):
        if entry.message_id == message_id:
            return entries[number + 1 :]
    return [entry for entry in entries if entry.key < key]
