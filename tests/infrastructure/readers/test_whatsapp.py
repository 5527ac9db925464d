"""What WhatsApp writes besides dates and names."""

from __future__ import annotations

import pytest

from application.ports.chat_reader import ReadOptions
from tests.infrastructure.readers.support import local_stamp, read, text_file, zip_file

LOCALES = {
    "12/31/23, 9:05\u202fPM - Ann: hi": "2023-12-31T21:05:00",
    "31.12.23, 21:05 - Ann: hi": "2023-12-31T21:05:00",
    "31-12-23 21:05 - Ann: hi": "2023-12-31T21:05:00",
    "31/12/23 9:05 p.\u00a0m. - Ann: hi": "2023-12-31T21:05:00",
    "2023/12/31, 21:05 - Ann: hi": "2023-12-31T21:05:00",
    "[31.12.23, 21:05:07] Ann: hi": "2023-12-31T21:05:07",
    "\u200e[31/12/2023, 21:05:07] Ann: hi": "2023-12-31T21:05:07",
    "31.12.2023 klo 21.05 - Ann: hi": "2023-12-31T21:05:00",
    "31.12.23 21.05.07: Ann: hi": "2023-12-31T21:05:07",
    "[2023/12/31 下午9:05:07] Ann:hi": "2023-12-31T21:05:07",
    "2023. 12. 31. 오후 9:05 - Ann: hi": "2023-12-31T21:05:00",
    "31/12/2023, 9:05_PM - Ann: hi": "2023-12-31T21:05:00",
    "٣١/١٢/٢٠٢٣، ٩:٠٥ م - Ann: hi": "2023-12-31T21:05:00",
    "31/12/2023, 12:05 am - Ann: hi": "2023-12-31T00:05:00",
}


@pytest.mark.parametrize(("line", "stamp"), LOCALES.items())
def test_the_header_of_many_locales_is_understood(line: str, stamp: str) -> None:
    found = read(text_file(line))
    (message,) = found.spoken
    assert local_stamp(message) == stamp
    assert (message.author, message.text) == (("Ann", "Ann"), "hi")


def test_a_day_above_twelve_anywhere_decides_the_whole_file() -> None:
    lines = ["03/04/24, 10:00 - A: x", "04/04/24, 10:00 - A: y", "13/04/24, 10:00 - A: z"]
    found = read(text_file("\n".join(lines)))
    assert [local_stamp(m)[:10] for m in found.spoken] == ["2024-04-03", "2024-04-04", "2024-04-13"]
    assert (found.facts.date_order, found.warnings) == ("dmy", [])


def test_an_undecided_order_keeps_time_from_going_back_and_is_told_of() -> None:
    lines = ["02/01/24, 10:00 - A: x", "02/11/24, 10:00 - A: y", "03/01/24, 10:00 - A: z"]
    found = read(text_file("\n".join(lines)))
    assert found.facts.date_order == "mdy"
    assert "going back" in found.reasons[0]


def test_the_number_that_changes_most_is_the_day_when_nothing_else_decides() -> None:
    lines = [f"05/{day:02}/24, 10:00 - A: x" for day in range(1, 9)]
    found = read(text_file("\n".join(lines)))
    assert found.facts.date_order == "mdy"


def test_a_stated_order_is_followed_without_a_warning() -> None:
    found = read(text_file("03/04/24, 10:00 - A: x"), ReadOptions(date_order="mdy"))
    assert local_stamp(found.spoken[0])[:10] == "2024-03-04"
    assert found.warnings == []


def test_a_sure_chat_decides_for_the_others_of_its_phone() -> None:
    found = read(
        zip_file(
            {
                "WhatsApp Chat with A.txt": "3/4/24, 10:00 - A: x",
                "WhatsApp Chat with B.txt": "3/24/24, 10:00 - B: x",
            }
        )
    )
    assert [local_stamp(m)[:10] for m in found.spoken] == ["2024-03-04", "2024-03-24"]
    assert found.per_title() == {"A": 1, "B": 1}
    assert found.warnings == []


def test_two_digit_years_in_front_are_seen_when_they_explain_the_file_better() -> None:
    lines = [f"23/{month}/{day}, 10:00 - A: x" for month in (5, 6) for day in range(1, 29)]
    found = read(text_file("\n".join(lines)))
    assert found.facts.date_order == "ymd"
    assert local_stamp(found.spoken[-1])[:10] == "2023-06-28"


def test_a_stated_zone_turns_local_times_into_utc_and_changes_no_key() -> None:
    file = text_file("31/12/23, 21:05 - Ann: hi")
    berlin = read(file, ReadOptions(timezone="Europe/Berlin"))
    assumed = read(file)
    assert local_stamp(berlin.spoken[0]) == "2023-12-31T20:05:00"
    assert (berlin.spoken[0].zone, assumed.spoken[0].zone) == ("stated", "assumed")
    assert berlin.spoken[0].key == assumed.spoken[0].key


def test_equal_messages_of_one_minute_have_different_keys() -> None:
    found = read(text_file("31/12/23, 21:05 - Ann: hi\n" * 3))
    assert len({m.key for m in found.messages}) == 3


def test_notices_are_apart_from_messages_even_with_a_colon_in_them() -> None:
    lines = [
        "31/12/23, 21:05 - Messages and calls are end-to-end encrypted. Tap to learn more.",
        '31/12/23, 21:05 - Ann created group "Trip: Rome"',
        '31/12/23, 21:06 - Ann changed the subject from "Trip: Rome" to "Trip: Pisa"',
        "31/12/23, 21:07 - Ann: look: https://example.org",
    ]
    found = read(text_file("\n".join(lines), "WhatsApp Chat with Trip_ Rome.txt"))
    assert found.texts == ["look: https://example.org"]
    assert [m.author for m in found.messages[:3]] == [None, None, None]
    assert found.conversations[0].kind == "group"


def test_iphone_notices_under_a_name_are_notices() -> None:
    lines = [
        "[31.12.23, 21:05:07] Rome: \u200eMessages and calls are end-to-end encrypted.",
        "[31.12.23, 21:05:08] Ann: \u200eAnn created this group",
        "[31.12.23, 21:05:09] Ann: \u200eimage omitted",
        "[31.12.23, 21:05:10] Ann: \u200ePOLL:\nWhere?\n\u200eOPTION: Rome (2 votes)",
        "[31.12.23, 21:05:11] ~\u202fBob: \u200eThis message was deleted.",
        "[31.12.23, 21:05:12] Bob: fixed \u200e<This message was edited>",
    ]
    found = read(zip_file({"WhatsApp Chat - Rome/_chat.txt": "\r\n".join(lines)}))
    kinds = [m.kind for m in found.messages]
    assert kinds == ["system", "system", "message", "message", "deleted", "message"]
    assert found.conversations[0].title == "Rome"
    assert found.messages[0].author is None
    assert found.messages[2].attachments[0].name == "image omitted"
    assert found.messages[3].text.startswith("POLL:\nWhere?")
    assert found.messages[4].author == ("Bob", "Bob")
    assert (found.messages[5].text, found.messages[5].extra) == ("fixed", {"edited": True})


@pytest.mark.parametrize(
    ("text", "name", "caption"),
    [
        ("<Media omitted>", "Media omitted", ""),
        ("<Medien ausgeschlossen>", "Medien ausgeschlossen", ""),
        ("IMG-20240101-WA0001.jpg (file attached)\nlook", "IMG-20240101-WA0001.jpg", "look"),
        ("<attached: 0001-PHOTO-2024.jpg>", "0001-PHOTO-2024.jpg", ""),
        ("VID-20240101-WA0007.mp4 (ekteki dosya)", "VID-20240101-WA0007.mp4", ""),
    ],
)
def test_media_are_attachments_with_their_caption(text: str, name: str, caption: str) -> None:
    (message,) = read(text_file(f"31/12/23, 21:05 - Ann: {text}")).spoken
    assert [a.name for a in message.attachments] == [name]
    assert message.text == caption


def test_a_text_about_a_file_is_no_attachment() -> None:
    (message,) = read(text_file("31/12/23, 21:05 - Ann: see notes.txt (the old ones)")).spoken
    assert (message.text, message.attachments) == ("see notes.txt (the old ones)", ())


def test_lines_without_a_header_continue_the_message_even_if_they_begin_with_a_date() -> None:
    lines = ["31/12/23, 21:05 - Ann: log:", "2024-01-01 10:00: boot", "", "done"] + [
        f"31/12/23, 21:{minute} - Ann: ok" for minute in range(10, 50)
    ]
    found = read(text_file("\n".join(lines)))
    assert found.texts[0] == "log:\n2024-01-01 10:00: boot\n\ndone"
    assert len(found.spoken) == 41


def test_a_date_that_does_not_exist_is_told_of_with_its_line() -> None:
    lines = ["31/12/23, 21:05 - Ann: a", "31/02/24, 21:05 - Ann: b", "c", "01/03/24, 9:00 - Ann: d"]
    found = read(text_file("\n".join(lines)))
    assert found.texts == ["a", "d"]
    assert [(w.line, w.is_fatal) for w in found.warnings] == [(2, False), (3, False)]


NOTICE = "[31.12.23, 21:05:07] {}: \u200eMessages and calls are end-to-end encrypted."
SAID = "[31.12.23, 21:05:{}] {}: {}"


@pytest.mark.parametrize("file", ["_chat.txt", "_chat (1).txt", "_Chat-2.txt"])
@pytest.mark.parametrize(
    ("lines", "title", "kind", "source"),
    [
        (
            [NOTICE.format("Rome"), *(SAID.format(10 + n, f"P{n}", "hi") for n in range(3))],
            *("Rome", "group", "notices"),
        ),
        (
            [NOTICE.format("Bob"), SAID.format(10, "Ann", "hi"), SAID.format(11, "Bob", "yes")],
            *("Bob", "direct", "notices"),
        ),
        (
            [SAID.format(10, "Bob", "hi"), SAID.format(11, "Ann", "yes")],
            *("Ann, Bob", "direct", "two people"),
        ),
    ],
)
def test_an_unzipped_iphone_chat_is_named_by_what_it_holds(
    file: str, lines: list[str], title: str, kind: str, source: str
) -> None:
    found = read(text_file("\n".join(lines), file))
    assert found.conversations == [(title, title, kind)]
    [reason] = [reason for reason in found.reasons if "named after" in reason]
    assert source in reason


def test_unzipped_iphone_chats_stay_apart_and_a_longer_export_joins_its_chat() -> None:
    def conversation(first: str, count: int, file: str = "_chat.txt") -> str:
        said = [SAID.format(10 + n, f"P{n}", f"{first} {n}") for n in range(count)]
        return read(text_file("\n".join(said), file)).conversations[0].id

    assert conversation("hi", 3) == conversation("hi", 9, "_chat 2.txt")
    assert conversation("hi", 3) != conversation("ahoy", 3)


def test_the_archive_names_the_chat_in_it() -> None:
    """As what it is called where it was unzipped, if the notices say so."""
    chat = "\n".join([NOTICE.format("Rome"), SAID.format(10, "Ann", "hi")])
    zipped = read(zip_file({"_chat.txt": chat}, name="WhatsApp Chat - Rome.zip"))
    assert zipped.conversations[0].id == read(text_file(chat, "_chat.txt")).conversations[0].id
    assert not [reason for reason in zipped.reasons if "named after" in reason]


def test_two_chats_of_one_title_stay_two_conversations() -> None:
    chat = "31/12/23, 21:05 - Ann: a"
    found = read(zip_file({"1/WhatsApp Chat with A.txt": chat, "2/WhatsApp Chat with A.txt": chat}))
    assert [c.id for c in found.conversations] == ["A", "A (2)"]
