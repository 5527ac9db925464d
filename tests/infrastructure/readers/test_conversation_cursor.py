"""Where one conversation ends is guessed from how the next one begins."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from infrastructure.readers.ai_conversations.cutting import ConversationCursor
from infrastructure.readers.json_cursor import JsonCursor
from infrastructure.readers.limits import CHUNK
from infrastructure.readers.repairs import Repairs


def listed(raws: list[Any]) -> bytes:
    return json.dumps(raws).encode()


def conversation(number: int, first: dict[str, Any], message: dict[str, Any]) -> dict[str, Any]:
    return {**first, "number": number, "messages": [message] * 3}


@pytest.mark.parametrize("chunk", [50, 1000, CHUNK])
@pytest.mark.parametrize(
    ("first", "later", "message"),
    [
        ({"id": "c", "name": "n"}, {"id": "d", "name": "n"}, {"id": "m", "text": "t"}),
        ({"id": "c", "name": "n"}, {"id": "d", "name": "n"}, {"id": "m", "name": "t"}),
        ({"id": "c", "name": "n"}, {"name": 7, "id": "d"}, {"name": 7, "text": "t" * 50}),
    ],
    ids=["as guessed", "messages look like conversations", "later ones begin differently"],
)
def test_any_list_gives_its_elements_and_wrong_guesses_cost_no_more_than_reading(
    chunk: int, first: dict[str, Any], later: dict[str, Any], message: dict[str, Any]
) -> None:
    raws = [conversation(n, first if n < 2 else later, message) for n in range(2000)]
    data = listed(raws)
    cursor = ConversationCursor(io.BytesIO(data), Repairs(), chunk=chunk)
    assert list(cursor.elements()) == raws
    assert cursor._wasted <= 2 * (len(data) + chunk)


def test_a_text_that_looks_like_the_next_conversation_is_none() -> None:
    text = 'a }, {"id": "d", "name": "b" c'
    raws = [{"id": f"c{n}", "name": text, "messages": [{"id": text}]} for n in range(50)]
    cursor = ConversationCursor(io.BytesIO(listed(raws)), Repairs(), chunk=100)
    plain = JsonCursor(io.BytesIO(listed(raws)), Repairs(), chunk=100)
    assert list(cursor.elements()) == list(plain.elements()) == raws
