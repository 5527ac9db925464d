"""RSMF as review platforms and their tools write it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from application.ports.chat_reader import ReadOptions
from domain.message import Attachment, Author, Conversation, Edit, Reaction
from tests.infrastructure.readers.rsmf_exports import (
    ANN,
    AT,
    ROME,
    envelope,
    manifest,
    manifest_file,
    packed,
    read,
    said,
)
from tests.infrastructure.readers.support import (
    MemoryFile,
    json_file,
    utc_stamp,
    zip_file,
)
from tests.support.data import data_path


@pytest.mark.parametrize(
    "file", ["sample1-rsmf_manifest.json", "sample2-rsmf.zip", "sample4-rsmf_manifest.json"]
)
def test_upstreams_samples_give_their_one_event_and_nothing_unknown(file: str) -> None:
    found = read(data_path("fixtures", "rsmf") / file)
    (message,) = found.messages
    assert [c.title for c in found.conversations] == ["C1"]
    assert found.facts.unknown_keys == {}
    assert local_time(message.sent_at) == "2013-01-10T15:53:00"
    assert (message.precision, message.zone, message.kind) == ("second", "assumed", "message")


def local_time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def test_what_upstreams_samples_lack_is_told_of() -> None:
    folder = data_path("fixtures", "rsmf")
    nameless = read(folder / "sample1-rsmf_manifest.json")
    assert nameless.messages[0].author == ("1", "1")
    assert nameless.reasons == [
        "participants: a participant without an id; left out",
        "does not list 1 participants that events name (1)",
    ]
    manifest_of_fourth = folder / "sample4-rsmf_manifest.json"
    wrong = read(manifest_of_fourth)
    assert wrong.messages[0].author == ("Participant Display", "Participant Display")
    assert wrong.texts == ["Here is an event body"]
    assert wrong.messages[0].attachments == (Attachment("avatar.png", None, None),)
    assert wrong.reasons == []  # a manifest alone has no files beside it
    packed_alone = zip_file({"rsmf_manifest.json": manifest_of_fourth.read_bytes()})
    assert read(packed_alone).reasons == ["lacks the files of 1 attachments that events name"]
    assert read(folder / "sample2-rsmf.zip").reasons == []


def test_one_day_is_the_same_as_a_message_a_zip_and_a_manifest() -> None:
    day = manifest(said("e-one-x", "a"), said("e-two-x", "b"))
    forms = [
        MemoryFile(envelope(packed(day)), "day.rsmf"),
        MemoryFile(envelope(packed(day)).replace(b"\r\n", b"\n"), "message.eml"),
        MemoryFile(packed(day), "rsmf.zip"),
        MemoryFile(packed(day), "day.rsmf"),
        json_file(day, "rsmf_manifest.json"),
        zip_file({"all/day.rsmf": envelope(packed(day))}),
        zip_file({"all/day.rsmf": packed(day)}),
        zip_file({"one.zip": packed(day)}),
        MemoryFile(json.dumps(day, ensure_ascii=False).encode("utf-16"), "renamed.json"),
    ]
    for file in forms:
        found = read(file)
        assert found.conversations == [("CROME", "Rome", "channel")]
        assert [(m.key, m.text) for m in found.messages] == [("e-one-x", "a"), ("e-two-x", "b")]
        assert found.messages[0].author == Author("UANNA", "Ann")
        assert found.warnings == []


def test_the_days_of_a_conversation_are_one_conversation() -> None:
    """Read in the order of their names; a conversation is yielded once."""
    days = {
        "out/2024-01-16.rsmf": envelope(
            packed(manifest(said("e-two-x", "b", timestamp="2024-01-16T08:00:00Z")))
        ),
        "out/2024-01-15.rsmf": envelope(packed(manifest(said("e-one-x", "a")))),
        "out/report.csv": b"file,count\n",
    }
    found = read(zip_file(days))
    assert found.conversations == [("CROME", "Rome", "channel")]
    assert found.texts == ["a", "b"]
    assert found.warnings == []


def test_ids_that_were_counted_in_each_file_anew_are_not_mixed_up() -> None:
    """
    The standard makes ids unique in their manifest only. Without this, the second day's “1”
    would be taken for an edit of the first day's, and Bob's words for Ann's.
    """

    def day(date: str, people: Sequence[dict[str, Any]], title: str) -> bytes:
        conversation = {**ROME, "id": "C1", "display": title, "participants": ["P1"]}
        events = [
            said("1", f"{date} one", conversation="C1", participant="P1"),
            said("2", f"{date} two", conversation="C1", participant="P2", parent="1"),
        ]
        for event in events:
            event["timestamp"] = f"{date}T10:00:00Z"
        return envelope(
            packed(manifest(*events, participants=list(people), conversations=[conversation]))
        )

    ann = {"display": "Ann", "email": "ann@example.org"}
    bob = {"display": "Bob", "account_id": "555-1"}
    files = {
        "1.rsmf": day("2024-01-15", [{"id": "P1", **ann}, {"id": "P2", **bob}], "Rome"),
        "2.rsmf": day("2024-01-16", [{"id": "P1", **bob}, {"id": "P2", **ann}], "Rome"),
        "3.rsmf": day("2024-01-16", [{"id": "P1", **bob}, {"id": "P2", **ann}], "Oslo"),
    }
    found = read(zip_file(files))
    assert found.conversations == [
        ("Rome (C1)", "Rome", "channel"),
        ("Oslo (C1)", "Oslo", "channel"),
    ]
    first, second = "1@2024-01-15T10:00:00Z", "1@2024-01-16T10:00:00Z"
    assert [m.key for m in found.messages[::2]] == [first, second, second]
    assert [m.reply_to for m in found.messages[1::2]] == [first, second, second]
    assert [m.author for m in found.messages] == [
        *[("ann@example.org", "Ann"), ("555-1", "Bob")],
        *[("555-1", "Bob"), ("ann@example.org", "Ann")] * 2,
    ]
    again = read(zip_file({"copy.rsmf": files["2.rsmf"], **files}))
    assert {m.key for m in again.messages} == {m.key for m in found.messages}


def test_two_people_of_one_name_in_one_file_stay_two() -> None:
    twins = [{"id": "1", "display": "Ann"}, {"id": "2", "display": "Ann"}]
    events = [said("x-a-x", participant="1"), said("x-b-x", participant="2")]
    found = read(manifest_file(*events, participants=twins))
    assert [m.author for m in found.messages] == [("Ann", "Ann"), ("Ann (2)", "Ann")]


def test_every_type_of_event_has_its_kind_and_words() -> None:
    events = [
        said("e-a-x", "spoken"),
        said("e-b-x", "before", type="history"),
        said("e-c-x", "This is recorded", type="disclaimer"),
        said("e-d-x", type="join", body=""),
        {"type": "leave", "conversation": "CROME", "timestamp": AT, "participant": "UBOBB"},
        said("e-f-x", "a poll", type="unknown"),
        {"type": "unknown", "conversation": "CROME", "timestamp": AT},
        said("e-h-x", "", deleted=True),
        said("e-i-x", "Ann joined by a link", type="join"),
    ]
    found = read(manifest_file(*events))
    assert [(m.kind, m.text) for m in found.messages] == [
        ("message", "spoken"),
        ("message", "before"),
        ("system", "This is recorded"),
        ("system", "Ann joined"),
        ("system", "Bob left"),
        ("message", "a poll"),
        ("system", "An event of a kind that the export does not name"),
        ("deleted", ""),
        ("system", "Ann joined by a link"),
    ]
    assert found.messages[4].author == ("UBOBB", "Bob")
    types = [(m.extra or {}).get("type") for m in found.messages]
    assert types == [
        *[None, "history", "disclaimer", "join", "leave", "unknown", "unknown", None, "join"]
    ]
    assert found.facts.unknown_keys == {}


def test_a_parent_is_what_was_answered_and_its_root_is_the_thread() -> None:
    events = [
        said("m-root-x"),
        said("m-one-x", parent="m-root-x"),
        said("m-two-x", parent="m-one-x"),
        said("m-three-x", parent="m-away-x"),
        said("m-self-x", parent="m-self-x"),
    ]
    places = [(m.reply_to, m.thread) for m in read(manifest_file(*events)).messages]
    assert places == [
        (None, None),
        ("m-root-x", "m-root-x"),
        ("m-one-x", "m-root-x"),
        ("m-away-x", "m-away-x"),
        (None, None),
    ]


def test_reactions_edits_and_files_are_kept() -> None:
    event = said(
        "e-a-x",
        "third",
        reactions=[
            {"value": ":thumbsup:", "count": 3, "participants": ["UBOBB"]},
            {"value": "🎉", "participants": ["UANNA", "UXXXX"]},
            {"value": "eyes"},
        ],
        edits=[
            {"participant": "UANNA", "timestamp": "2024-01-15T12:00:00Z", "previous": "second"},
            {"participant": "UANNA", "timestamp": "2024-01-15T11:00:00Z", "previous": "first"},
        ],
        attachments=[
            {"id": "A1.pdf", "display": "plan.pdf", "size": 12},
            {"id": "A2.png"},
            {"id": "A3.png", "display": "gone.png", "size": "big"},
        ],
    )
    file = MemoryFile(packed(manifest(event), **{"A1.pdf": b"x" * 99, "A2.png": b"x" * 7}), "a.zip")
    found = read(file)
    (message,) = found.messages
    assert message.reactions == (
        Reaction("thumbsup", ("UBOBB",), 3),
        Reaction("🎉", ("UANNA", "UXXXX"), 2),
        Reaction("eyes", (), 1),
    )
    noon = datetime(2024, 1, 15, 12, tzinfo=UTC)
    assert message.edits == (Edit("first", noon.replace(hour=11)), Edit("second", noon))
    assert message.edited_at == noon
    assert message.attachments == (
        Attachment("plan.pdf", None, 12),
        Attachment("A2.png", None, 7),
        Attachment("gone.png", None, None),
    )
    assert message.extra is None
    assert found.reasons == [
        "does not list 1 participants that events name (UXXXX)",
        "lacks the files of 1 attachments that events name",
    ]


def test_an_edit_without_the_former_text_still_has_its_time() -> None:
    edit = {"participant": "UBOBB", "timestamp": "2024-01-15T12:00:00Z", "new": "later"}
    event = {k: v for k, v in said("e-a-x", edits=[edit]).items() if k != "body"}
    (message,) = read(manifest_file(event)).messages
    assert (message.text, message.edits) == ("later", ())
    assert message.edited_at == datetime(2024, 1, 15, 12, tzinfo=UTC)
    assert message.extra == {"edits": [edit]}, "somebody else edited it"


def test_what_a_message_has_no_place_for_is_kept_beside_it() -> None:
    receipts = [{"participant": "UBOBB", "timestamp": AT, "action": "read"}]
    custom = [{"name": "GPS", "value": "41 24.2028, 2 10.4418"}]
    event = said("e-a-x", importance="high", direction="incoming", read_receipts=receipts)
    event |= {"custom": custom, "mood": "blue"}
    found = read(manifest_file(event, said("e-b-x", importance="normal")))
    assert [m.extra for m in found.messages] == [
        {
            "importance": "high",
            "direction": "incoming",
            "read_receipts": receipts,
            "custom": custom,
            "mood": "blue",
        },
        None,
    ]
    assert found.facts.unknown_keys == {"events.mood": 1}


def test_keys_nobody_knows_are_counted_wherever_they_are() -> None:
    file = manifest_file(
        said("e-a-x"),
        participants=[{**ANN, "shoe": 38, "email": "a@example.org", "avatar": "a.png"}],
        conversations=[{**ROME, "mood": 1, "custodian": "UANNA", "icon": "i.png", "custom": []}],
        eventcollectionid="T1",
        weather="fine",
    )
    assert read(file).facts.unknown_keys == {
        "participants.shoe": 1,
        "conversations.mood": 1,
        "weather": 1,
    }


@pytest.mark.parametrize(
    ("written", "utc", "precision", "zone"),
    [
        ("2018-09-11T09:45:00", "2018-09-11T07:45:00", "second", "stated"),
        ("2018-09-11T09:45:00Z", "2018-09-11T09:45:00", "second", "stated"),
        ("2018-09-11T09:45:00-05:00", "2018-09-11T14:45:00", "second", "stated"),
        ("2018-09-11T09:45:00.5+0530", "2018-09-11T04:15:00.500000", "millisecond", "stated"),
        ("2018-09-11T09:45:00.1234567Z", "2018-09-11T09:45:00.123456", "microsecond", "stated"),
        ("2018-09-11 09:45:00.000Z", "2018-09-11T09:45:00", "millisecond", "stated"),
        ("2018-09-11T09:45Z", "2018-09-11T09:45:00", "minute", "stated"),
        ("2018-09-11", "2018-09-10T22:00:00", "day", "stated"),
        (1536659100, "2018-09-11T09:45:00", "second", "stated"),
        ("1536659100123", "2018-09-11T09:45:00.123000", "millisecond", "stated"),
    ],
)
def test_times_are_taken_as_they_are_written(
    written: Any, utc: str, precision: str, zone: str
) -> None:
    found = read(
        manifest_file(said("e-a-x", timestamp=written)), ReadOptions(timezone="Europe/Berlin")
    )
    (message,) = found.messages
    assert message.sent_at == datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert (message.precision, message.zone) == (precision, zone)
    assert found.facts.timezone == "Europe/Berlin"


def test_a_local_time_without_a_stated_zone_is_an_assumption() -> None:
    found = read(manifest_file(said("e-a-x", timestamp="2018-09-11T09:45:00")))
    assert [(utc_stamp(m), m.zone) for m in found.messages] == [("2018-09-11T09:45:00Z", "assumed")]
    assert found.facts.timezone == "UTC"


def test_another_zone_changes_no_key() -> None:
    file = manifest_file(said(None, timestamp="2018-09-11T09:45:00"), said("7"))
    keys = [
        [m.key for m in read(file, ReadOptions(timezone=zone)).messages]
        for zone in (None, "Europe/Berlin")
    ]
    assert keys[0] == keys[1]
    assert len(set(keys[0])) == 2


def test_events_without_ids_are_told_apart_also_equal_ones() -> None:
    file = manifest_file(said(), said(), said(body="other"))
    assert len({m.key for m in read(file).messages}) == 3


def test_events_without_a_time_get_the_one_before() -> None:
    untimed = {k: v for k, v in said("e-b-x").items() if k != "timestamp"}
    found = read(manifest_file(untimed, said("e-a-x"), untimed))
    assert [(m.key, utc_stamp(m), m.zone) for m in found.messages] == [
        ("e-a-x", "2024-01-15T10:30:00Z", "stated"),
        ("e-b-x", "2024-01-15T10:30:00Z", "derived"),
    ]
    assert [w.line for w in found.warnings] == [1, None]
    header = "X-RSMF-BeginDate: 2024-01-15T09:00:00Z\r\n"
    wrapped = MemoryFile(envelope(packed(manifest(untimed)), headers=header), "day.rsmf")
    assert [utc_stamp(m) for m in read(wrapped).messages] == ["2024-01-15T09:00:00Z"]


@pytest.mark.parametrize(
    ("conversation", "kind"),
    [
        ({"type": "direct", "participants": ["UANNA", "UBOBB"]}, "direct"),
        ({"type": "direct", "participants": ["UANNA", "UBOBB", "UCARL"]}, "group"),
        ({"type": "channel", "participants": []}, "channel"),
        ({"participants": []}, "unknown"),
        ({"type": ["direct"], "participants": "all"}, "unknown"),
    ],
)
def test_the_kind_of_a_conversation(conversation: dict[str, Any], kind: str) -> None:
    raw = {"id": "CROME", "platform": "sms", "display": "Rome", **conversation}
    assert read(manifest_file(said(), conversations=[raw])).conversations == [
        ("CROME", "Rome", kind)
    ]


def test_a_conversation_without_a_name_is_named_by_its_people() -> None:
    raw = {"id": "CROME", "platform": "sms", "participants": ["UANNA", "UBOBB", "UXXXX"]}
    assert read(manifest_file(said(), conversations=[raw])).conversations[0].title == "Ann, Bob"


def test_an_event_may_leave_out_the_only_conversation_and_name_an_unlisted_one() -> None:
    nowhere = {k: v for k, v in said("e-a-x").items() if k != "conversation"}
    assert read(manifest_file(nowhere)).messages[0].conversation == "CROME"
    other = {**ROME, "id": "COSLO", "display": "Oslo"}
    found = read(
        manifest_file(nowhere, said("e-b-x", conversation="CLOST"), conversations=[ROME, other])
    )
    assert found.conversations == [
        Conversation("CROME", "Rome", "channel"),
        Conversation("COSLO", "Oslo", "channel"),
        Conversation("(no conversation)", "Events of no conversation", "unknown"),
        Conversation("CLOST", "CLOST", "unknown"),
    ]
