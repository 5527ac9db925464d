"""What WhatsApp writes besides dates and names."""

from __future__ import annotations

import pytest

from application.ports.chat_reader import ReadOptions
from domain.message import Message
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
    "31.12.2023., 21:05 - Ann: hi": "2023-12-31T21:05:00",
    "2023. 12. 31. du. 9:05 - Ann: hi": "2023-12-31T21:05:00",
    "2023-12-31 21:05 - Ann: hi": "2023-12-31T21:05:00",
    "31/12/2023, 9:05 μ.μ. - Ann: hi": "2023-12-31T21:05:00",
    "31/12/23, 9:05 nachm. - Ann: hi": "2023-12-31T21:05:00",
    "31/12/23, 9:05 अपराह्न - Ann: hi": "2023-12-31T21:05:00",
    "31/12/23, 9:05 पूर्वाह्न - Ann: hi": "2023-12-31T09:05:00",
    "31.12.2023, 9:05 אחה״צ - Ann: hi": "2023-12-31T21:05:00",
    "31/12/23, 9:05 ب.ظ. - Ann: hi": "2023-12-31T21:05:00",
    "2023/12/31 晚上9:05 - Ann: hi": "2023-12-31T21:05:00",
    "2023/12/31 凌晨12:05 - Ann: hi": "2023-12-31T00:05:00",
    "[2023/12/31 上午9:05:07] Ann: hi": "2023-12-31T09:05:07",
    "2023年12月31日 21:05 - Ann: hi": "2023-12-31T21:05:00",
    "[31.12.23 kl. 21.05.07] Ann: hi": "2023-12-31T21:05:07",
    "[٣١\u200f/١٢\u200f/٢٠٢٣، ٩:٠٥:٠٧ م] Ann: hi": "2023-12-31T21:05:07",
    "[2023/12/31\u060c\u200f 21:05:07] Ann: hi": "2023-12-31T21:05:07",
    "\u202a31/12/2023, 21:05 - Ann: hi": "2023-12-31T21:05:00",
    "31/12/23, 21:05 Ann: hi": "2023-12-31T21:05:00",
    "31/12/23 9:05 PM Ann: hi": "2023-12-31T21:05:00",
    "21:05, 31/12/2023 - Ann: hi": "2023-12-31T21:05:00",
    "9:05 PM, 31/12/2023: Ann: hi": "2023-12-31T21:05:00",
    "31/12/2566 21:05 - Ann: hi": "2023-12-31T21:05:00",
    "[1402/10/10, 21:05:07] Ann: hi": "2023-12-31T21:05:07",
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
    assert found.messages[2].attachments[0].name == "image"
    assert found.messages[3].text.startswith("POLL:\nWhere?")
    assert found.messages[4].author == ("Bob", "Bob")
    assert (found.messages[5].text, found.messages[5].extra) == ("fixed", {"edited": True})


@pytest.mark.parametrize(
    ("text", "name", "caption"),
    [
        ("<Media omitted>", "media", ""),
        ("<Medien ausgeschlossen>", "media", ""),
        ("<Média vynechány>", "media", ""),
        ("< Média vynechána >", "media", ""),
        ("<Без медиафайлов>\nsmotri", "media", "smotri"),
        ("<मीडिया के बिना>", "media", ""),
        ("<মিডিয়া বাদ দেওয়া হয়েছে>", "media", ""),
        ("image omitted", "image", ""),
        ("\u200eBild weggelassen", "image", ""),
        ("\u200eaudio omesso", "audio", ""),
        ("\u200eGIF retiré", "GIF", ""),
        ("\u200eстикер не добавлен", "sticker", ""),
        ("\u200eTarjeta de contacto omitida", "contact", ""),
        ("\u200eplan.vcf (file attached)", "plan.vcf", ""),
        ("a b.pdf (súbor pripojený)", "a b.pdf", ""),
        ("look here\u200e<attached: 0002-PHOTO-2024.jpg>", "0002-PHOTO-2024.jpg", "look here"),
        ("two\nlines \u200evideo omitted", "video", "two\nlines"),
        ("plan.pdf • \u200e3 pages \u200edocument omitted", "plan.pdf", ""),
        ("plan.pdf • 3 pages \u200e<attached: 00000012-plan.pdf>", "00000012-plan.pdf", ""),
        ("IMG-20240101-WA0001.jpg (file attached)\nlook", "IMG-20240101-WA0001.jpg", "look"),
        ("<attached: 0001-PHOTO-2024.jpg>", "0001-PHOTO-2024.jpg", ""),
        ("VID-20240101-WA0007.mp4 (ekteki dosya)", "VID-20240101-WA0007.mp4", ""),
    ],
)
def test_media_are_attachments_with_their_caption(text: str, name: str, caption: str) -> None:
    (message,) = read(text_file(f"31/12/23, 21:05 - Ann: {text}")).spoken
    assert [a.name for a in message.attachments] == [name]
    assert message.text == caption


def test_the_sizes_of_media_in_the_archive_are_known() -> None:
    lines = [
        "31/12/23, 21:05 - Ann: IMG-20240101-WA0001.jpg (file attached)",
        "31/12/23, 21:06 - Ann: IMG-20240101-WA0002.jpg (file attached)",
    ]
    found = read(
        zip_file(
            {
                "WhatsApp Chat with Ann.txt": "\n".join(lines),
                "IMG-20240101-WA0001.jpg": b"x" * 7,
                "other/IMG-20240101-WA0002.jpg": b"x" * 8,
            }
        )
    )
    assert [m.attachments[0].size for m in found.spoken] == [7, None]


@pytest.mark.parametrize(
    "text",
    [
        "Bez multivides",
        "I think the image omitted it",
        "\u200fשלום",
        "null",
        "he said: this message was deleted",
    ],
)
def test_what_only_resembles_a_phrase_of_the_phone_is_a_text(text: str) -> None:
    (message,) = read(text_file(f"[31.12.23, 21:05:07] Ann: {text}")).messages
    assert (message.kind, message.text, message.attachments) == ("message", text, ())


@pytest.mark.parametrize(
    "text",
    [
        "This message was deleted",
        "You deleted this message",
        "\u200eThis message was deleted.",
        "Diese Nachricht wurde gelöscht.",
        "Du hast diese Nachricht gelöscht.",
        "Se eliminó este mensaje.",
        "Tuto zprávu jste smazal/a",
        "此訊息已刪除。",
        "यह मैसेज डिलीट कर दिया गया है",
        "This message was deleted by admin Bob.",
    ],
)
def test_a_deleted_message_is_one_in_every_language(text: str) -> None:
    (message,) = read(text_file(f"31/12/23, 21:05 - Ann: {text}")).messages
    assert (message.kind, message.text, message.author) == ("deleted", "", ("Ann", "Ann"))


@pytest.mark.parametrize(
    "mark",
    [
        "<This message was edited>",
        "\u200e<This message was edited>",
        "<Se editó este mensaje.>",
        "<Ta wiadomość została zmieniona>",
        "<Mensagem editada>",
    ],
)
@pytest.mark.parametrize("text", ["fixed", "two\nlines"])
def test_a_mark_of_editing_is_no_part_of_the_text(text: str, mark: str) -> None:
    (message,) = read(text_file(f"31/12/23, 21:05 - Ann: {text} {mark}")).messages
    assert (message.text, message.extra, message.edited_at) == (text, {"edited": True}, None)


def test_an_edited_caption_keeps_its_file() -> None:
    text = "\u200ea.jpg (file attached)\nlook <This message was edited>"
    (message,) = read(text_file(f"31/12/23, 21:05 - Ann: {text}")).messages
    assert (message.text, message.attachments[0].name) == ("look", "a.jpg")
    assert message.extra == {"edited": True}


def test_a_poll_keeps_its_votes_beside_the_text_and_its_key_while_people_vote() -> None:
    def poll(votes: int) -> Message:
        text = f"POLL:\nWhere?\nOPTION: Rome: old town ({votes} votes)\nOPTION: Pisa (1 vote)\n"
        return read(text_file(f"31/12/23, 21:05 - Ann: {text}")).messages[0]

    assert poll(2).text == "POLL:\nWhere?\nOPTION: Rome: old town\nOPTION: Pisa"
    assert poll(2).extra == {
        "poll": {
            "question": "Where?",
            "options": [{"text": "Rome: old town", "votes": 2}, {"text": "Pisa", "votes": 1}],
        }
    }
    assert poll(2).key == poll(3).key


def test_a_poll_of_a_german_iphone_is_a_poll() -> None:
    text = "\u200eUMFRAGE:\nWohin?\n\u200eOPTION: Rom (\u200e2 Stimmen)"
    (message,) = read(text_file(f"[31.12.23, 21:05:07] Ann: {text}")).messages
    assert (message.kind, message.text) == ("message", "UMFRAGE:\nWohin?\nOPTION: Rom")


@pytest.mark.parametrize("word", ["location", "\u200eLocation", "\u200eStandort", "poloha"])
def test_a_place_is_a_message_with_its_coordinates(word: str) -> None:
    url = "https://maps.google.com/?q=52.5200066,-13.40"
    (message,) = read(text_file(f"[31.12.23, 21:05:07] Ann: {word}: {url}")).messages
    assert (message.kind, message.text) == ("message", f"{word.strip(chr(0x200E))}: {url}")
    assert message.extra == {"location": {"latitude": 52.5200066, "longitude": -13.4}}


@pytest.mark.parametrize(
    "text", ["Missed voice call", "\u200eVerpasster Videoanruf", "Appel vidéo manqué"]
)
def test_a_missed_call_is_a_notice_about_who_called(text: str) -> None:
    lines = [f"31/12/23, 21:0{n} - {name}: hi" for n, name in enumerate(("Ann", "Bob"))]
    file = text_file(
        "\n".join([*lines, f"31/12/23, 21:05 - Ann: {text}"]), "WhatsApp Chat with Ann.txt"
    )
    message = read(file).messages[-1]
    assert (message.kind, message.author, message.text) == (
        *("system", ("Ann", "Ann")),
        text.strip("\u200e"),
    )


def test_a_view_once_message_may_be_empty_or_say_so() -> None:
    lines = [
        "[31.12.23, 21:05:07] Ann: ",
        "[31.12.23, 21:05:08] Ann: \u200eYou received a view once message. For added privacy…",
    ]
    empty, told = read(text_file("\n".join(lines))).messages
    assert (empty.kind, empty.text, empty.attachments) == ("message", "", ())
    assert (told.kind, told.text, told.attachments[0].name) == ("message", "", "view once")


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("~ Bob", "Bob"),
        ("~\u202fBob", "Bob"),
        ("\u200e~\u00a0Bob", "Bob"),
        ("\u202a+49\u00a01512 3456789\u202c", "+49 1512 3456789"),
        ("\u2068Bob\u2069", "Bob"),
        ("Bob~", "Bob~"),
        ("~", "~"),
        ("B.-O. d'B\u202fob", "B.-O. d'B ob"),
    ],
)
def test_a_name_has_no_prefix_and_no_invisible_marks(written: str, name: str) -> None:
    (message,) = read(text_file(f"31/12/23, 21:05 - {written}: hi")).messages
    assert (message.author, message.text) == ((name, name), "hi")


def test_mentions_have_no_invisible_brackets() -> None:
    (message,) = read(
        text_file("31/12/23, 21:05 - Ann: @\u2068Bob B\u2069 and @\u2068C\u2069")
    ).messages
    assert message.text == "@Bob B and @C"


@pytest.mark.parametrize(
    "notice",
    [
        "Ann hat die Gruppe „Trip: Rom“ erstellt.",
        "Ann créa le groupe « Trip : Rome : vite »",
        "Ann changed the group name to Trip: Rome",
        "Ann ändrade ämnet till ”Trip: Rom”",
        "\u200eYour security code with Bob changed.",
    ],
)
def test_a_notice_with_a_colon_in_any_quotation_marks_is_nobodys(notice: str) -> None:
    said = "31/12/23, 21:04 - Ann: hi\n"
    message = read(text_file(f"{said}31/12/23, 21:05 - {notice}")).messages[-1]
    assert (message.kind, message.author, message.text) == ("system", None, notice)


def test_a_group_with_a_colon_in_its_name_speaks_for_itself() -> None:
    lines = [
        NOTICE.format("Trip: Rome"),
        SAID.format(10, "Trip: Rome", "\u200eAnn added Bob"),
        *(SAID.format(11 + n, f"P{n}", f"a: {n}") for n in range(3)),
    ]
    found = read(text_file("\n".join(lines), "_chat.txt"))
    assert found.conversations == [("Trip: Rome", "Trip: Rome", "group")]
    assert [m.author for m in found.messages] == [None, None, *((f"P{n}",) * 2 for n in range(3))]
    assert found.messages[1].text == "\u200eAnn added Bob".strip("\u200e")
    assert found.texts == ["a: 0", "a: 1", "a: 2"]


def test_names_without_a_space_after_the_colon_end_at_the_first_one() -> None:
    lines = [f"[2023/12/31 下午9:05:0{n}] Ann:see this: {n}" for n in range(3)]
    found = read(text_file("\n".join(lines)))
    assert [(m.author, m.text) for m in found.messages] == [
        (("Ann", "Ann"), f"see this: {n}") for n in range(3)
    ]


def test_a_calendar_that_cannot_be_converted_is_told_of() -> None:
    found = read(text_file("[10/6/1445, 21:05:07] Ann: hi"))
    assert found.messages == []
    assert "Islamic calendar" in found.reasons[-1]


def test_new_years_of_the_persian_calendar_are_where_they_were_observed() -> None:
    observed = {1391: "2012-03-20", 1396: "2017-03-21", 1403: "2024-03-20", 1404: "2025-03-21"}
    for year, day in observed.items():
        (message,) = read(text_file(f"[{year}/1/1, 21:05:07] Ann: hi")).messages
        assert local_stamp(message)[:10] == day


def test_the_hour_that_comes_twice_goes_on_where_the_file_does() -> None:
    lines = [f"29/10/23, {time} - Ann: x" for time in ("2:30", "2:50", "2:10", "2:40", "3:00")]
    found = read(text_file("\n".join(lines)), ReadOptions(timezone="Europe/Berlin"))
    assert [local_stamp(m)[11:16] for m in found.messages] == [
        *("00:30", "00:50", "01:10", "01:40", "02:00"),
    ]


def test_seconds_are_known_line_by_line() -> None:
    lines = ["31.12.23, 21:05 - Ann: a", "31.12.23, 21:06:07 - Ann: b"] * 2
    found = read(text_file("\n".join(lines)))
    assert [m.precision for m in found.messages] == ["minute", "second"] * 2


@pytest.mark.parametrize(
    ("file", "title"),
    [
        ("WhatsApp Chat with Ann Other.txt", "Ann Other"),
        ("WhatsApp_Chat_with_Ann_Other.txt", "Ann Other"),
        ("WhatsApp-Chat mit Ann.txt", "Ann"),
        ("WhatsApp-chat met Ann.txt", "Ann"),
        ("Chat de WhatsApp con Ann.txt", "Ann"),
        ("Discussion WhatsApp avec Ann.txt", "Ann"),
        ("Conversa do WhatsApp com Ann.txt", "Ann"),
        ("Чат WhatsApp с контактом Аня.txt", "Аня"),
        ("Chat WhatsApp s uživatelem Ann.txt", "Ann"),
        ("Chat WhatsApp dengan Ann.txt", "Ann"),
        ("Ann ile WhatsApp Sohbeti.txt", "Ann"),
        ("WhatsApp Chat - Ann/_chat.txt", "Ann"),
        ("Ann.txt", "Ann"),
    ],
)
def test_the_chats_name_is_found_in_the_files_name(file: str, title: str) -> None:
    found = read(zip_file({file: "31/12/23, 21:05 - Ann: hi"}))
    assert [c.title for c in found.conversations] == [title]


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
