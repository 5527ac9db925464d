"""What both sides found becomes one order, of which pages are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from infrastructure.search.scoring import Scored, Sides
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
    probability: float | None = None
    meaning: float | None = None
    meaning_rank: int | None = None
    words: float | None = None
    words_rank: int | None = None
    keys: tuple[Key, ...] = ()  # of all texts that it stands for, its own first


def rank(scored: Sequence[Scored], sides: Sides, level: int) -> list[tuple[Key, Ranked]]:
    """With what each side says of them."""
    by_meaning = {hit.message_id: (place, hit) for place, hit in enumerate(sides.meant, start=1)}
    by_words = {hit.message_id: (place, hit) for place, hit in enumerate(sides.worded, start=1)}
    ranked: list[tuple[Key, Ranked]] = []
    for found in scored:
        meaning_rank, near = by_meaning.get(found.message_id, (None, None))
        words_rank, worded = by_words.get(found.message_id, (None, None))
        entry = Ranked(
            message_id=found.message_id,
            level=level,
            key=found.score,
            score=found.score,
            probability=found.probability,
            meaning=None if near is None else near.cosine,
            meaning_rank=meaning_rank,
            words=None if worded is None else worded.rank,
            words_rank=words_rank,
        )
        ranked.append((found.text_key or found.message_id, entry))
    return ranked


def keys_of(sides: Sides) -> set[Key]:
    return {hit.text_key for hit in sides.meant} | {key_of(hit) for hit in sides.worded}


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
