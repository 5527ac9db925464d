"""What each line of an exported search says, in this order, under these names."""

from __future__ import annotations

from infrastructure.exports.hits import ExportedHit
from interfaces.http.export_formats import Row
from interfaces.http.export_rows import named

HIT = (
    "rank",
    "score",
    "probability",
    "meaning",
    "meaningRank",
    "words",
    "wordsRank",
    "messageId",
    "conversationId",
    "conversation",
    "authorId",
    "author",
    "sentAt",
    "kind",
    "text",
    "sameTextCount",
    "duplicateCount",
    "uploadId",
    "upload",
    "labels",
)


def hit_row(found: ExportedHit) -> Row:
    hit, message = found.hit, found.hit.message
    values = (
        found.rank,
        hit.score,
        hit.probability,
        hit.meaning,
        hit.meaning_rank,
        hit.words,
        hit.words_rank,
        str(message.id),  # beyond what every reader of JSON takes for a number
        message.conversation_id,
        message.conversation,
        message.author_id,
        message.author,
        message.sent_at,
        message.kind,
        message.text,
        hit.same_text,
        hit.duplicates,
        found.facts.upload_id,
        found.facts.upload,
        list(found.facts.labels),
    )
    return named(HIT, values)
