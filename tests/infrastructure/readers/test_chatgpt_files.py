"""The files of ChatGPT's export: which are read, and how they are recognised."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest

from application.ports.chat_reader import UnreadableExportError
from infrastructure.readers.ai_conversations import documents
from infrastructure.readers.limits import MEBIBYTE
from infrastructure.readers.local_file import LocalFile
from infrastructure.readers.registry import Readers
from tests.infrastructure.readers.chatgpt_exports import (
    alone,
    claim_of,
    conversation,
    found_in,
    line_of,
    said,
)
from tests.infrastructure.readers.support import (
    MemoryFile,
    json_file,
    zip_file,
)
from tests.support.data import SAMPLES, data_path

# Files


@pytest.mark.parametrize(
    ("header", "known"),
    [
        ({"id": "a", "conversation_id": "b"}, ("a", "Rome")),
        ({"id": None, "conversation_id": "b"}, ("b", "Rome")),
        ({"id": 7, "conversation_id": []}, ("Rome", "Rome")),
        ({"id": None, "conversation_id": None, "title": None}, ("Conversation 1", "New chat")),
        ({"title": " "}, ("c1", "New chat")),
    ],
)
def test_a_conversation_is_named(header: dict[str, Any], known: tuple[str, str]) -> None:
    assert alone(said(1), **header).conversations == [(*known, "ai")]


def test_a_list_an_object_with_a_list_and_a_single_conversation_give_the_same() -> None:
    raw = line_of(said(1), said(2))
    listed = found_in(json_file([raw]))
    assert len(listed.messages) == 2
    for document in (raw, {"conversations": [raw]}, {"about": {}, "conversations": [raw]}):
        found = found_in(json_file(document))
        assert (found.conversations, found.messages) == (listed.conversations, listed.messages)
        assert found.warnings == []


@pytest.mark.parametrize("at_once", [0, MEBIBYTE])
@pytest.mark.parametrize("is_listed", [True, False])
def test_white_space_before_a_document_does_not_matter(
    at_once: int, is_listed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "_AT_ONCE", at_once)
    raw = line_of(said(1), said(2))
    text = " \n" * 200 + json.dumps([raw] if is_listed else raw)
    found = found_in(MemoryFile(text.encode(), "conversations.json"))
    assert len(found.messages) == 2
    assert found.warnings == []


@pytest.mark.parametrize("document", ["single", "listed", "inside"])
def test_large_documents_give_the_same_as_small_ones(
    document: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    raws = [line_of(*(said(n, "é" * n) for n in range(1, 40)), id=f"c{k}") for k in range(5)]
    value = {"single": raws[0], "listed": raws, "inside": {"a": 1, "conversations": raws}}[document]
    small = found_in(json_file(value))
    monkeypatch.setattr(documents, "_AT_ONCE", 0)
    monkeypatch.setattr(documents, "_CHUNK", 50)
    large = found_in(json_file(value))
    assert (large.conversations, large.messages) == (small.conversations, small.messages)
    assert large.warnings == small.warnings == []


def test_split_files_are_read_in_the_order_of_their_numbers() -> None:
    files = {
        f"export/conversations-{n:03}.json": json.dumps([line_of(said(n), id=f"c{n}")])
        for n in (2, 10, 0, 1)
    }
    others: dict[str, str | bytes] = {
        "export/user.json": '{"id": "user-1", "email": "ann@example.org"}',
        "export/message_feedback.json": "[]",
        "export/shared_conversations.json": '[{"id": "s", "conversation_id": "c1", "title": "t"}]',
        "export/group_chats.json": '{"chats": []}',
        "export/chat.html": "<html></html>",
        "export/file-abc-cat.png": b"\x89PNG",
    }
    found = found_in(zip_file({**others, **files}))
    assert [c.id for c in found.conversations] == ["c0", "c1", "c2", "c10"]
    assert found.facts.owner == "ann@example.org"
    assert found.warnings == []


def test_of_an_archive_with_other_conversations_only_its_own_files_are_read() -> None:
    other = json.dumps([{"uuid": "u", "chat_messages": [{"sender": "human"}]}])
    own = json.dumps([line_of(said(1))])
    files = {
        "a/conversations-000.json": other,
        "b/conversations-000.json": own,
        "b/conversations-001.json": "[",
    }
    found = found_in(zip_file(files))
    assert [m.key for m in found.messages] == ["n1"]
    assert [w.file for w in found.warnings] == ["b/conversations-001.json"]


def test_a_broken_file_does_not_cost_the_others() -> None:
    raw = json.dumps([line_of(said(1), said(2))])
    found = found_in(zip_file({"conversations-000.json": raw[:-30], "conversations-001.json": raw}))
    assert [m.key for m in found.messages] == ["n1", "n2", "n1", "n2"]
    assert [(w.file, w.line, w.is_fatal) for w in found.warnings] == [
        ("conversations-000.json", 1, False)
    ]


# Recognition


def test_the_format_is_recognised_by_content() -> None:
    raw = line_of(said(1))
    assert claim_of(json_file([raw], "anything")) == 0.95
    assert claim_of(json_file(raw)) == 0.95
    assert claim_of(json_file({"conversations": [raw]})) == 0.95
    assert claim_of(zip_file({"a/b/conversations.json": json.dumps([raw])})) == 0.95
    assert claim_of(json_file([conversation({})])) == 0.5
    assert claim_of(json_file([{"mapping": {}, "title": "x"}], "conversations.json")) is None
    assert claim_of(json_file([], "conversations.json")) is None
    assert claim_of(MemoryFile(b'"mapping": {"parent": null}', "conversations.json")) is None


def test_few_files_of_an_archive_are_looked_into() -> None:
    many = {f"a{n}.json": "{}" for n in range(200)}
    assert claim_of(zip_file(many)) is None
    named = {**many, "z/conversations-000.json": json.dumps([line_of(said(1))])}
    assert claim_of(zip_file(named)) == 0.95


def test_no_sample_of_another_format_is_claimed() -> None:
    files = [path for path in SAMPLES.iterdir() if path.suffix in {".zip", ".json"}]
    with suppress(pytest.skip.Exception):
        files += [path for path in data_path().rglob("*") if path.is_file()]
    assert len(files) >= 4
    for path in files:
        if path.stat().st_size and path.name != "conversations-branch.json":
            with suppress(UnreadableExportError):
                assert claim_of(LocalFile(path)) is None, path


def test_no_other_reader_claims_these_files_as_surely() -> None:
    readers = Readers()
    for value in ([line_of(said(1))], line_of(said(1))):
        with readers.open(json_file(value, "conversations.json")) as export:
            for name in set(readers.formats) - {"chatgpt"}:
                claim = readers.by_format(name).recognise(export)
                assert claim is None or claim.confidence < 0.85, name
