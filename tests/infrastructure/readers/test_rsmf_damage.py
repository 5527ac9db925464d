"""RSMF that is broken, hostile or of another kind, and what is written of it read back."""

from __future__ import annotations

import base64
import io
import json
import os
import time
import tracemalloc
import zipfile
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.ports.chat_reader import ReadFacts, ReadOptions, UnreadableExportError
from infrastructure.readers.containers.unpacking import Unpacked
from infrastructure.readers.json_values import DEPTH_LIMIT
from infrastructure.readers.limits import MESSAGE_LIMIT
from infrastructure.readers.local_file import LocalFile
from infrastructure.readers.rsmf.reader import RsmfReader
from tests.infrastructure.readers.rsmf_exports import (
    ANN,
    READER,
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
    Read,
    json_file,
    text_file,
    zip_file,
)
from tests.support.data import SAMPLES, data_path


def test_participants_and_conversations_may_come_after_the_events() -> None:
    whole = manifest(said("e-a-x"), said("e-b-x"))
    turned = {key: whole[key] for key in ("events", "conversations", "version", "participants")}
    found = read(json_file(turned, "rsmf_manifest.json"))
    assert found.conversations == [("CROME", "Rome", "channel")]
    assert [m.author for m in found.messages] == [("UANNA", "Ann")] * 2
    assert found.warnings == []


def test_a_version_of_the_future_is_read_and_told_of() -> None:
    found = read(manifest_file(said(), version="3.1.4"))
    assert found.texts == ["hi"]
    assert found.reasons == ["the version '3.1.4' of RSMF is not known; read as 2.0.0"]
    assert read(manifest_file(said(), version="1.0.0")).warnings == []


def test_wrong_values_cost_one_message_each() -> None:
    wrong: list[Any] = [
        *[17, None, [], "x", {}],
        *[said("e-x-x", timestamp=time) for time in ("noon", [], True, "2024-13-45T00:00:00Z")],
        *[said("e-x-x", body=body) for body in ([], {}, 7)],
        said("e-x-x", participant=["UANNA"]),
        said({"id": 1}),  # type: ignore[arg-type]
        said("e-x-x", reactions={"value": "x"}),
        said("e-x-x", reactions=[{"value": 1}]),
        said("e-x-x", attachments=[7]),
        said("e-x-x", attachments=[{}]),
        said("e-x-x", edits=[None]),
        said("e-x-x", type=["message"], deleted=False),
    ]
    found = read(manifest_file(said("e-a-x"), *wrong, said("e-z-x")))
    assert [m.key for m in found.messages] == ["e-a-x", "e-z-x"]
    assert [(w.line, w.is_fatal) for w in found.warnings] == [
        (n, False) for n in range(2, len(wrong) + 2)
    ]


def test_wrong_people_and_conversations_are_left_out_and_told_of() -> None:
    file = manifest_file(
        said("e-a-x"),
        participants=[7, {"display": "X"}, {"id": []}, ANN, {"id": "UANNA", "display": "Not"}],
        conversations=[None, {"id": {}}, ROME, {**ROME, "display": "Not"}],
    )
    found = read(file)
    assert found.messages[0].author == ("UANNA", "Ann")
    assert found.conversations == [("CROME", "Rome", "channel")]
    assert [w.line for w in found.warnings] == [1, 2, 3, 1, 2]


def test_lists_that_are_none_are_no_crash() -> None:
    file = json_file(
        {"version": "2.0.0", "participants": {}, "conversations": "x", "events": [said("e-a-x")]}
    )
    assert read(file).messages[0].conversation == "CROME"
    with pytest.raises(UnreadableExportError, match="no list of events"):
        read(json_file({"version": "2.0.0", "participants": [], "conversations": []}))


@pytest.mark.parametrize("depth", [DEPTH_LIMIT + 50, 200_000])
def test_deep_nesting_costs_its_message(depth: int) -> None:
    raw = json.dumps(manifest(said("e-a-x"), said("e-b-x", mood="@"), said("e-c-x")))
    found = read(text_file(raw.replace('"@"', "[" * depth + "]" * depth)))
    assert [m.key for m in found.messages][-1] == "e-c-x"
    json.dumps([m.extra for m in found.messages])


def test_nul_half_characters_and_huge_numbers_never_reach_a_message() -> None:
    events = [said("e-a-x", "a\0b"), said("e-b-x", "c\ud800d"), said("e-c-x", mood="@")]
    raw = json.dumps(manifest(*events)).replace('"@"', "1e999")
    found = read(text_file(raw))
    assert found.texts == ["ab", "c\ufffdd", "hi"]
    assert found.messages[2].extra == {"mood": None}
    assert len(found.warnings) == 3


def test_an_event_of_any_size_is_left_out_and_told_of() -> None:
    huge = said("e-b-x", "x" * (MESSAGE_LIMIT + 10))
    found = read(manifest_file(said("e-a-x"), huge, said("e-c-x")))
    assert [m.key for m in found.messages] == ["e-a-x", "e-c-x"]
    assert [w.line for w in found.warnings] == [2]


def test_names_of_files_that_lead_elsewhere_are_only_names() -> None:
    event = said("e-a-x", attachments=[{"id": "../../etc/passwd"}, {"id": "C:\\x"}])
    names = [a.name for a in read(manifest_file(event)).messages[0].attachments]
    assert names == ["../../etc/passwd", "C:\\x"]


def test_properties_of_our_own_that_somebody_forged_are_no_crash() -> None:
    own = {"name": "chatledger:conversation", "value": '{"id": "C", "title": "T", "kind": "ai"}'}
    forged = ["", "[]", "{", '{"zone": 1}', '{"kind": []}', '{"x": 1}', '{"edits": 7}']
    forged += ['{"edits": [["a", "noon"]]}', '{"reactions": [1]}', '{"attachments": [["a"]]}']
    forged += ['{"extra": []}', '{"edited_at": 5}', '{"attachments": [["a", null, "x"]]}']
    events = [
        said(f"e-{n}-x", custom=[{"name": "chatledger:message", "value": value}])
        for n, value in enumerate(forged)
    ]
    nul = said(
        "e-nul-x", custom=[{"name": "chatledger:message", "value": r'{"thread": "a\u0000"}'}]
    )
    found = read(manifest_file(*events, nul, said("7"), conversations=[{**ROME, "custom": [own]}]))
    assert [(m.key, m.thread) for m in found.messages] == [("e-nul-x", "a"), ("7", None)]
    assert len(found.warnings) == len(forged)
    assert found.conversations == [("C", "T", "ai")]
    bad = {**own, "value": '{"id": 1}'}
    found = read(manifest_file(said("e-a-x"), conversations=[{**ROME, "custom": [bad]}]))
    assert len(found.messages) == 1
    assert len(found.warnings) == 1


def test_the_archive_is_found_among_other_parts() -> None:
    day = base64.encodebytes(packed(manifest(said("e-a-x")))).decode()
    other = base64.encodebytes(packed(manifest(said("e-wrong-x")))).decode()
    mail = (
        "x-rsmf-version: 2.0.0\nContent-Type: multipart/mixed; boundary=outer\n\npreamble\n"
        "--outer\nContent-Type: multipart/alternative; boundary=inner\n\n"
        "--inner\nContent-Type: text/plain\n\n--outerx\nrsmf.zip\n--inner--\n\n"
        "--outer\nContent-Type: application/zip; name=other.zip\n"
        f"Content-Transfer-Encoding: base64\n\n{other}"
        "--outer\nContent-Type: application/zip; name=odd.zip\n\nplain\n"
        "--outer\nContent-Type: application/octet-stream\n"
        "Content-Disposition: attachment; filename*=utf-8''RSMF.zip\n"
        f"Content-Transfer-Encoding: BASE64\n\n{day.replace(chr(10), ' ')}\n--outer--\n"
    )
    found = read(text_file(mail, "x.eml"))
    assert [m.key for m in found.messages] == ["e-a-x"]
    assert found.warnings == []


@pytest.mark.parametrize(
    ("mail", "why"),
    [
        (b"X-RSMF-Version: 2.0.0\r\n\r\nno parts", "no attachment rsmf.zip"),
        (envelope(b"not a zip"), "no rsmf_manifest.json"),
        (envelope(zip_file({"x.json": "{}"}).data), "no rsmf_manifest.json"),
        (envelope(b"PK\x03\x04 damaged"), "cut off or damaged"),
        (envelope(b"x").replace(b"base64", b"quoted-printable"), "not encoded as base64"),
        (b"X-RSMF-Version: 2.0.0\nContent-Type: multipart/mixed; boundary=\n\n--\n", "rsmf.zip"),
    ],
)
def test_a_message_without_what_rsmf_needs_is_an_error_with_the_reason(
    mail: bytes, why: str
) -> None:
    with pytest.raises(UnreadableExportError, match=why):
        read(MemoryFile(mail, "day.rsmf"))


def test_parts_with_hostile_headers_take_no_time() -> None:
    parts = f"--b\nContent-Type: a/b{';' * 60_000}\n\n" * 100
    mail = f"X-RSMF-Version: 2.0.0\nContent-Type: multipart/mixed; boundary=b\n\n{parts}--b--\n"
    start = time.process_time()
    with pytest.raises(UnreadableExportError, match="no attachment"):
        read(text_file(mail, "day.rsmf"))
    assert time.process_time() - start < 8


def test_one_broken_file_among_many_costs_only_itself() -> None:
    good = envelope(packed(manifest(said("e-a-x"))))
    cut = json.dumps(manifest(said("e-b-x"), said("e-c-x")))[:-40]
    files = {
        "1.rsmf": good[:600],
        "2.rsmf": good.replace(b"e-a-x", b"e-b-x"),
        "3.rsmf": envelope(zip_file({"rsmf_manifest.json": cut}).data),
        "4.rsmf": b"X-RSMF-Version: 2.0.0\n\nempty",
    }
    found = read(zip_file(files))
    assert [m.key for m in found.messages] == ["e-a-x", "e-b-x"]
    assert [(w.file, w.is_fatal) for w in found.warnings] == [
        ("1.rsmf", False),
        ("3.rsmf", False),
        ("4.rsmf", False),
    ]
    assert all("the others were" in reason for reason in found.reasons)


def test_damage_inside_the_inner_archive_is_one_warning() -> None:
    noise = base64.b64encode(os.urandom(60_000)).decode()
    data = bytearray(packed(manifest(said("e-a-x"), *(said(f"e-{n}-x", noise) for n in range(9)))))
    data[len(data) // 2] ^= 0xFF
    found = read(MemoryFile(envelope(bytes(data)), "day.rsmf"))
    assert found.messages[0].key == "e-a-x"
    assert [w.is_fatal for w in found.warnings] == [True]


def test_a_message_cut_off_behind_the_archive_is_told_of() -> None:
    whole = envelope(packed(manifest(said("e-a-x"))))
    found = read(MemoryFile(whole[: whole.rindex(b"------")], "day.rsmf"))
    assert [m.key for m in found.messages] == ["e-a-x"]
    assert [w.is_fatal for w in found.warnings] == [False]


ids = st.from_regex(r"[a-z]{14}-[0-9]{8}", fullmatch=True)
rows = st.lists(
    st.tuples(
        ids,
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30),
        st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1)),  # noqa: DTZ001
        st.sampled_from(["UANNA", "UBOBB"]),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda row: row[0],
)


def as_events(said_rows: Sequence[tuple[str, str, datetime, str]]) -> list[dict[str, Any]]:
    return [
        said(id, body, timestamp=at.isoformat(timespec="microseconds") + "Z", participant=who)
        for id, body, at, who in said_rows
    ]


def as_rows(found: Read) -> list[tuple[str, str, datetime, str]]:
    return [
        (m.key, m.text, m.sent_at.replace(tzinfo=None), m.author.id if m.author else "")
        for m in found.messages
    ]


@settings(max_examples=40, deadline=None)
@given(said_rows=rows, indent=st.sampled_from([None, 4]), is_mail=st.booleans())
def test_what_is_written_is_read_back(
    said_rows: list[tuple[str, str, datetime, str]], indent: int | None, *, is_mail: bool
) -> None:
    raw = json.dumps(manifest(*as_events(said_rows)), indent=indent).encode()
    file = MemoryFile(raw, "rsmf_manifest.json")
    if is_mail:
        file = MemoryFile(envelope(zip_file({"rsmf_manifest.json": raw}).data), "day.rsmf")
    found = read(file)
    assert as_rows(found) == said_rows
    assert found.warnings == []


@settings(max_examples=60, deadline=None)
@given(said_rows=rows, data=st.data())
def test_the_beginning_of_a_manifest_gives_its_first_messages_and_one_warning(
    said_rows: list[tuple[str, str, datetime, str]], data: st.DataObject
) -> None:
    raw = json.dumps(manifest(*as_events(said_rows))).encode()
    cut = raw[: data.draw(st.integers(1, len(raw) - 1))]
    try:
        found = read(MemoryFile(cut, "rsmf_manifest.json"))
    except UnreadableExportError:
        return
    got = as_rows(found)
    assert got == said_rows[: len(got)]
    assert [w.is_fatal for w in found.warnings] == [True]


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_the_beginning_of_a_message_gives_all_or_nothing(data: st.DataObject) -> None:
    """A zip cut off has lost its directory; what matters is that it is said."""
    raw = envelope(packed(manifest(said("e-a-x"), said("e-b-x"))))
    cut = raw[: data.draw(st.integers(1, len(raw) - 8))]
    try:
        found = read(MemoryFile(cut, "day.rsmf"))
    except UnreadableExportError:
        return
    assert [m.key for m in found.messages] == ["e-a-x", "e-b-x"]
    assert len(found.warnings) == 1


def recognised(file: Any) -> Any:
    with Unpacked(LocalFile(file) if hasattr(file, "exists") else file) as export:
        return RsmfReader().recognise(export)


@pytest.mark.parametrize("name", ["x.bin", "photo.jpg", "a.txt"])
def test_it_is_recognised_by_content_whatever_its_name(name: str) -> None:
    day = manifest(said("e-a-x"))
    for data in (
        envelope(packed(day)),
        packed(day),
        json.dumps(day).encode(),
        json.dumps(day, indent=4).encode(),
        envelope(packed(day)).replace(b"X-RSMF-Version: 2.0.0\r\n", b""),
    ):
        found = recognised(MemoryFile(data, name))
        assert found is not None
        assert found[:2] == ("rsmf", 0.95)
        assert not any(word in found.reason for word in ("Ann", "Rome", name))


def test_upstreams_samples_are_recognised() -> None:
    folder = data_path("fixtures", "rsmf")
    for name in ("sample1-rsmf_manifest.json", "sample2-rsmf.zip", "sample4-rsmf_manifest.json"):
        assert recognised(folder / name) is not None, name


def test_no_other_export_is_taken_for_rsmf() -> None:
    ours = data_path("fixtures", "rsmf")
    for root in (SAMPLES, ours.parents[1]):
        for path in sorted(root.rglob("*")):
            if path.is_file() and ours not in path.parents and path.stat().st_size:
                try:
                    found = recognised(path)
                except UnreadableExportError:
                    continue
                assert found is None, path
    mail = b"From: Ann <a@example.org>\nDate: Mon, 15 Jan 2024 10:30:00 +0000\n\nabout rsmf.zip\n"
    assert recognised(MemoryFile(mail, "x.eml")) is None
    package = b'{"version": "1.0.0", "events": ["a"], "name": "x"}'
    assert recognised(MemoryFile(package, "package.json")) is None


def test_a_big_file_needs_little_memory() -> None:
    """40 MiB of attachment in the mail, and as many events: neither is ever held."""
    noise = os.urandom(1024 * 1024)
    events = (json.dumps(said(f"event-{n:09}-x", "x" * 500)) for n in range(30_000))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        with archive.open("rsmf_manifest.json", "w") as member:
            head = json.dumps(manifest())
            member.write(head[:-2].encode())
            for n, event in enumerate(events):
                member.write(b"," * (n > 0) + event.encode())
            member.write(b"]}")
        with archive.open("film.mp4", "w") as member:
            for _ in range(24):
                member.write(noise)
    file = MemoryFile(envelope(target.getvalue()), "day.rsmf")
    tracemalloc.start()
    try:
        with Unpacked(file) as export:
            count = sum(1 for _ in READER.read(export, ReadOptions(), ReadFacts()))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 30_001
    assert peak < 32 * 1024 * 1024
