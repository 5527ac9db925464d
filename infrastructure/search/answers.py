"""What was found becomes hits, with all that is shown of them, in few round trips."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection

from application.ports.search import Hit, SearchRequest
from infrastructure.search import messages, words
from infrastructure.search.fusion import fuse
from infrastructure.search.meaning import MeaningHit
from infrastructure.search.words import WordsHit

Spans = tuple[tuple[int, int], ...]
Key = UUID | int  # the text's key; the message's id where it has none


class Chosen(NamedTuple):
    """The hits, best first: their messages, keys and scores, and what each side says of them."""

    ids: list[int]
    best: list[tuple[Key, float]]
    by_meaning: dict[Key, tuple[int, MeaningHit]]
    by_words: dict[Key, tuple[int, WordsHit]]


def choose(limit: int, near: list[MeaningHit], worded: list[WordsHit]) -> Chosen:
    by_meaning: dict[Key, tuple[int, MeaningHit]] = {
        hit.text_key: (rank, hit) for rank, hit in enumerate(near, start=1)
    }
    by_words: dict[Key, tuple[int, WordsHit]] = {
        hit.text_key or hit.message_id: (rank, hit) for rank, hit in enumerate(worded, start=1)
    }
    best = fuse(list(by_meaning), list(by_words))[:limit]
    ids = [(by_words.get(key) or by_meaning[key])[1].message_id for key, _ in best]
    return Chosen(ids, best, by_meaning, by_words)


def assemble(connection: Connection[Any], request: SearchRequest, chosen: Chosen) -> list[Hit]:
    """With all that is shown of them, in few round trips."""
    ids, best, by_meaning, by_words = chosen
    if not ids:
        return []
    workspace_id = request.workspace_id
    with connection.pipeline():
        found = messages.by_id(connection, workspace_id=workspace_id, ids=ids)
        context = messages.around(
            connection, workspace_id=workspace_id, ids=ids, count=request.context
        )
        repeated = messages.same_text(
            connection, workspace_id=workspace_id, ids=ids if request.with_same_text else []
        )
    message, neighbours, same = found(), context(), repeated()
    marks: Sequence[Spans] = [()] * len(ids)
    if request.with_highlights:
        texts = [message[id_].text for id_ in ids]
        marks = words.highlights(connection, query=request.query, texts=texts)
    hits = []
    for (key, score), id_, spans in zip(best, ids, marks, strict=True):
        meaning_rank, near_hit = by_meaning.get(key, (None, None))
        words_rank, word_hit = by_words.get(key, (None, None))
        before, after = neighbours[id_]
        hits.append(
            Hit(
                message=message[id_],
                score=score,
                meaning=None if near_hit is None else near_hit.cosine,
                meaning_rank=meaning_rank,
                words=None if word_hit is None else word_hit.rank,
                words_rank=words_rank,
                highlights=spans,
                before=before,
                after=after,
                same_text=same.get(id_, 0),
            )
        )
    return hits
