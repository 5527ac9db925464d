"""Mail that is broken, hostile or of another kind, and what is written of it read back."""

from __future__ import annotations

import base64
import time
import tracemalloc
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.ports.chat_reader import ReadFacts, ReadOptions, UnreadableExportError
from domain.message import Attachment
from infrastructure.readers.containers.unpacking import Unpacked
from infrastructure.readers.limits import MESSAGE_LIMIT
from infrastructure.readers.local_file import LocalFile
from infrastructure.readers.mbox.html import text_of_html
from infrastructure.readers.mbox.reader import MboxReader
from tests.infrastructure.readers.mbox_exports import (
    DATE,
    ENVELOPE,
    READER,
    build,
    mail,
    mbox,
    one,
    read,
    read_mail,
)
from tests.infrastructure.readers.support import (
    MemoryFile,
    Read,
    text_file,
    zip_file,
)
from tests.support.data import SAMPLES, data_path


@pytest.mark.parametrize(
    ("charset", "data", "text"),
    [
        ("utf-8", "Grüße 👋".encode(), "Grüße 👋"),
        ("utf-8", "Grüße".encode("cp1252"), "Grüße"),
        ("iso-8859-1", "“Grüße” €".encode("cp1252"), "“Grüße” €"),
        ("iso-8859-1", "Grüße".encode(), "Grüße"),
        ("us-ascii", "Grüße".encode(), "Grüße"),
        ("us-ascii", "Grüße".encode("cp1252"), "Grüße"),
        ("x-nonsense", "Grüße".encode(), "Grüße"),
        ("gb2312", "你好镕".encode("gbk"), "你好镕"),
        ("koi8-r", "Привет".encode("koi8-r"), "Привет"),
        ("iso-2022-jp", "こんにちは".encode("iso-2022-jp"), "こんにちは"),
        ("utf-16", "Grüße".encode("utf-16"), "Grüße"),
        ("base64", b"YQ==", "YQ=="),
        ("unicode_escape", rb"\x41\N{DIGIT ONE}", r"\x41\N{DIGIT ONE}"),
        ("idna", b"xn--" + b"a" * 200, "xn--" + "a" * 200),
        ("utf-7", b"a+AAA-b", "ab"),
        ("../x\0y", b"plain", "plain"),
    ],
)
def test_charsets_are_believed_only_as_far_as_they_are_right(
    charset: str, data: bytes, text: str
) -> None:
    body = base64.encodebytes(data).decode()
    message = one(
        body,
        Content_Type=f'text/plain; charset="{charset}"',
        Content_Transfer_Encoding="base64",
    )
    assert message.text == text


def test_headers_of_all_kinds_are_decoded() -> None:
    for written, shown in [
        ("=?utf-8?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        ("=?UTF-8?B?R3LDvMOf?=\n =?UTF-8?B?ZQ==?= an =?iso-8859-1?q?alle=20?=", "Grüße an alle"),
        ("=?utf-8?Q?=F0=9F?= =?utf-8?Q?=91=8B?=", "👋"),
        ("a =?utf-8?Q?b?= c", "a b c"),
        ("=?x-nonsense?Q?a?= =?utf-8?B?***?=", "a"),
        ("=?utf-8*de?Q?Gr=C3=BC?=", "Grü"),
        ("=?utf-8?Q?not closed", "=?utf-8?Q?not closed"),
        ("=?utf-8?Q?a\0b?=", "ab"),
        ("two\n  lines", "two lines"),
    ]:
        subject = (one(Subject=written).extra or {})["subject"]
        assert subject.startswith(shown), written
    for data in ("Grüße".encode(), "Grüße".encode("cp1252")):
        raw = mail(Subject="@", From="@ <ann@example.org>").encode().replace(b"@ <", data + b" <")
        message = read_mail(raw.replace(b": @", b": " + data))
        assert message.extra == {"subject": "Grüße"}
        assert message.author == ("ann@example.org", "Grüße")


def test_bytes_that_were_guessed_are_told_of_once() -> None:
    raw = mail("Grüße", Content_Type="text/plain; charset=utf-8").encode("cp1252")
    data = b"".join(ENVELOPE.encode() + b"\n" + raw + b"\n" for _ in range(3))
    found = read(MemoryFile(data, "rome"))
    assert found.texts == ["Grüße"] * 3
    assert [w.line for w in found.warnings] == [1]
    assert "3 places" in found.reasons[0]


def test_paragraphs_that_were_broken_into_lines_are_joined() -> None:
    flowed = "This goes \non here.\nNew\n> quoted \n> text\n>> deeper \n> not\n-- \nAnn \n"
    shown = "This goes on here.\nNew\n> quoted text\n>> deeper \n> not\n-- \nAnn"
    assert one(flowed, Content_Type="text/plain; format=flowed").text == shown
    assert one(flowed, Content_Type="text/plain").text == flowed.strip()
    deleted = one("漢 \n字", Content_Type="text/plain; format=flowed; delsp=yes; charset=utf-8")
    assert deleted.text == "漢字"


def test_what_helps_people_is_kept_beside_the_message() -> None:
    message = one(To="Bob <bob@example.org>,\n cyd@example.org", Cc="=?utf-8?Q?D=C3=A4?= <d@x>")
    assert message.extra == {"to": "Bob <bob@example.org>, cyd@example.org", "cc": "Dä <d@x>"}
    assert read(mbox(mail(X_Whatever="1"))).facts.unknown_keys == {}


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<div>a</div><div><br></div><div>b</div>", "a\n\nb"),
        ("<p>a</p>\n<p>b  c</p>", "a\n\nb c"),
        ("<ul><li>a<li>b</ul>c", "- a\n- b\n\nc"),
        ("<blockquote>a<br>b</blockquote>c", "> a\n> b\n\nc"),
        ("<pre>a  b\n c</pre>", "a  b\n c"),
        ("<table><tr><td>a<td>b<tr><td>c</table>", "a b\nc"),
        ("&lt;b&gt; &amp;amp; &#8364; &#x1F44B;", "<b> &amp; € 👋"),
        ("1 < 2 && 3 <4", "1 < 2 && 3 <4"),
        ("<a href='mailto:a@x'>a@x</a> <a href='#top'>up</a>", "a@x up"),
        ("<a href=https://x.org/>x.org</a> <a href='https://x.org/'>https://x.org</a>", None),
        ("a<!-- b <p> c -->d<script>if (a<b) {}</script>e<style>x</style>f", "adef"),
        ("<head><title>t</title></head><body>a", "a"),
        ('<img alt="👋" src=x>hi', "👋hi"),
        ("<!DOCTYPE html><?xml?>a<![endif]>b", "ab"),
        ("a<b", "a"),
        ("&#" + "9" * 5000 + ";", "&#" + "9" * 5000 + ";"),
    ],
)
def test_html_is_shown_as_lines(html: str, text: str | None) -> None:
    if text is None:
        text = "x.org (https://x.org/) https://x.org"
    assert text_of_html(html) == text


@pytest.mark.parametrize(
    "piece",
    ["<!--", "<a ", "<![", "</", "&#", "<script>", "<a href='", "<a href=", "<blockquote>", "<p>"],
)
def test_html_takes_time_only_as_it_has_length(piece: str) -> None:
    start = time.process_time()
    text_of_html(piece * (1_000_000 // len(piece)))
    assert time.process_time() - start < 8


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Content_Type": "text/plain;" + 'x="' * 20_000}, "hi"),
        ({"Content_Type": "multipart/mixed; " + ";".join(f'a{n}="' for n in range(40_000))}, "hi"),
        ({"From": "(" * 100_000}, "hi"),
        ({"From": '"' * 100_000}, "hi"),
        ({"To": "a@b, " * 40_000}, "hi"),
        ({"Subject": "=?utf-8?Q?" * 20_000}, "hi"),
        ({"References": "<" * 100_000}, "hi"),
        ({"Date": "(" * 100_000}, "hi"),
        ({"Content_Transfer_Encoding": "base64"}, "=" * 100_000),
        ({"Content_Transfer_Encoding": "x-uuencode"}, "begin 666 x\n" * 1000),
    ],
)
def test_hostile_headers_take_no_time(headers: dict[str, str], body: str) -> None:
    start = time.process_time()
    found = read(mbox(mail("first", Message_ID="<0@x>"), mail(body, **headers), mail("last")))
    assert time.process_time() - start < 8
    assert (found.texts[0], found.texts[-1]) == ("first", "last")


def test_nesting_without_end_costs_its_mail_only() -> None:
    nest = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(3000))
    nested = f"From: Ann <ann@example.org>\nDate: {DATE}\n{nest}"
    found = read(mbox(mail("first"), nested, mail("last")))
    assert (found.texts[0], found.texts[-1]) == ("first", "last")
    assert [w.line for w in found.warnings] == [8]


@pytest.mark.parametrize(
    "headers",
    [
        {"Content_Type": "multipart/mixed"},
        {"Content_Type": "multipart/mixed; boundary="},
        {"Content_Type": "/"},
        {"Content_Type": "text/plain; charset*=utf-16''%00"},
        {"Content_Type": "text/plain; charset*0*=''a; charset*1=b"},
        {"Content_Disposition": "attachment; filename*=x''%ff"},
        {"Content_Disposition": "attachment; filename*0*=; filename*9=x"},
        {"Content_Type": "message/rfc822"},
        {"Content_Type": "message/delivery-status"},
        {"Content_Transfer_Encoding": "8-bit\0"},
        {"Message_ID": "\0\x01"},
        {"From": "\0 <\ud800@x>".encode("utf-8", "replace").decode()},
    ],
)
def test_odd_headers_are_no_crash(headers: dict[str, str]) -> None:
    found = read(mbox(mail("odd", **headers), mail("last", Message_ID="<2@x>")))
    assert found.texts[-1] == "last"
    assert "\0" not in repr(found.messages)
    for message in found.messages:
        assert "\0" not in message.text + message.key


def test_a_mail_beyond_the_limit_is_cut_off_and_told_of() -> None:
    message = build("see there")
    message.add_attachment(b"x" * MESSAGE_LIMIT, maintype="a", subtype="b", filename="big")
    found = read(mbox(message.as_string(), mail("after", Message_ID="<2@x>")))
    assert found.texts == ["see there", "after"]
    assert found.messages[0].attachments == (Attachment("big", "a/b", None),)
    assert [w.line for w in found.warnings] == [1]
    assert "left out" in found.reasons[0]


def test_what_is_no_mail_costs_one_warning() -> None:
    text = f"{ENVELOPE}\n{mail('first')}\n{ENVELOPE}\nDate: {DATE}\n\nlast\n"
    broken = text.replace("From: Ann <ann@example.org>\n", "", 1)
    assert read(text_file(broken, "x")).messages[0].author is None
    with pytest.raises(UnreadableExportError, match="no headers"):
        read(text_file("\nno mail at all\n", "x"))


def test_a_file_cut_off_in_a_mail_of_parts_is_told_of() -> None:
    raw = mbox(mail(), build("plain", "<p>rich").as_string()).data
    found = read(MemoryFile(raw[: raw.rindex(b"--==")], "rome"))
    assert found.texts == ["hi", "plain"]
    assert [w.is_fatal for w in found.warnings] == [False]
    assert "closing boundary" in found.reasons[0]


names = st.from_regex(r"[A-Za-zÀ-ÿ][A-Za-zÀ-ÿ ,.\"]{0,10}[A-Za-z]", fullmatch=True)
words = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=20)
texts = st.lists(words | st.sampled_from(["From me", ">From x", ENVELOPE, "--b"]), max_size=5).map(
    lambda lines: "\n".join(["a", *lines, "z"])
)
moments = st.datetimes(datetime(1980, 1, 1), datetime(2049, 1, 1)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
sent = st.lists(st.tuples(moments, names, texts, st.booleans()), min_size=1, max_size=5)
Sent = tuple[datetime, str, str, bool]


def as_mbox(rows: Sequence[Sent], hours: int = 0) -> bytes:
    """Written by the standard library, quoted as mboxrd."""
    out: list[bytes] = []
    for number, (at, name, text, is_base64) in enumerate(rows):
        message = EmailMessage()
        local = at + timedelta(hours=hours)
        written = format_datetime(local.replace(tzinfo=None))
        message["Date"] = written.removesuffix("-0000") + f"{hours:+03}00"
        quoted = name.replace('"', '\\"')
        message["From"] = f'"{quoted}" <a{number}@example.org>'
        message["Message-ID"] = f"<{number}@x>"
        message.set_content(text + "\n", cte="base64" if is_base64 else "8bit")
        lines = bytes(message).split(b"\n")
        escaped = (b">" + one if one.lstrip(b">").startswith(b"From ") else one for one in lines)
        out.append(ENVELOPE.encode() + b"\n" + b"\n".join(escaped) + b"\n")
    return b"".join(out)


def as_rows(found: Read) -> list[tuple[datetime, str, str]]:
    return [(m.sent_at, m.author.name if m.author else "", m.text) for m in found.messages]


def expected(rows: Sequence[Sent]) -> list[tuple[datetime, str, str]]:
    return [(at, " ".join(name.split()).strip(' "'), text) for at, name, text, _ in rows]


@settings(max_examples=60, deadline=None)
@given(rows=sent, hours=st.integers(-11, 13))
def test_what_is_written_is_read_back(rows: list[Sent], hours: int) -> None:
    found = read(MemoryFile(as_mbox(rows, hours), "rome.mbox"))
    assert as_rows(found) == expected(rows)
    assert [m.key for m in found.messages] == [f"<{n}@x>" for n in range(len(rows))]
    assert found.warnings == []


@settings(max_examples=60, deadline=None)
@given(rows=sent, data=st.data())
def test_the_beginning_of_a_file_gives_its_first_mails(
    rows: list[Sent], data: st.DataObject
) -> None:
    """The last may be shorter than it was: a text can end anywhere."""
    raw = as_mbox(rows)
    cut = raw[: data.draw(st.integers(1, len(raw)))]
    try:
        found = read(MemoryFile(cut, "rome.mbox"))
    except UnreadableExportError:
        return
    got, whole = as_rows(found), expected(rows)
    assert got[:-1] == whole[: len(got) - 1]
    assert len(got) <= len(whole)
    assert len(found.warnings) <= 1


@pytest.mark.parametrize("seed", range(10))
def test_random_damage_is_no_crash(seed: int) -> None:
    import random

    chance = random.Random(seed)
    message = build("plain", "<p>rich")
    message.add_attachment(b"x" * 50, maintype="a", subtype="b", filename="höhe")
    data = bytearray(mbox(*[message.as_string()] * 5).data)
    for _ in range(60):
        data[chance.randrange(len(data))] = chance.randrange(256)
    found = read(MemoryFile(b"From x\n" + bytes(data), "rome"))
    for item in found.messages:
        assert "\0" not in item.text


def recognised(file: Any) -> Any:
    with Unpacked(LocalFile(file) if isinstance(file, Path) else file) as export:
        return MboxReader().recognise(export)


@pytest.mark.parametrize("name", ["x.bin", "photo.jpg", "chat.txt"])
def test_it_is_recognised_by_content_whatever_its_name(name: str) -> None:
    assert recognised(mbox(mail(), name=name))[:2] == ("mbox", 0.9)
    assert recognised(text_file(mail(), name))[:2] == ("mbox", 0.9)
    assert recognised(text_file(f"From x\n{mail()}", name))[:2] == ("mbox", 0.9)
    folder = zip_file({f"a/{name}": mail(), "a/y": mail(), "a/index.html": "<html>"})
    assert recognised(folder)[:2] == ("mbox", 0.85)
    assert not any(w in recognised(folder).reason for w in ("Ann", "ann", name, "index"))


def test_upstreams_samples_are_recognised() -> None:
    for path in sorted(data_path("fixtures", "mbox").glob("*.mbox")):
        assert recognised(path)[:2] == ("mbox", 0.9), path


def test_no_other_export_is_taken_for_mail() -> None:
    ours = data_path("fixtures", "mbox")
    for root in (SAMPLES, ours.parents[1]):
        for path in sorted(root.rglob("*")):
            if path.is_file() and ours not in path.parents and path.stat().st_size:
                try:
                    found = recognised(path)
                except UnreadableExportError:
                    continue
                assert found is None, path
    others = [
        "From Rome with love\nDear diary\n",
        "From: Ann\nTo: Bob\n\nhi\n",
        "From: Ann\nDate: today\nthis is no header\n",
        f"X-RSMF-Version: 2.0.0\n{mail()}",
        "Ann: hi\nBob: hello\n",
        "",
    ]
    for text in others:
        assert recognised(text_file(text, "x.eml")) is None, text
    attached = {"_chat.txt": "31/12/23, 21:05 - Ann: a", "a.jpg": "x", "letter.eml": mail()}
    assert recognised(zip_file(attached)) is None


def test_a_big_file_needs_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "big.mbox"
    raw = mbox(mail("x" * 70 + "\n" + "y " * 2000)).data
    with path.open("wb") as target:
        for _ in range(30 * 1024 * 1024 // len(raw)):
            target.write(raw)
    tracemalloc.start()
    try:
        with Unpacked(LocalFile(path)) as export:
            count = sum(1 for _ in READER.read(export, ReadOptions(), ReadFacts()))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count > 7000
    assert peak < 32 * 1024 * 1024


def test_a_type_that_is_none_is_not_told() -> None:
    message = build("see there")
    message.add_attachment(b"x" * 9, maintype="image", subtype="png", filename="a.png")
    raw = bytes(message).replace(b"image/png", b"image/p\0g")
    assert read_mail(raw).attachments == (Attachment("a.png", None, 9),)
