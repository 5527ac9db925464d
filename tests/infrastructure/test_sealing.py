"""Personal fields are sealed per subject, bound to their place, and erased with their key."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from cryptography.exceptions import InvalidTag

from domain.aggregate import ERASED
from domain.transcript import Transcript
from domain.upload import Upload
from infrastructure.keys.keyring import KeyRing, SubjectErasedError, SubjectKeyMissingError
from infrastructure.keys.master import MasterKey, MasterKeyError
from infrastructure.keys.pseudonyms import HmacPseudonyms
from infrastructure.log.mapper import UnknownTopicError
from tests.support.archive import Ledger, connect

ALICE, BOB, ROOM = (str(uuid4()) for _ in range(3))


def transcript() -> Transcript:
    return Transcript.record(
        upload_id=uuid4(), batch=0, format="any", texts=2, conversations=[ROOM],
        authors=[ALICE, BOB], slots=[[0, 0, 1, "message"], [0, 1, 2, "message"]],
        blocks={
            ROOM: {"title": "Plans", "kind": "group", "source": "1", "messages": []},
            ALICE: {
                "name": "Alice",
                "source": "a",
                "messages": [[0, {"key": "1", "text": "good morning"}]],
            },
            BOB: {"name": "Bob", "source": "b", "messages": [[1, {"key": "2", "text": "ho"}]]},
        },
    )  # fmt: skip


def stored(ledger: Ledger, aggregate: Any) -> Any:
    [event] = aggregate.collect_events()
    return ledger.mapper.to_recordable(event, ledger.context())


def test_what_people_wrote_is_not_readable_in_the_log(ledger: Ledger) -> None:
    row = stored(ledger, transcript())

    assert not [word for word in (b"Alice", b"good morning", b"Plans") if word in row.state]
    assert (
        ledger.mapper.to_domain_event(row).blocks[ALICE]["messages"][0][1]["text"] == "good morning"
    )


def test_destroying_a_key_erases_one_person_and_nobody_else(ledger: Ledger) -> None:
    """The log's bytes stay as they are."""
    row = stored(ledger, transcript())
    ledger.keyring.destroy(UUID(ALICE))

    assert {ROOM, BOB} == set(ledger.mapper.to_domain_event(row).blocks)


def test_an_erased_field_says_so(ledger: Ledger) -> None:
    upload = Upload.receive(
        workspace_id=uuid4(), blob="b", size=1, sha256="s", filename="me.txt", options={}
    )
    ledger.record(upload)
    ledger.keyring.destroy(upload.id)

    assert ledger.archive.load(Upload, upload.id).filename == ERASED


def test_nothing_new_is_recorded_about_an_erased_person(ledger: Ledger) -> None:
    ledger.keyring.ensure([UUID(BOB)])
    ledger.keyring.destroy(UUID(BOB))

    with pytest.raises(SubjectErasedError, match=BOB):
        stored(ledger, transcript())


def test_a_key_that_another_process_destroyed_is_forgotten_on_request(ledger: Ledger) -> None:
    other = KeyRing(ledger.pool, MasterKey(bytes(range(32))))
    subject = uuid4()
    ledger.keyring.ensure([subject])
    other.destroy(subject)
    ledger.keyring.forget(subject)

    assert ledger.keyring.get([subject]) == {}


@pytest.mark.parametrize("change", ["originator_id", "originator_version", "topic"])
def test_a_ciphertext_does_not_open_in_another_place(ledger: Ledger, change: str) -> None:
    """The stream, the version and the topic are part of what is authenticated."""
    upload = Upload.receive(
        workspace_id=uuid4(), blob="b", size=1, sha256="s", filename="me.txt", options={}
    )
    values: dict[str, Any] = {
        "originator_id": uuid4(),
        "originator_version": 2,
        "topic": "upload.received_again",  # seals a filename too
    }
    moved = replace(stored(ledger, upload), **{change: values[change]})

    with pytest.raises(InvalidTag):
        ledger.mapper.to_domain_event(moved)


def test_an_altered_ciphertext_does_not_open(ledger: Ledger) -> None:
    row = stored(ledger, transcript())
    at = row.state.index(b'"' + ALICE.encode() + b'":"') + len(ALICE) + 24
    altered = replace(
        row,
        state=row.state[:at]
        + (b"A" if row.state[at : at + 1] != b"A" else b"B")
        + row.state[at + 1 :],
    )

    with pytest.raises(InvalidTag):
        ledger.mapper.to_domain_event(altered)


def test_an_unknown_topic_says_that_the_log_is_newer(ledger: Ledger) -> None:
    with pytest.raises(UnknownTopicError, match="newer version"):
        ledger.mapper.to_domain_event(replace(stored(ledger, transcript()), topic="no.such"))


def test_a_lost_keys_table_is_not_taken_for_an_erasure(ledger: Ledger) -> None:
    row = stored(ledger, transcript())
    with psycopg.connect(ledger.url, autocommit=True) as owner:
        owner.execute("DELETE FROM keys.subject_key")
    ledger.keyring.forget_all()

    with pytest.raises(SubjectKeyMissingError, match="backup"):
        ledger.mapper.to_domain_event(row)


def test_another_master_key_is_refused(ledger: Ledger) -> None:
    ledger.keyring.ensure([UUID(ALICE)])
    stranger = KeyRing(ledger.pool, MasterKey(bytes(32)))

    with pytest.raises(MasterKeyError, match="not the key"):
        stranger.get([UUID(ALICE)])


def test_the_destruction_of_a_key_is_announced(ledger: Ledger) -> None:
    subject = uuid4()
    ledger.keyring.ensure([subject])
    with connect(ledger.url) as listener:
        listener.execute("LISTEN key_destroyed")
        ledger.keyring.destroy(subject)
        heard = [n.payload for n in listener.notifies(timeout=5, stop_after=1)]

    assert [str(subject)] == heard


def test_pseudonyms_differ_by_workspace_format_kind_and_master_key() -> None:
    one, other = (HmacPseudonyms(MasterKey(bytes([n]) * 32)) for n in (1, 2))
    workspace, elsewhere = uuid4(), uuid4()
    ids = [
        one.author(workspace, "slack", "U1"),
        one.author(elsewhere, "slack", "U1"),
        one.author(workspace, "telegram", "U1"),
        one.conversation(workspace, "slack", "U1"),
        other.author(workspace, "slack", "U1"),
        one.text(workspace, "U1"),
        one.text(elsewhere, "U1"),
    ]

    assert len(ids) == len(set(ids))
    assert ids[0] == one.author(workspace, "slack", "U1")
    assert [8] * len(ids) == [id_.version for id_ in ids]
