"""What was found becomes hits, with all that is shown of them, in few round trips."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from application.ports.search import Hit, Moment, Place, SearchRequest
from infrastructure.search import messages
from infrastructure.search.ranking import Ranked
from infrastructure.search.tsquery import TsQueries
from infrastructure.search.words import Spans, highlights


def assemble(
    connection: Connection[Any],
    request: SearchRequest,
    words: TsQueries,
    chosen: Sequence[Ranked],
    moment: Moment,
) -> list[Hit]:
    """With all that is shown of them, in few round trips."""
    ids = [entry.message_id for entry in chosen]
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
        texts = [(message[id_].language, message[id_].text) for id_ in ids]
        marks = highlights(connection, words=words, texts=texts)
    hits = []
    for entry, spans in zip(chosen, marks, strict=True):
        id_ = entry.message_id
        before, after = neighbours[id_]
        hits.append(
            Hit(
                message=message[id_],
                place=Place(*moment, entry.level, entry.key, id_),
                score=entry.score,
                probability=entry.probability,
                meaning=entry.meaning,
                meaning_rank=entry.meaning_rank,
                words=entry.words,
                words_rank=entry.words_rank,
                highlights=spans,
                before=before,
                after=after,
                same_text=same.get(id_, 0),
                stands_for=entry.keys,
            )
        )
    return hits
