"""What was said around some messages, as `link` takes it."""

from __future__ import annotations

from collections.abc import Sequence

from infrastructure.search.context import Said
from infrastructure.search.corpus import Neighbour


def said(stretch: Sequence[int], neighbours: dict[int, Neighbour]) -> list[Said]:
    """An answered message is known by its key, as the source has it."""
    by_key = {neighbours[id_].key: id_ for id_ in stretch}
    return [
        Said(
            key=id_,
            author=one.author,
            name=one.name,
            at=one.at,
            addresses=one.addresses,
            answers=None if one.answers is None else by_key.get(one.answers),
            thread=one.thread,
        )
        for id_, one in ((id_, neighbours[id_]) for id_ in stretch)
    ]
