"""The files of claude.ai's export: which are read, and how they are recognised."""

from __future__ import annotations

import json
import random
from contextlib import suppress

import pytest

from application.ports.chat_reader import UnreadableExportError
from infrastructure.readers.ai_conversations import documents
from infrastructure.readers.limits import MEBIBYTE
from infrastructure.readers.local_file import LocalFile
from infrastructure.readers.registry import Readers
from tests.infrastructure.readers.claude_exports import (
    claim_of,
    conversation,
    found_in,
    said,
)
from tests.infrastructure.readers.support import (
    MemoryFile,
    json_file,
    zip_file,
)
from tests.support.data import SAMPLES, data_path

# Files of the export


def test_a_list_an_object_with_a_list_and_a_single_conversation_give_the_same() -> None:
    raw = conversation(said(1), said(2))
    listed = found_in(json_file([raw]))
    assert len(listed.messages) == 2
    for document in (raw, {"conversations": [raw]}):
        found = found_in(json_file(document))
        assert (found.conversations, found.messages) == (listed.conversations, listed.messages)


def test_each_conversation_of_a_long_list_ends_where_it_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(documents, "_CHUNK", 100_000)
    chance = random.Random(1)
    raws = [
        conversation(
            *(
                {"uuid": "", "name": "n", **said(n, "x" * 99, uuid=f"{k}-{n}")}
                if chance.random() < 0.3
                else said(n, 'a }, {"uuid": "z", "name": "b" c', uuid=f'{k}-{n}"\\')
                for n in range(chance.randrange(1, 60))
            ),
            uuid=f"c{k}",
            name=chance.choice(["Rome", "", 'a "b" \\']),
        )
        for k in range(80)
    ]
    found = found_in(json_file(raws))
    assert [(m.conversation, m.key, m.text) for m in found.messages] == [
        (raw["uuid"], one["uuid"], one["text"]) for raw in raws for one in raw["chat_messages"]
    ]
    assert found.warnings == []


@pytest.mark.parametrize("at_once", [0, MEBIBYTE])
@pytest.mark.parametrize("is_listed", [True, False])
def test_white_space_before_a_document_does_not_matter(
    at_once: int, is_listed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "_AT_ONCE", at_once)
    raw = conversation(said(1), said(2))
    text = " \n" * 200 + json.dumps([raw] if is_listed else raw)
    found = found_in(MemoryFile(text.encode(), "conversations.json"))
    assert len(found.messages) == 2
    assert found.warnings == []


@pytest.mark.parametrize("document", ["single", "listed", "inside"])
def test_large_documents_give_the_same_as_small_ones(
    document: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    raws = [conversation(*(said(n, "é" * n) for n in range(1, 40)), uuid=f"c{k}") for k in range(5)]
    value = {"single": raws[0], "listed": raws, "inside": {"a": 1, "conversations": raws}}[document]
    small = found_in(json_file(value))
    monkeypatch.setattr(documents, "_AT_ONCE", 0)
    monkeypatch.setattr(documents, "_CHUNK", 50)
    large = found_in(json_file(value))
    assert (large.conversations, large.messages) == (small.conversations, small.messages)
    assert large.warnings == small.warnings == []


def test_conversations_in_files_of_their_own_are_read() -> None:
    files = {f"chats/{n}.json": json.dumps(conversation(said(n), uuid=f"c{n}")) for n in range(9)}
    found = found_in(zip_file({**files, "notes.json": "{}"}))
    assert [c.id for c in found.conversations] == [f"c{n}" for n in range(9)]


# Recognition


def test_the_format_is_recognised_by_content() -> None:
    raw = conversation(said(1))
    assert claim_of(json_file([raw], "anything")) == 0.95
    assert claim_of(json_file(raw)) == 0.95
    assert claim_of(zip_file({"a/conversations.json": json.dumps([raw])})) == 0.95
    assert claim_of(json_file([conversation(said(1, "x" * 200_000))])) == 0.9
    assert claim_of(json_file([conversation()])) == 0.8
    assert claim_of(json_file([], "conversations.json")) is None
    assert claim_of(json_file([{"uuid": "x", "messages": []}], "conversations.json")) is None
    assert claim_of(json_file({"manifest": 1, "role": "human"}, "manifest.json")) is None


def test_no_sample_of_another_format_is_claimed() -> None:
    files = [path for path in SAMPLES.iterdir() if path.suffix in {".zip", ".json"}]
    with suppress(pytest.skip.Exception):
        files += [path for path in data_path().rglob("*") if path.is_file()]
    assert len(files) >= 4
    for path in files:
        is_own = path.parent.name == "claude-chat-viewer" and path.suffix == ".json"
        if path.stat().st_size and not is_own:
            with suppress(UnreadableExportError):
                assert claim_of(LocalFile(path)) is None, path


def test_no_other_reader_claims_these_files_as_surely() -> None:
    readers = Readers()
    for value in ([conversation(said(1))], conversation(said(1))):
        with readers.open(json_file(value, "conversations.json")) as export:
            for name in set(readers.formats) - {"claude"}:
                claim = readers.by_format(name).recognise(export)
                assert claim is None or claim.confidence < 0.85, name
