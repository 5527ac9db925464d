"""Every event leaves a sentence that says who did what."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from application.context import LOCAL_OWNER, SYSTEM
from domain.aggregate import ERASED
from domain.topics import EVENTS
from domain.transcript import Transcript, TranscriptEmbedding
from domain.upload import Upload
from domain.workspace import Workspace
from infrastructure.projections.rebuild import ProjectionRebuilder
from infrastructure.projections.runner import ProjectionRunner
from projections.audit_trail.projection import ACTORS, AuditTrailReadModel
from projections.audit_trail.queries import AuditRow, audit_trail
from projections.audit_trail.words import WORDS
from projections.workspaces.projection import WorkspacesReadModel
from projections.workspaces.queries import workspace_by_name, workspaces
from tests.support.archive import Ledger
from tests.support.searches import some_search

ID = UUID("12345678-9abc-4def-8123-456789abcdef")
# One of each kind, with the sentence it makes.
LABELLED: dict[str, Any] = {
    "name": "to check",
    "conversation_id": str(ID),
    "message_ids": [],
    "is_on_conversation": True,
}
SENTENCES: dict[str, tuple[dict[str, Any], str]] = {
    "workspace.created": ({"name": "Acme"}, "created the workspace «Acme»"),
    "upload.received": (
        {"filename": "x.zip", "size": 3_670_016, "after": str(ID)},
        "uploaded «x.zip» (3.5 MB), once more after it was withdrawn",
    ),
    "upload.received_again": (
        {"filename": "y.zip"},
        "uploaded the same file again, as «y.zip»",
    ),
    "upload.inspected": (
        {"format": "slack", "messages": 1_200, "authors": 1, "conversations": 3},
        (
            "recognised a slack export: 1,200 messages of 1 person in 3 conversations "
            "(upload 12345678)"
        ),
    ),
    "upload.held_back": (
        {"questions": ["confirmation", "date_order"]},
        (
            "holds upload 12345678 back until somebody says that it may be read and in which "
            "order its dates are"
        ),
    ),
    "upload.inspection_requested": ({"options": {}}, "asked what upload 12345678 holds"),
    "upload.confirmed": ({"options": {}}, "confirmed upload 12345678"),
    "upload.rejected": (
        {"reason": "x.zip: no chat export"},
        "rejected upload 12345678: x.zip: no chat export",
    ),
    "upload.reading_started": (
        {"from_batch": 3},
        "started to read upload 12345678 from batch 4",
    ),
    "upload.read": (
        {"messages": 500, "batches": 1, "joins": ["00000000-0000-0000-0000-000000000400"]},
        (
            "read upload 12345678: 500 messages in 1 batch; it joins 1 conversation to others, "
            "and what brought them is read again"
        ),
    ),
    "upload.embedding_finished": (
        {"embedded": 1, "reused": 2_000},
        "made upload 12345678 searchable by meaning: 1 text embedded, 2,000 known already",
    ),
    "upload.failed": (
        {"stage": "reading", "attempt": 2, "is_final": False, "reason": "no space left"},
        "failed at reading of upload 12345678, attempt 2, and will try again: no space left",
    ),
    "upload.retry_requested": ({}, "asked to try upload 12345678 again"),
    "upload.withdrawn": ({}, "withdrew upload 12345678"),
    "upload.refused": (
        {"filename": "huge.zip", "received": 2_048, "reason": "too large"},
        "was refused the upload of «huge.zip» after 2.0 KB: too large",
    ),
    "transcript.recorded": (
        {"slots": [0] * 500, "authors": [0] * 12, "batch": 2, "upload_id": str(ID)},
        "500 messages of 12 people were recorded (batch 3 of upload 12345678)",
    ),
    "transcript_embedding.recorded": (
        {"embedded": 400, "reused": 100, "batch": 2, "upload_id": str(ID), "model": "m@1/p1"},
        "400 texts were embedded and 100 known already (batch 3 of upload 12345678, m@1/p1)",
    ),
    "search.performed": (
        {"query": "where?", "mode": "meaning", "hits": [1] * 10, "milliseconds": 12.3},
        "searched for «where?» by meaning: 10 hits in 12 ms",
    ),
    "search.replayed": (
        {
            "search_position": 1_042,
            "hits_then": 1,
            "hits_as_of_then": [1_024],
            "hits_today": [2_048, 1_024],
        },
        "replayed the search at position 1,042: 1 hit then, 1 as of then, 2 today",
    ),
    "saved_search.saved": (
        {"name": "Jackets", "query": "life jackets"},
        "saved the search «life jackets» as «Jackets»",
    ),
    "saved_search.renamed": (
        {"name": "Life jackets"},
        "renamed saved search 12345678 to «Life jackets»",
    ),
    "saved_search.deleted": ({}, "deleted saved search 12345678"),
    "saved_search.hits_told": (
        {"saved_search_id": str(ID), "hits": [1_024, 2_048]},
        "was told of 2 new hits of saved search 12345678",
    ),
    "message.opened": (
        {"message_ids": [1_024], "conversation_ids": ["0f8fad5b-d9cb"]},
        "opened message 1024 of conversation 0f8fad5b",
    ),
    "projection.registered": (
        {"name": "messages"},
        "asked something of the read model messages for the first time",
    ),
    "projection.rebuild_requested": (
        {"name": "messages"},
        "asked for the read model messages to be built anew",
    ),
    "projection.roll_back_requested": (
        {"name": "messages"},
        "asked for the read model messages to be rolled back",
    ),
    "projection.switched_over": (
        {"name": "messages", "version": 2},
        "let readers of messages see version 2",
    ),
    "projection.operation_failed": (
        {"name": "messages", "operation": "roll_back", "reason": "none is kept"},
        "could not roll back the read model messages: none is kept",
    ),
    "label_book.opened": (
        {"workspace_id": str(ID)},
        "made the first label of the workspace",
    ),
    "label.created": ({"name": "to check"}, "created the label «to check»"),
    "label.renamed": (
        {"name": "checked", "before": "to check"},
        "renamed the label «to check» to «checked»",
    ),
    "label.deleted": ({"name": "checked"}, "deleted the label «checked»"),
    "labelling.begun": (
        LABELLED | {"message_ids": [1, 2]},
        "put the label «to check» on conversation 12345678 and 2 messages of it",
    ),
    "labelling.put_on": (
        LABELLED | {"message_ids": [1] * 1_000, "is_on_conversation": False},
        "put the label «to check» on 1,000 messages of conversation 12345678",
    ),
    "labelling.taken_off": (
        LABELLED,
        "took the label «to check» off conversation 12345678",
    ),
    "job.retried": (
        {"job_id": 7, "task": "uploads:read", "attempts": 5},
        "put job 7 (uploads:read) back into the queue after 5 attempts",
    ),
    "job.discarded": (
        {"job_id": 7, "task": "uploads:read", "was_running": True},
        "discarded job 7 (uploads:read), which was running",
    ),
    "upload.downloaded": (
        {"first_byte": 1_024},
        "downloaded the file of upload 12345678 from byte 1,024 on",
    ),
    "export.made": (
        {
            "kind": "audit_trail",
            "format": "csv",
            "up_to": 1_200,
            "first_byte": 1_000,
            "last_byte": 1_999,
            "conversation_id": None,
            "selection": None,
            "limit": None,
        },
        "exported the audit trail as csv, up to position 1,200, bytes 1,000 to 1,999 of it",
    ),
}


def test_an_export_of_a_search_says_which_and_how_much() -> None:
    facts, _ = SENTENCES["export.made"]
    selection = {"conversation_ids": [], "since": None, "until": None, "search": 42, "context": 0}
    made = facts | {
        "kind": "search",
        "first_byte": 0,
        "last_byte": None,
        "selection": selection,
        "limit": 1_000,
    }
    assert WORDS["export.made"](make_event("export.made", made)) == (
        "exported the hits of the search at position 42, at most 1,000, as csv, up to position "
        "1,200"
    )
    assert WORDS["export.made"](make_event("export.made", made | {"limit": None})) == (
        "exported all hits of the search at position 42 as csv, up to position 1,200"
    )


AROUND = ", 2 messages before and after each"
FIVE = "0-1, 1-1, 2-1, 3-1, 4-1"


@pytest.mark.parametrize(
    ("selection", "what"),
    [
        ({}, "all messages"),
        (
            {"search": 1_042, "context": 2, "conversation_ids": ["0f8fad5b-d9cb"]},
            f"the hits of the search at position 1,042{AROUND}, of conversation 0f8fad5b",
        ),
        ({"search": 7}, "the hits of the search at position 7"),
        (
            {"conversation_ids": [f"{n}-1" for n in range(7)], "since": "2024-01-01"},
            f"all messages, of conversations {FIVE} and 2 more, sent from 2024-01-01 on",
        ),
        ({"until": "2024-02-01"}, "all messages, sent before 2024-02-01"),
    ],
)
def test_an_export_says_every_condition_of_its_selection(
    selection: dict[str, Any], what: str
) -> None:
    nothing = {"conversation_ids": [], "since": None, "until": None, "search": None, "context": 0}
    facts, _ = SENTENCES["export.made"]
    made = facts | {
        "kind": "rsmf",
        "format": "rsmf",
        "first_byte": 0,
        "last_byte": None,
        "selection": nothing | selection,
    }
    sentence = WORDS["export.made"](make_event("export.made", made))
    assert sentence == f"exported {what} as RSMF, up to position 1,200"


def make_event(topic: str, facts: dict[str, Any]) -> Any:
    event = object.__new__(EVENTS[topic])
    vars(event).update(facts, originator_id=ID)
    return event


def follow(ledger: Ledger) -> ProjectionRunner:
    runner = ProjectionRunner(ledger.pool, ledger.reader, [AuditTrailReadModel()])
    runner.ensure_all()
    runner.advance("audit_trail")
    return runner


def trail(ledger: Ledger, **options: Any) -> list[AuditRow]:
    follow(ledger)
    with ledger.pool.connection() as connection:
        return audit_trail(connection, ledger.workspace_id, **options)


def perform_search(ledger: Ledger, **changes: Any) -> int:
    search = some_search(query="where is\x00 the key", mode="hybrid", hits=[7])
    return ledger.record(search, **changes)


def test_every_event_has_words_and_nothing_else_has() -> None:
    assert WORDS.keys() == EVENTS.keys() == SENTENCES.keys() == AuditTrailReadModel.topics


@pytest.mark.parametrize("topic", sorted(EVENTS))
def test_an_event_reads_as_a_sentence(topic: str) -> None:
    facts, sentence = SENTENCES[topic]
    assert WORDS[topic](make_event(topic, facts)) == sentence


@pytest.mark.parametrize("topic", sorted(EVENTS))
def test_an_event_keeps_its_sentence_when_its_personal_fields_are_erased(topic: str) -> None:
    facts, _ = SENTENCES[topic]
    cls: Any = EVENTS[topic]
    erased = facts | dict.fromkeys(cls.personal, ERASED)
    sentence = WORDS[topic](make_event(topic, erased))
    if cls.personal.keys() & facts.keys():
        assert "[erased]" in sentence


def test_the_labels_of_actors_are_those_of_the_write_side() -> None:
    assert ACTORS == {LOCAL_OWNER: "Local owner", SYSTEM: "System"}


def test_an_entry_says_who_did_what_from_where_and_why(ledger: Ledger) -> None:
    correlation, command = uuid4(), uuid4()
    ledger.record(Workspace.create("Tests"))
    perform_search(
        ledger,
        origin={"channel": "cli", "address": "local\x00host"},
        correlation_id=correlation,
        causation_position=1,
        command_id=command,
    )

    created, searched = trail(ledger, after=0)

    assert (created.actor, created.action, created.origin) == (
        "Local owner",
        "workspace.created",
        {},
    )
    assert created.subject_id == Workspace.create_id("Tests")
    assert (created.causation_position, created.command_id) == (None, None)
    assert searched.position == 2
    assert searched.words == (
        "searched for «where is\ufffd the key» by meaning and words: 1 hit in 2 ms"
    )
    assert searched.origin == {"channel": "cli", "address": "local\ufffdhost"}
    assert (searched.correlation_id, searched.command_id) == (correlation, command)
    assert searched.causation_position == 1
    assert searched.recorded_at > created.recorded_at


def test_every_event_of_the_log_has_its_entry(ledger: Ledger) -> None:
    upload = Upload.receive(
        workspace_id=ledger.workspace_id,
        blob="b" * 64,
        size=10,
        sha256="a" * 64,
        filename="x.zip",
        options={},
    )
    upload.withdraw()
    conversation, author = str(uuid4()), str(uuid4())
    head = ledger.record(
        Workspace.create("Tests"),
        upload,
        Transcript.record(
            upload_id=upload.id,
            batch=0,
            format="slack",
            texts=1,
            conversations=[conversation],
            authors=[author],
            slots=[[0, 0, 0, "message"]],
            blocks={conversation: {}, author: {}},
        ),
        TranscriptEmbedding.record(
            upload_id=upload.id,
            batch=0,
            model="m",
            dimensions=1,
            embedded=0,
            reused=1,
            counts={},
            vectors={},
        ),
        actor_id=SYSTEM,
    )

    rows = trail(ledger, after=0)

    assert [row.position for row in rows] == list(range(1, head + 1))
    assert {row.actor for row in rows} == {"System"}
    where = f"batch 1 of upload {str(upload.id)[:8]}"
    assert rows[3].words == f"1 message of 1 person was recorded ({where})"


def test_pages_go_forwards_after_a_position_and_backwards_before_one(ledger: Ledger) -> None:
    for _ in range(5):
        perform_search(ledger)

    def positions(**options: Any) -> list[int]:
        return [row.position for row in trail(ledger, **options)]

    assert positions(after=0, limit=2) == [1, 2]
    assert positions(after=2) == [3, 4, 5]
    assert positions(limit=2) == [5, 4]
    assert positions(before=4) == [3, 2, 1]
    with pytest.raises(ValueError, match="not both"):
        positions(after=1, before=2)


def test_a_workspace_sees_its_own_entries_only(ledger: Ledger) -> None:
    perform_search(ledger, workspace_id=uuid4())
    perform_search(ledger)
    perform_search(ledger, workspace_id=None)

    assert [row.position for row in trail(ledger)] == [2]


def test_after_an_erasure_a_rebuild_leaves_neither_words_nor_origin(ledger: Ledger) -> None:
    perform_search(ledger, origin={"address": "192.0.2.7"})
    [before] = trail(ledger)
    ledger.keyring.destroy(LOCAL_OWNER)

    ProjectionRebuilder(follow(ledger)).rebuild("audit_trail")

    [after] = trail(ledger)
    assert "where is" in before.words
    assert after.words == "searched for «[erased]» by meaning and words: 1 hit in 2 ms"
    assert after.origin == {}


def test_rebuilding_gives_the_entries_that_following_gave(ledger: Ledger) -> None:
    for _ in range(3):
        perform_search(ledger)
    before = trail(ledger)

    ProjectionRebuilder(follow(ledger)).rebuild("audit_trail")

    assert trail(ledger) == before


def test_a_workspace_is_found_by_any_spelling_of_its_name(ledger: Ledger) -> None:
    ledger.record(Workspace.create("Tests"), Workspace.create("Acme"))
    runner = ProjectionRunner(ledger.pool, ledger.reader, [WorkspacesReadModel()])
    runner.ensure_all()
    runner.advance("workspaces")
    with ledger.pool.connection() as connection:
        found = workspace_by_name(connection, " TESTS ")
        assert found is not None
        assert (found.workspace_id, found.name) == (ledger.workspace_id, "Tests")
        assert workspace_by_name(connection, "Nobody") is None
        assert {row.name for row in workspaces(connection)} == {"Acme", "Tests"}
