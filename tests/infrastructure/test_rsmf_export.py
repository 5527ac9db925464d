"""What Chatledger knows survives in RSMF files, for others and for itself."""

from __future__ import annotations

import email
import io
import json
import re
import tracemalloc
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from email.header import decode_header, make_header
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.message import Attachment, Author, Conversation, Edit, Message, Reaction
from infrastructure.exports.rsmf.files import ExportedConversation, RsmfFile, rsmf_files
from infrastructure.exports.rsmf.transcript import BODY_LIMIT, transcript
from infrastructure.readers.reading import GuardedReader
from infrastructure.readers.rsmf.reader import RsmfReader
from tests.infrastructure.readers.support import MemoryFile, Read, read, zip_file
from tests.support.data import data_path

ROME = Conversation("C1", "Rome trip", "group")
EXPORTED = ExportedConversation(conversation=ROME, platform="slack")
NOON = datetime(2024, 1, 15, 12, 0, tzinfo=UTC)
ANN, BOB = Author("U1", "Ann"), Author("U2", "Bob")


def said(key: str = "1", text: str = "hi", at: datetime = NOON, **more: Any) -> Message:
    fields = {"author": ANN, "precision": "second", "zone": "stated", "kind": "message", **more}
    return Message(conversation="C1", key=key, sent_at=at, text=text, **fields)


def bytes_of(file: RsmfFile) -> bytes:
    return b"".join(file.pieces())


def written(*messages: Message, exported: ExportedConversation = EXPORTED) -> RsmfFile:
    (file,) = rsmf_files(exported, messages)
    return file


def opened(file: RsmfFile) -> tuple[Any, dict[str, Any], dict[str, bytes]]:
    """The message, the manifest and the files of the zip, by other means than our reader's."""
    mail = email.message_from_bytes(bytes_of(file))
    text, attachment = mail.get_payload()  # type: ignore[misc]
    assert text.get_content_type() == "text/plain"
    assert attachment.get_filename() == "rsmf.zip"
    assert attachment["Content-Transfer-Encoding"] == "base64"
    with zipfile.ZipFile(io.BytesIO(attachment.get_payload(decode=True))) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(files.pop("rsmf_manifest.json"))
    assert manifest == file.manifest()
    return mail, manifest, files


def require_valid(manifest: dict[str, Any]) -> None:
    """By Relativity's schema where it is at hand, and by what its validator asks beyond it."""
    people = {one["id"] for one in manifest["participants"]}
    assert len(people) == len(manifest["participants"])
    conversation = manifest["conversations"][0]
    assert people.issuperset(conversation["participants"])
    ids = {event["id"] for event in manifest["events"]}
    for event in manifest["events"]:
        assert event["conversation"] == conversation["id"]
        assert event.get("parent") is None or event["parent"] in ids - {event["id"]}
        named = [event.get("participant"), *(e["participant"] for e in event.get("edits", ()))]
        for reaction in event.get("reactions", ()):
            named += reaction.get("participants", [])
        named += [one["participant"] for one in event.get("read_receipts", ())]
        assert people.issuperset(one for one in named if one is not None)


def schema() -> Any:
    path = data_path("fixtures", "rsmf", "rsmf_schema_2_0_0.json")
    return jsonschema_rs.Draft7Validator(json.loads(path.read_text()), validate_formats=True)


def read_back(*files: RsmfFile) -> Read:
    if len(files) == 1:
        source = MemoryFile(bytes_of(files[0]), files[0].name)
    else:
        source = zip_file({file.name: bytes_of(file) for file in files})
    return read(source, reader=GuardedReader(RsmfReader()))


FULL = (
    said("1", "third\nline", reactions=(Reaction("👍", ("U2", "U9"), 3), Reaction("eyes", (), 1))),
    said("2", "Ann joined", kind="system", author=None, zone="assumed", precision="minute"),
    said("3", "waves", kind="action", author=BOB, reply_to="1", thread="1"),
    said("4", "", kind="deleted", author=BOB, reply_to="gone", thread="1"),
    said(
        "5",
        "now",
        at=NOON.replace(microsecond=123456),
        precision="microsecond",
        zone="derived",
        edits=(Edit("first", NOON + timedelta(seconds=5)), Edit("second", None)),
        edited_at=NOON + timedelta(minutes=1, microseconds=1),
        attachments=(
            Attachment("plan.pdf", "application/pdf", 12),
            Attachment("../höhe/Ä b.png", None, None),
            Attachment("plan.pdf", None, 0),
        ),
        extra={
            "direction": "incoming",
            "importance": "high",
            "read_receipts": [{"participant": "U2", "action": "read"}],
            "custom": [{"name": "GPS", "value": "41, 2"}],
            "poll": {"answers": ["a", 1, None, {"b": [True, 1.5]}]},
        },
    ),
    said("6", "Annie now", author=Author("U1", "Annie")),
    said("7", "nobody", author=None, edited_at=NOON),
)


def test_every_field_of_a_message_is_read_back() -> None:
    file = written(*FULL)
    found = read_back(file)
    assert found.conversations == [ROME]
    assert found.messages == list(FULL)
    assert found.warnings == []
    assert found.facts.unknown_keys == {}


def test_other_tools_find_it_where_rsmf_has_it() -> None:
    _, manifest, files = opened(written(*FULL))
    require_valid(manifest)
    assert manifest["version"] == "2.0.0"
    assert manifest["participants"][:3] == [
        {"id": "U1", "display": "Ann", "account_id": "U1"},
        {"id": "U2", "display": "Bob", "account_id": "U2"},
        {
            "id": "U1 (2)",
            "display": "Annie",
            "account_id": "U1",
            "custom": [{"name": "chatledger:author", "value": '["U1","Annie"]'}],
        },
    ]
    (conversation,) = manifest["conversations"]
    assert {key: conversation[key] for key in ("id", "platform", "display", "type")} == {
        "id": "C1",
        "platform": "slack",
        "display": "Rome trip",
        "type": "channel",
    }
    assert conversation["participants"] == ["U1", "U2", "U1 (2)"]
    first, joined, action, deleted, edited, _, nobody = manifest["events"]
    assert first == {
        "id": "1",
        "type": "message",
        "body": "third\nline",
        "conversation": "C1",
        "timestamp": "2024-01-15T12:00:00Z",
        "participant": "U1",
        "reactions": [
            {"value": "👍", "count": 3, "participants": ["U2", "U9"]},
            {"value": "eyes", "count": 1},
        ],
    }
    assert (joined["type"], joined.get("participant")) == ("unknown", None)
    assert action["parent"] == "1"
    assert deleted["deleted"] is True
    assert deleted.get("parent") is None, "what was answered is in no file"
    assert edited["timestamp"] == "2024-01-15T12:00:00.123456Z"
    assert edited["edits"] == [
        {
            "participant": "U1",
            "previous": "first",
            "new": "second",
            "timestamp": "2024-01-15T12:00:05Z",
        },
        {
            "participant": "U1",
            "previous": "second",
            "new": "now",
            "timestamp": "2024-01-15T12:01:00.000001Z",
        },
    ]
    assert (edited["direction"], edited["importance"]) == ("incoming", "high")
    assert edited["read_receipts"] == [{"participant": "U2", "action": "read"}]
    assert edited["custom"][0] == {"name": "GPS", "value": "41, 2"}
    assert nobody["edits"][0]["participant"] == "(unknown)"
    ids = [one["id"] for one in edited["attachments"]]
    assert ids == ["00005-1-plan.pdf.txt", "00005-2-hohe_A_b.png.txt", "00005-3-plan.pdf.txt"]
    assert list(files) == ids
    assert edited["attachments"][0] == {
        "id": "00005-1-plan.pdf.txt",
        "display": "plan.pdf (not included)",
        "size": 12,
    }
    assert files[ids[0]].decode().splitlines()[1:] == [
        "This file stands in the place of:",
        "name: plan.pdf",
        "type: application/pdf",
        "size: 12 bytes",
    ]


def test_the_manifest_is_valid_by_relativitys_schema() -> None:
    schema().validate(opened(written(*FULL))[1])


def test_the_message_has_rsmfs_headers_and_a_transcript() -> None:
    mail, _, _ = opened(written(*FULL))
    assert {name: value for name, value in mail.items() if name.startswith("X-RSMF-")} == {
        "X-RSMF-Version": "2.0.0",
        "X-RSMF-Generator": "Chatledger",
        "X-RSMF-BeginDate": "2024-01-15T12:00:00Z",
        "X-RSMF-EndDate": "2024-01-15T12:00:00.123456Z",
        "X-RSMF-EventCount": "7",
        "X-RSMF-AttachmentCount": "3",
        "X-RSMF-Application": "slack",
        "X-RSMF-EventCollectionID": mail["X-RSMF-EventCollectionID"],
    }
    assert mail["Subject"] == "Rome trip (2024-01-15)"
    assert mail["Date"] == "Mon, 15 Jan 2024 12:00:00 +0000"
    text = mail.get_payload()[0].get_payload(decode=True).decode()
    assert text.splitlines() == [
        "Rome trip (2024-01-15)",
        "",
        "[2024-01-15 12:00:00 UTC] Ann: third",
        "    line",
        "[2024-01-15 12:00:00 UTC] Ann joined",
        "[2024-01-15 12:00:00 UTC] * Bob waves",
        "[2024-01-15 12:00:00 UTC] Bob: [deleted]",
        (
            "[2024-01-15 12:00:00 UTC] Ann: now [attachment: plan.pdf] "
            "[attachment: ../höhe/Ä b.png] [attachment: plan.pdf] [edited]"
        ),
        "[2024-01-15 12:00:00 UTC] Annie: Annie now",
        "[2024-01-15 12:00:00 UTC] nobody [edited]",
    ]


def test_every_line_of_the_message_is_short_ascii_with_crlf() -> None:
    title = "Ünïcode\r\nBcc: evil@example.org " + "📅" * 100 + " =?x?"
    conversation = Conversation("C1", title, "group")
    exported = ExportedConversation(conversation=conversation, platform="sl\nack")
    raw = bytes_of(written(said(), exported=exported))
    lines = raw.split(b"\r\n")
    assert all(line.isascii() and b"\n" not in line and b"\r" not in line for line in lines)
    assert max(map(len, lines)) <= 78
    mail = email.message_from_bytes(raw)
    assert mail["Bcc"] is None
    subject = str(make_header(decode_header(mail["Subject"])))
    assert subject == f"{' '.join(title.split())} (2024-01-15)"


def test_a_long_transcript_is_cut_off_with_a_note() -> None:
    text = transcript("Rome", [said(str(n), "x" * 1000) for n in range(2000)])
    assert len(text.encode()) < BODY_LIMIT + 200
    shown = text.count("x" * 1000)
    assert text.endswith(
        f"\n({2000 - shown} more messages are in rsmf_manifest.json: this text was cut off here.)\n"
    )
    assert 900 < shown < 1048


def test_the_same_messages_give_the_same_bytes_and_others_give_others() -> None:
    assert bytes_of(written(*FULL)) == bytes_of(written(*FULL))
    ours = {bytes_of(written(*FULL)), bytes_of(written(*FULL[:-1]))}
    other = Conversation("C1", "Oslo", "group")
    exported = ExportedConversation(conversation=other, platform="slack")
    ours.add(bytes_of(written(*FULL, exported=exported)))
    boundaries = {re.search(rb'boundary="([^"]+)"', raw)[1] for raw in ours}  # type: ignore[index]
    assert (len(ours), len(boundaries)) == (3, 3)


def test_a_file_holds_one_day_of_utc() -> None:
    east = timezone(timedelta(hours=14))
    days = [
        said("1", at=datetime(2024, 1, 15, 23, 59, 59, 999999, tzinfo=UTC)),
        said("2", at=datetime(2024, 1, 16, 0, 0, tzinfo=UTC), reply_to="1"),
        said("3", at=datetime(2024, 1, 17, 13, 59, tzinfo=east), thread="2"),
        said("4", at=datetime(2024, 1, 17, 14, 0, tzinfo=east)),
    ]
    files = list(rsmf_files(EXPORTED, days))
    assert [[m.key for m in file.messages] for file in files] == [["1"], ["2", "3"], ["4"]]
    assert [file.name[-15:] for file in files] == [f"2024-01-{day}.rsmf" for day in (15, 16, 17)]
    found = read_back(*files)
    assert found.conversations == [ROME]
    assert found.messages == days
    for file in files:
        require_valid(file.manifest())


def test_a_day_too_long_for_one_file_is_told_in_parts() -> None:
    messages = [said(str(n), at=NOON + timedelta(seconds=n)) for n in range(25)]
    files = list(rsmf_files(EXPORTED, messages, events_a_file=10))
    assert [len(file.messages) for file in files] == [10, 10, 5]
    assert [file.name.partition("2024-01-15")[2] for file in files] == [
        ".rsmf",
        "_part002.rsmf",
        "_part003.rsmf",
    ]
    assert read_back(*files).messages == messages
    long = [said(str(n), "x" * 100) for n in range(4)]
    parts = rsmf_files(EXPORTED, long, characters_a_file=250)
    assert [len(file.messages) for file in parts] == [2, 2]
    alone = rsmf_files(EXPORTED, long[:2], characters_a_file=5)
    assert [len(file.messages) for file in alone] == [1, 1]


def test_messages_that_go_back_in_time_lose_nothing() -> None:
    tomorrow = NOON + timedelta(days=1)
    messages = [said("1"), said("2", at=tomorrow), said("3"), said("4", at=tomorrow)]
    files = list(rsmf_files(EXPORTED, messages))
    assert len({file.name for file in files}) == 4
    assert {m.key for m in read_back(*files).messages} == {"1", "2", "3", "4"}


def test_a_message_of_another_conversation_is_an_error() -> None:
    with pytest.raises(ValueError, match="another conversation"):
        list(rsmf_files(EXPORTED, [said()._replace(conversation="C2")]))


def test_no_messages_are_no_file() -> None:
    assert list(rsmf_files(EXPORTED, [])) == []


TITLES = [
    *(
        "CON",
        "aux.",
        "a/b\\c:d*e?f",
        "..",
        "",
        "   ",
        "Ωμέγα",
        "🎉",
        "x" * 500,
        "A\0B",
        "-",
        "rm -rf",
    ),
]


def test_names_of_files_are_safe_everywhere_and_differ() -> None:
    names: set[str] = set()
    for number, title in enumerate(TITLES * 2):
        conversation = Conversation(f"C{number}", title, "group")
        exported = ExportedConversation(conversation=conversation, platform="slack")
        message = said()._replace(conversation=conversation.id)
        names.add(written(message, exported=exported).name)
    assert len({name.lower() for name in names}) == len(TITLES) * 2
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,100}\.rsmf", name) for name in names)
    one = ExportedConversation(conversation=ROME, platform="slack")
    two = ExportedConversation(conversation=ROME, platform="discord")
    assert written(said(), exported=one).name != written(said(), exported=two).name


def test_messages_are_taken_one_at_a_time() -> None:
    taken = 0

    def source() -> Iterator[Message]:
        nonlocal taken
        for n in range(100):
            taken += 1
            yield said(str(n))

    first = next(rsmf_files(EXPORTED, source(), events_a_file=10))
    assert (len(first.messages), taken) == (10, 11)


def test_memory_does_not_grow_with_the_conversation() -> None:
    def source() -> Iterator[Message]:
        for n in range(60_000):
            yield said(str(n), "x" * 1000, NOON + timedelta(seconds=n))

    tracemalloc.start()
    try:
        count = sum(
            len(file.messages) * (len(bytes_of(file)) > 0)
            for file in rsmf_files(EXPORTED, source(), characters_a_file=1024 * 1024)
        )
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 60_000
    assert peak < 24 * 1024 * 1024


characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
texts = st.text(characters, max_size=20)
ids = st.text(characters, min_size=1, max_size=8) | st.integers(0, 99).map(str)
moments = st.datetimes(
    datetime(1, 1, 2),  # noqa: DTZ001
    datetime(9999, 12, 30),  # noqa: DTZ001
    timezones=st.just(UTC),
)
authors = st.builds(Author, st.sampled_from(["", "U1", "U1 (2)", "1", " x"]) | texts, texts)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
known = st.sampled_from(["type", "custom", "importance", "direction", "read_receipts", "poll"])
receipts = st.lists(st.fixed_dictionaries({"participant": ids}), max_size=2)
extras = st.dictionaries(
    known | texts,
    json_values | st.sampled_from(["join", "high", "incoming"]) | receipts,
    max_size=3,
)
sizes = st.none() | st.integers(0, 2**53)
messages = st.builds(
    Message,
    conversation=st.just("C1"),
    key=ids,
    author=st.none() | authors,
    sent_at=moments,
    precision=st.sampled_from(["microsecond", "millisecond", "second", "minute", "day"]),
    zone=st.sampled_from(["stated", "derived", "assumed"]),
    kind=st.sampled_from(["message", "system", "action", "deleted"]),
    text=texts,
    reply_to=st.none() | ids,
    thread=st.none() | ids,
    edited_at=st.none() | moments,
    edits=st.lists(st.builds(Edit, texts, st.none() | moments), max_size=2).map(tuple),
    reactions=st.lists(
        st.builds(Reaction, texts, st.lists(ids, max_size=3).map(tuple), st.integers(0, 9)),
        max_size=2,
    ).map(tuple),
    attachments=st.lists(st.builds(Attachment, texts, st.none() | texts, sizes), max_size=2).map(
        tuple
    ),
    extra=st.none() | extras,
)
conversations = st.lists(messages, min_size=1, max_size=5, unique_by=lambda message: message.key)


@settings(max_examples=300, deadline=None)
@given(sent=conversations, title=texts, kind=st.sampled_from(["direct", "group", "channel", "ai"]))
def test_whatever_there_is_in_messages_is_read_back(
    sent: list[Message], title: str, kind: Any
) -> None:
    conversation = Conversation("C1", title, kind)
    exported = ExportedConversation(conversation=conversation, platform="sms")
    files = list(rsmf_files(exported, sorted(sent, key=lambda message: message.sent_at)))
    for file in files:
        require_valid(opened(file)[1])
    found = read_back(*files)
    assert found.conversations == [conversation]
    assert sorted(found.messages, key=lambda m: m.key) == sorted(sent, key=lambda m: m.key)
    assert found.warnings == []


@settings(max_examples=100, deadline=None)
@given(sent=conversations, title=texts)
def test_whatever_there_is_in_messages_is_valid_by_the_schema(
    sent: list[Message], title: str
) -> None:
    validator = schema()
    exported = ExportedConversation(conversation=Conversation("C1", title, "unknown"), platform="")
    for file in rsmf_files(exported, sent):
        validator.validate(file.manifest())
