"""LINE's text files, in the languages and with the quirks that the app writes them."""

from __future__ import annotations

import pytest

from application.ports.chat_reader import (
    ReadOptions,
    UnreadableExportError,
)
from domain.message import Attachment, Author
from tests.infrastructure.readers.line_exports import GROUP, JAPANESE, claim, dated, day, line
from tests.infrastructure.readers.support import (
    MemoryFile,
    local_stamp,
    text_file,
    utc_stamp,
    zip_file,
)


def test_a_group_is_read_with_its_notices_and_days() -> None:
    found = line(GROUP)
    assert found.conversations == [("Rome", "Rome", "group")]
    assert [(utc_stamp(m), m.kind, m.author and m.author.name, m.text) for m in found.messages] == [
        ("2024-01-02T21:05:00Z", "message", "Ann", "hi"),
        ("2024-01-02T21:06:00Z", "message", "Bob", "hello"),
        ("2024-01-02T21:07:00Z", "system", None, "Bob invited Cem to the group."),
        ("2024-01-03T08:00:00Z", "message", "Ann", "good morning"),
    ]
    assert {(m.precision, m.zone) for m in found.messages} == {("minute", "assumed")}
    assert found.warnings == []
    assert (found.facts.date_order, found.facts.timezone) == ("ymd", "UTC")


def test_a_japanese_chat_is_read() -> None:
    found = line(JAPANESE)
    assert found.conversations == [("友人", "友人", "direct")]
    assert [local_stamp(m) for m in found.messages] == [
        *("2026-09-01T08:00:00", "2026-10-01T00:15:00", "2026-10-01T12:30:00")
    ]
    assert [m.attachments for m in found.messages] == [
        (),
        (),
        (Attachment("スタンプ", None, None),),
    ]
    assert found.messages[2].text == ""


@pytest.mark.parametrize(
    ("first", "title", "kind"),
    [
        ("[LINE] Chat history with Ann Lee", "Ann Lee", "direct"),
        ("[LINE] Chat history in A \U0001f355", "A \U0001f355", "group"),
        ("Chat history in Rome", "Rome", "group"),
        ("[LINE] 友人とのトーク履歴", "友人", "direct"),
        ("[LINE] 広報チームのトーク履歴", "広報チーム", "group"),
        ("[LINE] 広報チームのトーク", "広報チーム", "unknown"),
        ("[LINE]与小明的聊天记录", "小明", "direct"),
        ("[LINE] 與小美的聊天記錄", "小美", "direct"),
        ("[LINE] 家庭的聊天記錄", "家庭", "group"),
        ("[LINE] 지은님과 대화 기록", "지은", "direct"),
        ("[LINE] Cronologia chat con Ann", "Cronologia chat con Ann", "unknown"),
    ],
)
def test_titles_of_many_languages_are_understood(first: str, title: str, kind: str) -> None:
    found = line(day("10:00\tAnn\thi", head=first))
    assert found.conversations == [(title, title, kind)]
    assert claim(text_file(day("10:00\tAnn\thi", head=first))) is not None


@pytest.mark.parametrize(
    "date",
    [
        "2024.01.02 Tuesday",
        "2024/1/2週二",
        "2024/1/2周二",
        "2024/01/02(火)",
        "2024/01/02（二）",
        "2024.01.02 火曜日",
        "2024. 1. 2. 화요일",
        "2024/01/02(Tue)",
        "2024/01/02",
        "Tue, 01/02/2024",
        "Tue, 02/01/2024",
        "Tuesday, 1/2/2024",
    ],
)
def test_days_are_understood_in_every_form(date: str) -> None:
    text = f"[LINE] Chat history with Ann\nSaved on: x\n\n{date}\n10:00\tAnn\thi\n"
    found = line(text)
    assert [local_stamp(m) for m in found.messages] == ["2024-01-02T10:00:00"]
    assert found.warnings == []


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        ("9:05", "09:05"),
        ("09:05", "09:05"),
        ("21:05", "21:05"),
        ("9:05PM", "21:05"),
        ("9:05 pm", "21:05"),
        ("9:05 p.m.", "21:05"),
        ("12:05AM", "00:05"),
        ("12:05PM", "12:05"),
        ("午後09:05", "21:05"),
        ("午前0:05", "00:05"),
        ("下午 9:05", "21:05"),
        ("上午12:05", "00:05"),
        ("오후 9:05", "21:05"),
        ("오전 9:05", "09:05"),
    ],
)
def test_clocks_are_understood_in_every_form(clock: str, expected: str) -> None:
    (message,) = line(day(f"{clock}\tAnn\thi")).messages
    assert local_stamp(message) == f"2024-01-02T{expected}:00"


def test_the_weekday_decides_which_number_is_the_day() -> None:
    """1 February 2024 was a Thursday, 2 January a Tuesday."""
    found = line(dated("Thu, 01/02/2024", "Fri, 02/02/2024"))
    assert [local_stamp(m)[:10] for m in found.messages] == ["2024-02-01", "2024-02-02"]
    assert (found.facts.date_order, found.warnings) == ("dmy", [])
    found = line(dated("Tue, 01/02/2024", "Fri, 02/02/2024"))
    assert [local_stamp(m)[:10] for m in found.messages] == ["2024-01-02", "2024-02-02"]
    assert (found.facts.date_order, found.warnings) == ("mdy", [])


def test_where_weekdays_are_not_understood_other_dates_decide() -> None:
    found = line(dated("Mar, 02/01/2024", "Lun, 15/01/2024"))
    assert [local_stamp(m)[:10] for m in found.messages] == ["2024-01-02", "2024-01-15"]
    assert found.warnings == []


def test_where_weekdays_are_not_understood_the_day_of_saving_decides() -> None:
    """Read day first, the file would be of April and hold a message of October."""
    found = line(dated("Jeu, 05/10/2018", saved="11/04/2018 17.55"))
    assert [local_stamp(m)[:10] for m in found.messages] == ["2018-05-10"]
    assert found.facts.date_order == "mdy"


def test_an_order_that_nothing_decides_is_told_of_and_can_be_stated() -> None:
    found = line(dated("Xyz, 05/06/2018"))
    assert local_stamp(found.messages[0])[:10] == "2018-06-05"
    assert len(found.warnings) == 1
    assert "state the date order" in found.reasons[0]
    stated = line(dated("Xyz, 05/06/2018"), ReadOptions(date_order="mdy"))
    assert local_stamp(stated.messages[0])[:10] == "2018-05-06"
    assert stated.warnings == []


def test_a_stated_order_does_not_turn_dates_that_begin_with_the_year() -> None:
    found = line(GROUP, ReadOptions(date_order="mdy"))
    assert local_stamp(found.messages[0]) == "2024-01-02T21:05:00"


def test_a_text_of_several_lines_is_taken_out_of_its_marks() -> None:
    text = '10:00\tAnn\t"one ""two""\n\nthree\n2024.05.05 Sunday\nfour"\n10:01\tBob\tfive'
    found = line(day(*text.split("\n")))
    assert found.texts == ['one "two"\n\nthree\n2024.05.05 Sunday\nfour', "five"]
    assert {local_stamp(m)[:10] for m in found.messages} == {"2024-01-02"}
    assert found.warnings == []


def test_a_closing_mark_may_stand_alone() -> None:
    found = line(day('10:00\tAnn\t"one', "two", '"', "10:01\tBob\tfive"))
    assert found.texts == ["one\ntwo", "five"]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ('"hello"', '"hello"'),
        ('"oops', '"oops'),
        ('"a" and b', '"a" and b'),
        ('"say ""hi"" now"', 'say "hi" now'),
        ('"', '"'),
        ('""', '""'),
        ('say "hi"', 'say "hi"'),
    ],
)
def test_marks_of_a_text_of_one_line_are_its_own(written: str, text: str) -> None:
    found = line(day(f"10:00\tAnn\t{written}", "10:01\tBob\tx", "", "2024.01.03 Wednesday", ""))
    assert found.texts == [text, "x"]
    assert found.warnings == []


def test_a_mark_that_is_never_closed_swallows_no_message_and_no_day() -> None:
    found = line(day('10:00\tAnn\t"oops', "", "2024.01.03 Wednesday", '10:01\tBob\t"x"'))
    assert [(local_stamp(m)[:10], m.text) for m in found.messages] == [
        ("2024-01-02", '"oops'),
        ("2024-01-03", '"x"'),
    ]


def test_a_file_that_ends_within_a_text_says_so() -> None:
    found = line(day('10:00\tAnn\t"one', "two"))
    assert found.texts == ["one\ntwo"]
    assert [w.is_fatal for w in found.warnings] == [True]


def test_lines_without_a_time_continue_the_message() -> None:
    """Older versions put no marks around a text of several lines."""
    found = line(day("10:00\tAnn\tone", "\ttwo", "", "2024/05/05 was fine", "10:01\tBob\tx"))
    assert found.texts == ["one\n\ttwo\n\n2024/05/05 was fine", "x"]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("[Photo]", "Photo"),
        ("[写真]", "写真"),
        ("[照片]", "照片"),
        ("[사진]", "사진"),
        ("[Sticker]", "Sticker"),
        ("[貼圖]", "貼圖"),
        ("[Video]", "Video"),
        ("[ボイスメッセージ]", "ボイスメッセージ"),
        ("[File] report 1.pdf", "report 1.pdf"),
        ("[檔案]", "檔案"),
    ],
)
def test_files_are_attachments(written: str, name: str) -> None:
    (message,) = line(day(f"10:00\tAnn\t{written}")).messages
    assert (message.kind, message.text) == ("message", "")
    assert message.attachments == (Attachment(name, None, None),)


@pytest.mark.parametrize(
    "text", ["[Photo] of me", "[photo]", "[Location] Rome, Italy", "[1] and [2]", "[x]"]
)
def test_other_words_in_brackets_are_text(text: str) -> None:
    (message,) = line(day(f"10:00\tAnn\t{text}")).messages
    assert (message.text, message.attachments) == (text, ())


@pytest.mark.parametrize(
    ("rest", "name"),
    [
        ("\tAnn unsent a message.", "Ann"),
        ("\tAnnがメッセージの送信を取り消しました", "Ann"),
        ("\tAnn已收回訊息", "Ann"),
        ("\tAnn님이 메시지 전송을 취소했습니다.", "Ann"),
        ("\tYou unsent a message.", None),
        ("\tメッセージの送信を取り消しました", None),
        ("您已收回訊息", None),
        ("\tNobody unsent a message.", None),
        ("Ann\tMessage unsent.", "Ann"),
        ("Ann\tAnn unsent a message.", "Ann"),
    ],
)
def test_messages_taken_back_are_deleted(rest: str, name: str | None) -> None:
    found = line(day("09:00\tAnn\thi", f"10:00\t{rest}"))
    message = found.messages[1]
    assert (message.kind, message.text) == ("deleted", "")
    assert message.author == (None if name is None else Author(name, name))


def test_who_tells_of_a_message_taken_back_has_not_taken_one_back() -> None:
    (message,) = line(day("10:00\tAnn\tBob unsent a message.")).messages
    assert (message.kind, message.text) == ("message", "Bob unsent a message.")


@pytest.mark.parametrize(
    "text",
    ["☎ Call time 1:02:03", "☎ 通話時間 0:07", "☎ 未接來電", "☎ 부재중 전화", "☎ Missed call"],
)
def test_calls_are_notices_of_who_called(text: str) -> None:
    (message,) = line(day(f"10:00\tAnn\t{text}")).messages
    assert (message.kind, message.author, message.text) == ("system", ("Ann", "Ann"), text)
    (message,) = line(day(f"10:00\t{text}")).messages
    assert (message.kind, message.author, message.text) == ("system", None, text)


def test_somebody_may_write_a_telephone() -> None:
    (message,) = line(day("10:00\tAnn\t☎ 030 1234")).messages
    assert message.kind == "message"


def test_times_are_placed_in_the_stated_zone_and_keys_do_not_depend_on_it() -> None:
    here = line(GROUP)
    there = line(GROUP, ReadOptions(timezone="Asia/Tokyo"))
    assert utc_stamp(there.messages[0]) == "2024-01-02T12:05:00Z"
    assert {m.zone for m in there.messages} == {"stated"}
    assert [m.key for m in here.messages] == [m.key for m in there.messages]


def test_equal_messages_of_one_minute_have_different_keys() -> None:
    found = line(day("10:00\tAnn\tha", "10:00\tAnn\tha"))
    assert len({m.key for m in found.messages}) == 2


def test_several_chats_of_an_archive_are_read() -> None:
    members = {"a/[LINE] Rome.txt": GROUP, "b/x.txt": GROUP, "c/notes.txt": "nothing", "p.jpg": "x"}
    found = line(zip_file(members))
    assert [c.id for c in found.conversations] == ["Rome", "Rome (2)"]
    assert len(found.messages) == 8
    assert found.warnings == []
    assert claim(zip_file(members)) == (
        "line",
        0.95,
        "a title such as LINE writes, dates of their own line, then messages",
    )


def test_a_file_without_a_title_is_called_after_itself() -> None:
    text = "2024.01.02 Tuesday\n10:00\tAnn\thi\n"
    found = line(text_file(text, "[LINE] Chat with Ann.txt"))
    assert found.conversations == [("Ann", "Ann", "unknown")]
    recognition = claim(text_file(text))
    assert recognition is not None
    assert recognition.confidence == 0.9


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_encodings_and_line_ends_are_understood(encoding: str) -> None:
    file = MemoryFile(JAPANESE.replace("\n", "\r\n").encode(encoding), "chat.txt")
    assert claim(file) is not None
    found = line(file)
    assert found.conversations[0].title == "友人"
    assert found.texts == ["資料です", "はい", ""]


def test_a_message_before_any_date_and_one_of_no_time_are_told_of() -> None:
    text = "[LINE] Chat history in R\n10:00\tAnn\tlost\n\n2024.02.30 Friday\n10:00\tAnn\tx\n"
    found = line(f"{text}\n2024.03.01 Friday\n25:00\tAnn\ty\n10:00\tAnn\tz\n")
    assert found.texts == ["z"]
    assert [w.line for w in found.warnings] == [2, 5, 8]


def test_a_file_that_is_none_of_lines_is_an_error() -> None:
    with pytest.raises(UnreadableExportError, match="no line of it is a date"):
        line("hello\nworld\n")
