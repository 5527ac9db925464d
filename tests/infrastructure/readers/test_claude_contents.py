"""What a message of Claude says in its blocks, and its files."""

from __future__ import annotations

from typing import Any

import pytest

from domain.message import Attachment
from infrastructure.readers.claude.files import EXTRACT_LIMIT
from tests.infrastructure.readers.claude_exports import (
    alone,
    blocks,
    one,
    said,
)

# What is said


def test_text_blocks_are_the_text_and_thinking_and_tools_are_kept_beside_it() -> None:
    thinking = {"type": "thinking", "thinking": "Hm.", "summaries": [{"summary": "s"}]}
    use = {"type": "tool_use", "id": "t1", "name": "web_search", "input": {"query": "rome"}}
    result = {
        "type": "tool_result",
        "tool_use_id": "t1",
        "content": [{"type": "text", "text": "x"}],
    }
    message = one(
        blocks(
            thinking,
            {"type": "text", "text": "Let me look.", "start_timestamp": "x", "flags": None},
            use,
            result,
            {"type": "text", "text": ""},
            {"type": "text", "text": "Found it."},
        )
    )
    assert message.text == "Let me look.\n\nFound it."
    assert message.extra == {"content": [thinking, use, result]}
    assert message.kind == "message"


def test_text_is_built_from_the_blocks_and_a_stale_field_is_kept() -> None:
    block = {"type": "text", "text": "new"}
    assert (one(blocks(block)).text, one(blocks(block)).extra) == ("new", None)
    stale = one(blocks(block, text="old"))
    assert (stale.text, stale.extra) == ("new", {"text": "old"})
    spaced = one(blocks(block, block, text="new\nnew"))
    assert (spaced.text, spaced.extra) == ("new\n\nnew", None)


def test_a_placeholder_for_a_block_is_no_text() -> None:
    use = {"type": "tool_use", "name": "artifacts", "input": {}}
    shown = "```\nThis block is not supported on your current device yet.\n```"
    message = one(blocks(use, text=shown))
    assert (message.text, message.extra) == ("", {"content": [use]})
    said_around = one(blocks(use, text=f"Before.\n{shown}\n\nAfter."))
    assert (said_around.text, said_around.extra) == ("Before.\n\nAfter.", {"content": [use]})
    text = {"type": "text", "text": "Before."}
    assert one(blocks(text, use, text=f"Before.\n{shown}")).extra == {"content": [use]}


@pytest.mark.parametrize("content", [[], None, "(absent)", "", [{"type": "text", "text": ""}]])
def test_without_words_in_blocks_the_field_is_the_text(content: Any) -> None:
    message = one(said(1, "hello", content=content))
    assert (message.text, message.extra) == ("hello", None)


def test_content_that_is_a_text_is_the_text() -> None:
    assert one(said(1, "", content="hello")).text == "hello"


def test_notes_are_said_and_unknown_blocks_keep_their_text_and_are_counted() -> None:
    note = {"type": "voice_note", "title": "t", "text": "spoken"}
    other = {"type": "hologram", "text": "shown", "depth": 3}
    silent = {"type": "smell", "of": "bread"}
    found = alone(blocks(note, other, silent))
    assert found.messages[0].text == "spoken\n\nshown"
    assert found.messages[0].extra == {"content": [note, other, silent]}
    assert found.facts.unknown_keys == {"content_types.hologram": 1, "content_types.smell": 1}


def test_citations_are_kept() -> None:
    citation = {"uuid": "x", "start_index": 0, "details": {"url": "https://a.example"}}
    block = {"type": "text", "text": "a", "citations": [citation]}
    assert one(blocks(block, block)).extra == {"citations": [citation, citation]}


# Files


def test_attachments_and_files_are_attachments() -> None:
    pasted = {"file_name": "", "file_size": 5, "file_type": "txt", "extracted_content": "hello"}
    paper = {"file_name": "a.pdf", "file_size": 7, "file_type": "application/pdf"}
    picture = {"file_name": "b.png", "file_uuid": "f1", "file_kind": "image"}
    bare = {"file_name": "c.png"}
    message = one(
        said(1, attachments=[pasted, paper], files=[picture, bare], files_v2=[picture, {}])
    )
    assert message.attachments == (
        Attachment("pasted text", None, 5),
        Attachment("a.pdf", "application/pdf", 7),
        Attachment("b.png", None, None),
        Attachment("c.png", None, None),
        Attachment("file", None, None),
    )
    assert message.extra == {
        "attachments": [pasted, paper],
        "files": [picture, bare],
        "files_v2": [picture, {}],
    }
    assert one(said(1, files=[bare])).extra is None


def test_extracted_content_is_kept_up_to_a_limit() -> None:
    def extra(length: int) -> Any:
        file = {"file_name": "a.txt", "file_size": 1, "extracted_content": "x" * length}
        return (one(said(1, attachments=[file])).extra or {})["attachments"][0]

    whole = extra(EXTRACT_LIMIT)
    assert (len(whole["extracted_content"]), "extracted_length" in whole) == (EXTRACT_LIMIT, False)
    cut = extra(EXTRACT_LIMIT + 5)
    assert len(cut["extracted_content"]) == EXTRACT_LIMIT
    assert cut["extracted_length"] == EXTRACT_LIMIT + 5


def test_paths_in_names_of_files_open_nothing() -> None:
    (attachment,) = one(said(1, files=[{"file_name": "../../etc/passwd"}])).attachments
    assert attachment.name == "../../etc/passwd"
