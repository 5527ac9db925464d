"""E-mail as programs and mailing lists archive it."""

from __future__ import annotations

import pytest

from application.ports.chat_reader import ReadOptions, UnreadableExportError
from domain.message import Attachment, Author
from tests.infrastructure.readers.mbox_exports import (
    ENVELOPE,
    build,
    mail,
    mbox,
    one,
    read,
    read_mail,
)
from tests.infrastructure.readers.support import (
    MemoryFile,
    text_file,
    utc_stamp,
    zip_file,
)
from tests.support.data import data_path


@pytest.mark.parametrize(
    ("file", "title"),
    [
        ("pipermail_2015_november.mbox", "pipermail"),
        ("pipermail_2016_april.mbox", "pipermail"),
        ("mbox_single.mbox", "mbox_single"),
    ],
)
def test_archives_of_lists_are_named_and_have_stated_times(file: str, title: str) -> None:
    found = read(data_path("fixtures", "mbox") / file)
    assert found.conversations == [(title, title, "unknown")]
    assert {(m.precision, m.zone, m.kind) for m in found.messages} == {
        ("second", "stated", "message")
    }
    assert all((m.extra or {}).keys() == {"subject"} for m in found.messages)


def test_the_months_of_a_list_are_one_conversation() -> None:
    folder = data_path("fixtures", "mbox")
    names = ("pipermail_2016_april.mbox", "pipermail_2015_november.mbox")
    found = read(zip_file({f"list/{name}": (folder / name).read_bytes() for name in names}))
    assert found.conversations == [("pipermail", "pipermail", "unknown")]
    assert len(found.messages) == 7
    assert found.messages == sorted(found.messages, key=lambda message: message.sent_at)


def test_texts_and_threads_of_an_archive_are_whole() -> None:
    found = read(data_path("fixtures", "mbox") / "pipermail_2015_november.mbox")
    first, second, third, fourth = found.messages
    assert first.text.startswith(
        "[Metrics-grimoire] Docker and MetricsGrimoire\n\nHey,\n\nyou might have heard"
    )
    assert first.text.endswith("attachments/20151114/35d7c818/attachment.htm>")
    assert second.text.startswith("This is cool, Andy.\n\nWhich rights do you need?\n\n\tJesus\n\n")
    assert "> I like to get your opinion this.\n> \n> Background:" in second.text
    assert (first.thread, second.thread) == (None, second.reply_to)
    assert {third.thread, fourth.thread} == {second.thread}


def test_a_message_is_known_by_its_id_and_answers_another_by_its_id() -> None:
    mails = [
        mail(Message_ID="<a@x>"),
        mail(Message_ID="<b@x>", In_Reply_To="<a@x>"),
        mail(Message_ID="<c@x>", In_Reply_To="Your message of Monday <b@x>"),
        mail(Message_ID="<d@x>", References="<a@x>\n <b@x>\n\t<c@x>"),
        mail(Message_ID="<e@x>", In_Reply_To="<gone@y>", References="<root@y> <gone@y>"),
        mail(Message_ID="<f@x>", In_Reply_To="<f@x>"),
        mail(Message_ID="<g@x>", In_Reply_To="nobody"),
        mail(Message_ID="no brackets"),
    ]
    assert [(m.key, m.reply_to, m.thread) for m in read(mbox(*mails)).messages] == [
        ("<a@x>", None, None),
        ("<b@x>", "<a@x>", "<a@x>"),
        ("<c@x>", "<b@x>", "<a@x>"),
        ("<d@x>", "<c@x>", "<a@x>"),
        ("<e@x>", "<gone@y>", "<root@y>"),
        ("<f@x>", None, None),
        ("<g@x>", None, None),
        ("no brackets", None, None),
    ]


def test_a_mail_without_an_id_has_a_key_that_no_zone_changes() -> None:
    naive = "Mon, 15 Jan 2024 10:30:00"
    file = mbox(mail(Message_ID="", Date=naive), mail(Message_ID="", Date=naive), mail("x"))
    utc, berlin = (read(file, ReadOptions(timezone=zone)) for zone in (None, "Europe/Berlin"))
    assert [m.key for m in utc.messages] == [m.key for m in berlin.messages]
    assert len({m.key for m in utc.messages}) == 3
    assert [m.zone for m in utc.messages] == ["assumed", "assumed", "stated"]
    assert [utc_stamp(m)[11:16] for m in berlin.messages] == ["09:30", "09:30", "10:30"]
    assert (utc.facts.timezone, berlin.facts.timezone) == ("UTC", "Europe/Berlin")


def test_the_subject_leads_the_first_message_of_a_thread_only() -> None:
    """Nobody would find it otherwise; in answers it is only repeated."""
    assert one("Soon.", Subject="When?").text == "When?\n\nSoon."
    assert one("", Subject="When?").text == "When?"
    assert one("When? Soon.", Subject="When?").text == "When? Soon."
    answer = one("Soon.", Subject="Re: When?", In_Reply_To="<0@x>")
    assert (answer.text, answer.extra) == ("Soon.", {"subject": "Re: When?"})


@pytest.mark.parametrize(
    ("written", "utc", "zone"),
    [
        ("Sat, 14 Nov 2015 21:29:28 +0100", "2015-11-14T20:29:28Z", "stated"),
        ("14 Nov 2015 21:29:28 +0100 (CET)", "2015-11-14T20:29:28Z", "stated"),
        ("Sat, 14 Nov 2015 21:29:28 CEST", "2015-11-14T19:29:28Z", "stated"),
        ("Sat, 14 Nov 2015 21:29:28 EST", "2015-11-15T02:29:28Z", "stated"),
        ("Sat, 14 Nov 2015 21:29:28 GMT+0530", "2015-11-14T15:59:28Z", "stated"),
        ("Sat, 14 Nov 2015 21:29:28 -0000", "2015-11-14T21:29:28Z", "stated"),
        ("Sat, 14 Nov 2015 21:29:28 Z", "2015-11-14T21:29:28Z", "stated"),
        ("Sat, 14 Nov 2015 21:29:28", "2015-11-14T13:29:28Z", "local"),
        ("Sat, 14 Nov 2015 21:29:28 XYZ", "2015-11-14T13:29:28Z", "local"),
        ("Sat, 14 Nov 2015 21:29:28 -7700", "2015-11-14T13:29:28Z", "local"),
        ("Sat Nov 14 21:29:28 2015", "2015-11-14T13:29:28Z", "local"),
        ("Sat Nov 14 21:29:28 EST 2015", "2015-11-15T02:29:28Z", "stated"),
        ("14 Nov 15 21:29:28 +0100", "2015-11-14T20:29:28Z", "stated"),
        ("Sat, 14-Nov-15 21:29:28 +0100", "2015-11-14T20:29:28Z", "stated"),
        ("Saturday, November 14, 2015 9:29:28 PM +0100", "2015-11-14T20:29:28Z", "stated"),
        ("2015-11-14T21:29:28+01:00", "2015-11-14T20:29:28Z", "stated"),
        ("2015-11-14 21:29:28", "2015-11-14T13:29:28Z", "local"),
        ("Sat, 14 Nov 2015\n\t21:29:60 +0100", "2015-11-14T20:29:59Z", "stated"),
    ],
)
def test_dates_are_taken_as_they_are_written(written: str, utc: str, zone: str) -> None:
    """A date without a zone is the person's to decide; here it is that of Asia/Shanghai."""
    file = mbox(mail(Date=written))
    (message,) = read(file, ReadOptions(timezone="Asia/Shanghai")).messages
    assert utc_stamp(message) == utc
    (message,) = read(file).messages
    assert message.zone == ("assumed" if zone == "local" else zone)


def test_a_date_without_seconds_is_one_to_the_minute() -> None:
    assert one(Date="Sat, 14 Nov 2015 21:29 +0100").precision == "minute"


@pytest.mark.parametrize("date", ["", "yesterday", "Sat, 14 Nov 1915 21:29:28 +0000", "99999"])
def test_where_the_date_is_missing_or_none_the_envelope_has_it(date: str) -> None:
    message = one(Date=date)
    assert (utc_stamp(message), message.zone) == ("2024-01-15T10:30:00Z", "assumed")


def test_dates_are_looked_for_in_the_envelope_then_where_it_was_received_then_before() -> None:
    gmail = "From 1500@xxx Mon Jan 15 10:30:00 +0100 2024\n"
    received = "from a.example by b.example; Tue, 16 Jan 2024 10:30:00 +0100 (CET)"
    text = (
        f"{gmail}{mail(Date='', Message_ID='<1@x>')}\n"
        f"From -\n{mail(Date='', Received=received, Message_ID='<2@x>')}\n"
        f"From -\n{mail(Date='', Message_ID='<3@x>')}\n"
    )
    found = read(text_file(text, "rome"))
    assert [(m.key, utc_stamp(m), m.zone) for m in found.messages] == [
        ("<1@x>", "2024-01-15T09:30:00Z", "stated"),
        ("<2@x>", "2024-01-16T09:30:00Z", "derived"),
        ("<3@x>", "2024-01-16T09:30:00Z", "derived"),
    ]
    with pytest.raises(UnreadableExportError, match="no date"):
        read(text_file(mail(Date=""), "x.eml"))


@pytest.mark.parametrize(
    ("header", "author"),
    [
        ("Ann <ann@example.org>", ("ann@example.org", "Ann")),
        ("ANN@Example.org", ("ann@example.org", "ANN@Example.org".lower())),
        ('"Doe, Ann" <ann@example.org>', ("ann@example.org", "Doe, Ann")),
        ("ann@example.org (Ann Doe)", ("ann@example.org", "Ann Doe")),
        ("ann at example.org (Ann Doe)", ("ann@example.org", "Ann Doe")),
        ("ann at example.org (=?utf-8?Q?=C3=84nn?=)", ("ann@example.org", "Änn")),
        ("=?utf-8?B?w4Rubg==?= <ann@example.org>", ("ann@example.org", "Änn")),
        ("=?utf-8?Q?Doe=2C?= =?utf-8?Q?_=C3=84nn?= <a@example.org>", ("a@example.org", "Doe, Änn")),
        ("Ann <ann@example.org>, Bob <bob@example.org>", ("ann@example.org", "Ann")),
        ("Ann Doe", ("Ann Doe", "Ann Doe")),
        ("Ann [ann@example.org]", ("ann@example.org", "Ann [")),
        ("<>", None),
        ("", None),
    ],
)
def test_authors_are_known_by_their_address(header: str, author: tuple[str, str] | None) -> None:
    found = one(From=header).author
    if header.startswith("Ann ["):
        assert found is not None
        assert found.id == "ann@example.org"
    else:
        assert found == author


def test_a_sender_stands_in_for_a_missing_author() -> None:
    assert one(From="", Sender="Bot <bot@example.org>").author == ("bot@example.org", "Bot")


def test_a_list_that_sends_in_its_own_name_does_not_make_everybody_one_person() -> None:
    via = "'Ann Doe' via Talk <talk@example.org>"
    assert one(From=via, Reply_To="Ann <ann@example.org>").author == ("ann@example.org", "Ann Doe")
    assert one(From=via, Reply_To="talk@example.org").author == ("Ann Doe", "Ann Doe")
    original = one(From=via, X_Original_From="ann@example.org", Reply_To="talk@example.org")
    assert original.author == Author("ann@example.org", "Ann Doe")


def test_mails_of_a_list_belong_to_it_whatever_file_they_lie_in() -> None:
    found = read(
        mbox(
            mail(List_Id="Talk about\n Rome <Rome.lists.example.org>"),
            mail(List_Id="<oslo.lists.example.org>"),
            mail(List_Id="bergen.example.org"),
            mail(List_Id="no id at all"),
            mail(List_Id='"=?utf-8?Q?R=C3=B6m?=" <rome.lists.example.org>'),
        )
    )
    assert found.conversations == [
        ("rome.lists.example.org", "Talk about Rome", "channel"),
        ("oslo.lists.example.org", "oslo.lists.example.org", "channel"),
        ("bergen.example.org", "bergen.example.org", "channel"),
        ("rome", "rome", "unknown"),
    ]
    assert found.messages[4].conversation == "rome.lists.example.org"


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("rome.mbox", "rome"),
        ("2015-November.txt", "export"),
        ("list/2015-November.txt", "list"),
        ("list/2015q4.txt", "list"),
        ("a.b_2015-11.mbox", "a.b"),
        ("Mail/INBOX.mbox/mbox", "INBOX"),
        ("Sent 2015", "Sent 2015"),
        ("Maildir/.Sent/cur/1.eml:2,S", ".Sent".strip(".")),
    ],
)
def test_files_without_a_list_are_named_by_themselves_or_their_folder(
    name: str, title: str
) -> None:
    data = mail() if "cur" in name else f"{ENVELOPE}\n{mail()}"
    found = read(zip_file({name: data}))
    assert [c.title for c in found.conversations] == [title]


def test_single_mails_and_folders_of_them_are_read() -> None:
    alone = read(text_file(mail(), "Letter of Ann.eml"))
    assert alone.conversations == [("Letter of Ann", "Letter of Ann", "unknown")]
    files = {
        "box/b.eml": mail("second", Message_ID="<2@x>"),
        "box/a.eml": mail("first", Message_ID="<1@x>"),
        "other/c.eml": mail("third", Message_ID="<3@x>").replace("\n", "\r\n"),
        "box/notes.txt": "Dear diary",
    }
    found = read(zip_file(files))
    assert [c.title for c in found.conversations] == ["box", "other"]
    assert found.texts == ["first", "second", "third"]
    assert found.warnings == []


def test_a_single_mail_is_never_split() -> None:
    body = f"look:\n\n{ENVELOPE}\nSubject: inner\n\n>From here\n"
    (message,) = read(text_file(mail(body), "x.eml")).messages
    assert message.text == body.rstrip()


def test_lines_that_only_look_like_the_beginning_of_a_mail_are_text() -> None:
    bodies = [
        "From now on\n\nFrom me: this\nTo: nobody",
        f"{ENVELOPE}\nthat was quoted badly",
        "x\nFrom Mon to Fri 10:30 2024\nSubject: not after an empty line",
    ]
    found = read(mbox(*(mail(body, Message_ID=f"<{n}@x>") for n, body in enumerate(bodies))))
    assert found.texts == bodies
    quoted = read(mbox(mail(">From here\n>>From there\n> From afar\n>From: x")))
    assert quoted.texts == ["From here\n>From there\n> From afar\n>From: x"]


@pytest.mark.parametrize(
    "line",
    [
        "From ann@example.org Mon Jan 15 10:30:00 2024",
        "From ann at example.org  Mon Jan 15 10:30:00 2024",
        "From - Mon Jan 15 10:30:00 2024",
        "From 1500000000000000@xxx Mon Jan 15 10:30:00 +0000 2024",
        "From MAILER-DAEMON Mon, 15 Jan 2024 10:30:00 +0000",
        "From g\xf6ran@example.org Mon Jan 15 10:30:00 2024",
        "From ",
        "From nobody",
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_mails_begin_at_lines_of_every_kind(line: str, end: str) -> None:
    text = "".join(f"{line}\n{mail(f'text {n}', Message_ID=f'<{n}@x>')}\n" for n in range(3))
    found = read(MemoryFile(text.replace("\n", end).encode("latin-1"), "rome"))
    assert [(m.key, m.text) for m in found.messages] == [
        (f"<{n}@x>", f"text {n}") for n in range(3)
    ]
    assert found.warnings == []


def test_what_a_program_keeps_in_a_folder_for_itself_is_no_message() -> None:
    data = mail(Subject="DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA", X_IMAP="1 2")
    assert read(mbox(data, mail("hi"))).texts == ["hi"]


def test_the_plain_text_is_taken_and_else_the_html() -> None:
    assert read_mail(bytes(build("plain text", "<p>rich"))).text == "plain text"
    html = '<style>x{}</style><p>Hi&nbsp;<b>Ann</b>,<br>see <a href="https://x.org/a">this</a></p>'
    only = build()
    only.set_content(html, subtype="html")
    assert read_mail(bytes(only)).text == "Hi Ann,\nsee this (https://x.org/a)"
    assert read_mail(bytes(build("\n \n", html))).text.startswith("Hi Ann")


def test_attachments_have_name_type_and_size() -> None:
    message = build("see there")
    message.add_attachment(b"x" * 100, maintype="application", subtype="pdf", filename="höhe.pdf")
    message.add_attachment("notes", filename="../../etc/notes.txt")
    message.add_attachment(
        b"y" * 7, maintype="image", subtype="png", filename="=?utf-8?Q?=C3=84.png?="
    )
    message.add_attachment(build("inner"))
    found = read_mail(bytes(message))
    assert found.text == "see there"
    assert found.attachments == (
        Attachment("höhe.pdf", "application/pdf", 100),
        Attachment("notes.txt", "text/plain", 6),
        Attachment("Ä.png", "image/png", 7),
        Attachment("rfc822", "message/rfc822", None),
    )


def test_a_forwarded_mail_is_named_by_its_subject() -> None:
    inner = build("inner")
    inner["Subject"] = "About a/b"
    message = build("see there")
    message.add_attachment(inner)
    assert read_mail(bytes(message)).attachments == (
        Attachment("About a_b.eml", "message/rfc822", None),
    )


def test_parts_that_a_list_or_a_program_has_put_around_the_text_are_text() -> None:
    parts = [
        ("text/plain; charset=utf-8", "Hello\n"),
        ("image/png; name=a.png", "abc"),
        ("text/plain", "\nbelow the picture\n"),
        ("application/pgp-signature", "-----BEGIN"),
        ("text/plain; name=log.txt", "log"),
    ]
    body = "".join(f"--b\nContent-Type: {type}\n\n{text}\n" for type, text in parts) + "--b--\n"
    message = one(body, Content_Type="multipart/mixed; boundary=b")
    assert message.text == "Hello\nbelow the picture"
    assert [a.name for a in message.attachments] == ["a.png", "pgp-signature", "log.txt"]
