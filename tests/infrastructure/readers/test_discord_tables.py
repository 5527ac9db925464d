"""What DiscordChatExporter writes as CSV and as plain text."""

from __future__ import annotations

from typing import Any

import pytest

from application.ports.chat_reader import DateOrder, ReadOptions
from domain.message import Attachment, Author, Reaction
from tests.infrastructure.readers.discord_exports import (
    BANNER,
    HEADER,
    below,
    discord,
    row,
    table,
    text_said,
)
from tests.infrastructure.readers.support import (
    expectation,
    local_stamp,
    text_file,
    utc_stamp,
    zip_file,
)
from tests.support.data import data_path

# CSV


def test_a_real_table_says_what_the_json_of_its_channel_says() -> None:
    folder = data_path("chitchat", "discord")
    expected = expectation(folder / "expect.json")
    channels = discord(folder / expected["file"])
    for case in expected["csv"]:
        found = discord(folder / case["file"])
        (conversation,) = found.conversations
        same = [m for m in channels.spoken if m.conversation == conversation.id]
        assert conversation in channels.conversations
        assert [(m.sent_at, m.author and m.author.id, m.text) for m in found.spoken] == [
            (m.sent_at, m.author and m.author.id, m.text) for m in same
        ]


def test_the_table_of_another_parser_is_understood() -> None:
    folder = data_path("fixtures", "chatpack")
    (case,) = (c for c in expectation(folder / "expect.json") if c["file"] == "discord.csv")
    found = discord(folder / "discord.csv")
    assert len(found.spoken) == case["messages"]
    assert found.spoken[0].author == ("111", "Alice")
    assert {"sender": "Alice", "text": found.texts[0]} == case["first"]
    rows = [n for n, m in enumerate(found.spoken, start=1) if m.attachments]
    assert rows == [case["attachments_on_row"]]
    assert found.spoken[1].attachments == (Attachment("image.png", None, None),)
    assert found.warnings == []


def test_a_row_has_text_files_and_reactions() -> None:
    urls = "https://c/1/a,b.png?ex=1,https://c/2/c%20d.pdf"
    found = discord(
        table(
            row('one\n"two", three\n\nfour', Attachments=urls, Reactions="👍 (2),LUL (11)"),
            row("", Author="bob#1234", AuthorID="222", Attachments="x_Files\\a.png,x_Files/b.png"),
        )
    )
    first, second = found.spoken
    assert first.text == 'one\n"two", three\n\nfour'
    assert (utc_stamp(first), first.precision, first.zone) == (
        *("2024-01-15T11:00:00Z", "second"),
        "stated",
    )
    assert [a.name for a in first.attachments] == ["a,b.png", "c d.pdf"]
    assert first.reactions == (Reaction("👍", (), 2), Reaction("LUL", (), 11))
    assert first.extra == {"attachments": ["https://c/1/a,b.png?ex=1", "https://c/2/c%20d.pdf"]}
    assert [a.name for a in second.attachments] == ["a.png", "b.png"]
    assert second.author == Author("222", "bob#1234")
    assert (found.warnings, found.facts.unknown_keys) == ([], {})


def test_old_tables_have_semicolons_and_no_ids_of_people() -> None:
    text = (
        "Author;Date;Content;Attachments;\r\n"
        '"ann#1";"15-Jan-19 10:30 PM";"a, b; c";"";\r\n'
        '"ann#1";"16-Jan-19 12:05 AM";"two\r\nlines";"";\r\n'
    )
    found = discord(text_file(text, "x.csv"))
    assert [(local_stamp(m), m.precision, m.text) for m in found.spoken] == [
        ("2019-01-15T22:30:00", "minute", "a, b; c"),
        ("2019-01-16T00:05:00", "minute", "two\nlines"),
    ]
    assert found.spoken[0].author == ("ann#1", "ann#1")


def test_the_exporter_s_own_sentences_are_notices() -> None:
    found = discord(table(row("Joined the server."), row("Joined the server. hi"), row("Joined")))
    assert [(m.kind, m.text) for m in found.messages] == [
        ("system", "ann joined the server."),
        ("message", "Joined the server. hi"),
        ("message", "Joined"),
    ]


def test_raw_mentions_are_named_where_the_table_has_their_author() -> None:
    found = discord(table(row(), row("<@111> <@5> <:LUL:9>")))
    assert found.texts[1] == "@ann @5 :LUL:"


def test_equal_rows_have_keys_of_their_own_and_no_zone_changes_them() -> None:
    file = table(
        row(Date="2024-01-15 12:00"),
        row(Date="2024-01-15 12:00"),
        row("x", Date="2024-01-15 12:01"),
    )
    keys = [m.key for m in discord(file).spoken]
    assert len(set(keys)) == 3
    there = discord(file, ReadOptions(timezone="Asia/Tokyo"))
    assert [m.key for m in there.spoken] == keys
    assert there.facts.timezone == "Asia/Tokyo"
    assert utc_stamp(there.spoken[0]) == "2024-01-15T03:00:00Z"


def test_further_columns_are_kept_and_counted() -> None:
    text = HEADER.replace("\n", ",Pinned\n") + row().replace("\n", ',"yes"\n')
    found = discord(text_file(text, "x.csv"))
    assert found.facts.unknown_keys == {"messages.Pinned": 1}
    assert found.spoken[0].extra == {"Pinned": "yes"}


def test_a_row_that_is_none_is_skipped_and_told_of() -> None:
    wrong = (row(Date="soon"), '"1","a"\n', row(Author="", AuthorID=""), row(Date=""))
    found = discord(table(row("first"), *wrong, row("last")))
    assert found.texts == ["first", "last"]
    assert [(w.line, w.is_fatal) for w in found.warnings] == [(n, False) for n in (3, 4, 5, 6)]


def test_cells_beyond_the_header_are_kept() -> None:
    found = discord(table(row().replace("\n", ',"more","x"\n')))
    assert found.spoken[0].extra == {"(further cells)": "more,x"}


@pytest.mark.parametrize("missing", ['"111","ann","2024', '"111","ann","2024-01-15T12:00:00Z"'])
def test_a_row_that_is_cut_off_is_left_out_and_fatal(missing: str) -> None:
    found = discord(table(row("first"), missing))
    assert found.texts == ["first"]
    assert [(w.line, w.is_fatal) for w in found.warnings] == [(3, True)]


def test_parts_of_a_table_are_one_conversation_and_overlaps_are_read_once() -> None:
    found = discord(
        zip_file(
            {
                "R - T - c [987].csv": HEADER + row("a") + row("a") + row("b"),
                "R - T - c [987] [part 2].csv": HEADER + row("a") + row("c"),
                "R - T - c [987] (after 2024-01-01).csv": HEADER + row("a") + row("a") + row("d"),
            }
        )
    )
    assert found.conversations == [("987", "c", "channel")]
    assert sorted(found.texts) == ["a", "a", "a", "b", "c", "d"]
    assert len({m.key for m in found.messages}) == 6


@pytest.mark.parametrize(
    ("name", "conversation"),
    [
        ("Rome - Talk - a-b [987].csv", ("987", "a-b", "channel")),
        ("Rome - general [987] (2024-01-01 to 2024-02-01).csv", ("987", "general", "channel")),
        ("A - B - Talk - general [987] [part 3].csv", ("987", "general", "channel")),
        ("Direct Messages - Private - ann [987].csv", ("987", "ann", "direct")),
        ("Direct Messages - Group - ann, bob [987].csv", ("987", "ann, bob", "group")),
        ("Direct Messages - ann [987].csv", ("987", "ann", "unknown")),
        ("[987].csv", ("987", "987", "unknown")),
        ("export.csv", ("export", "export", "unknown")),
        ("export [part 2].csv", ("export", "export", "unknown")),
    ],
)
def test_a_table_s_name_tells_its_channel(name: str, conversation: Any) -> None:
    found = discord(zip_file({f"folder/{name}": HEADER + row()}))
    assert found.conversations == [conversation]


# Plain text


def test_the_text_of_another_parser_is_understood() -> None:
    folder = data_path("fixtures", "chatpack")
    (case,) = (c for c in expectation(folder / "expect.json") if c["file"] == "discord.txt")
    found = discord(folder / "discord.txt")
    assert len(found.spoken) == case["messages"]
    assert found.spoken[0].author == ("Alice", "Alice")
    assert {"sender": "Alice", "text": found.texts[0]} == case["first"]
    assert found.texts[1:] == ["Hi Alice!", ""]
    assert [local_stamp(m) for m in found.spoken] == [
        "2024-01-15T10:30:00",
        "2024-01-15T10:31:00",
        "2024-01-15T10:33:00",
    ]
    assert [[a.name for a in m.attachments] for m in found.spoken] == [
        [],
        ["image.png"],
        ["789.json"],
    ]
    assert found.conversations == [("Test Server / general", "general", "channel")]
    assert (found.warnings, found.facts.date_order) == ([], "mdy")


def test_a_message_has_files_embeds_stickers_and_reactions() -> None:
    message = (
        "[1/15/2024 10:30 AM] ann#1234 (pinned)\nlook\n\nat this\n\n"
        "{Attachments}\nhttps://c/a.png\nx_Files\\b.png\n\n"
        "{Embed}\nCI\nhttps://ci\nBuild\n\n{Embed}\nsecond\n\n"
        "{Stickers}\nhttps://c/stickers/7.png\n\n"
        "{Reactions}\n👍 (2) LUL 🎉 (3) \n\n"
    )
    found = discord(below(message, text_said("next")))
    first, second = found.spoken
    assert first.author == ("ann#1234", "ann#1234")
    assert first.text == "look\n\nat this"
    assert [a.name for a in first.attachments] == ["a.png", "b.png", "7.png"]
    assert first.reactions == (
        Reaction("👍", (), 2),
        Reaction("LUL", (), 1),
        Reaction("🎉", (), 3),
    )
    assert first.extra == {
        "isPinned": True,
        "attachments": ["https://c/a.png", "x_Files\\b.png", "https://c/stickers/7.png"],
        "embeds": ["CI\nhttps://ci\nBuild", "second"],
    }
    assert (second.text, second.extra, found.warnings) == ("next", None, [])


def test_an_embed_speaks_where_the_message_does_not() -> None:
    message = "[1/15/2024 10:30 AM] bot\n\n{Embed}\nBuild\npassed\n\n\n"
    assert discord(below(message)).texts == ["Build\npassed"]


def test_what_only_looks_like_the_file_s_own_lines_is_text() -> None:
    texts = [
        "a\n[1/15/2024 10:31 AM] bob",
        "a\n\n[10:31] bob\n\n[note] x\n\n[123456789] y\n\n[2024-01-15] z",
        "a\n{Attachments}\nb",
        f"a\n{BANNER}\nb",
        f"{BANNER}\nExported many message(s)",
    ]
    found = discord(below(*map(text_said, texts)))
    assert (found.texts, found.warnings) == (texts, [])


@pytest.mark.parametrize(
    ("written", "local"),
    [
        ("1/15/2024 10:30 PM", "2024-01-15T22:30:00"),
        ("1/15/2024 10:30\u202fPM", "2024-01-15T22:30:00"),
        ("01/15/2024 22:30", "2024-01-15T22:30:00"),
        ("15-Jan-24 10:30 PM", "2024-01-15T22:30:00"),
        ("15.01.2024 22:30", "2024-01-15T22:30:00"),
        ("15.1.2024 22.30", "2024-01-15T22:30:00"),
        ("15/01/2024 22:30", "2024-01-15T22:30:00"),
        ("15/01/2024 10:30 p. m.", "2024-01-15T22:30:00"),
        ("2024-01-15 22:30", "2024-01-15T22:30:00"),
        ("2024/01/15 22:30", "2024-01-15T22:30:00"),
        ("2024/1/15 下午10:30", "2024-01-15T22:30:00"),
        ("2024. 1. 15. 오후 10:30", "2024-01-15T22:30:00"),
        ("2024. 01. 15. 22:30", "2024-01-15T22:30:00"),
        ("2024年1月15日 22:30", "2024-01-15T22:30:00"),
        ("15.01.2024 г. 22:30", "2024-01-15T22:30:00"),
        ("2024-01-15T22:30:00.0000000+00:00", "2024-01-15T22:30:00"),
    ],
)
def test_dates_are_understood_in_many_languages(written: str, local: str) -> None:
    found = discord(below(text_said(at=written)))
    assert [local_stamp(m) for m in found.messages] == [local]
    assert found.warnings == []


def test_the_order_of_days_and_months_is_one_for_the_whole_file() -> None:
    days = ["03/04/2024 10:30", "04/04/2024 10:30", "25/04/2024 10:30"]
    found = discord(below(*(text_said(at=day) for day in days)))
    assert [local_stamp(m)[:10] for m in found.messages] == [
        "2024-04-03",
        "2024-04-04",
        "2024-04-25",
    ]
    assert (found.facts.date_order, found.warnings) == ("dmy", [])


@pytest.mark.parametrize(
    ("at", "order", "local"),
    [
        ("3/4/2024 10:30 AM", "mdy", "2024-03-04T10:30:00"),
        ("3/4/2024 10:30", "dmy", "2024-04-03T10:30:00"),
    ],
)
def test_an_order_that_nothing_decides_is_told_of(at: str, order: DateOrder, local: str) -> None:
    found = discord(below(text_said(at=at)))
    assert [local_stamp(m) for m in found.messages] == [local]
    assert found.facts.date_order == order
    assert len(found.warnings) == 1
    other: DateOrder = "dmy" if order == "mdy" else "mdy"
    stated = discord(below(text_said(at=at)), ReadOptions(date_order=other))
    assert local_stamp(stated.messages[0]) != local
    assert (stated.warnings, stated.facts.date_order) == ([], other)


def test_times_are_local_and_no_zone_changes_a_key() -> None:
    file = below(text_said(), text_said(), text_said("x"))
    here, there = discord(file), discord(file, ReadOptions(timezone="Europe/Berlin"))
    assert {m.zone for m in here.messages} == {"assumed"}
    assert {m.zone for m in there.messages} == {"stated"}
    assert utc_stamp(there.messages[0]) == "2024-01-15T09:30:00Z"
    assert [m.key for m in here.messages] == [m.key for m in there.messages]
    assert len({m.key for m in here.messages}) == 3


@pytest.mark.parametrize(
    ("guild", "channel", "conversation"),
    [
        ("Rome", "Talk / general", ("Rome / Talk / general", "general", "channel")),
        ("Rome", "general", ("Rome / general", "general", "channel")),
        (
            "Direct Messages",
            "Private / ann",
            ("Direct Messages / Private / ann", "ann", "direct"),
        ),
        ("Direct Messages", "Group / a, b", ("Direct Messages / Group / a, b", "a, b", "group")),
        ("Direct Messages", "ann", ("Direct Messages / ann", "ann", "unknown")),
    ],
)
def test_the_banner_names_the_channel(guild: str, channel: str, conversation: Any) -> None:
    topic = "Topic: [1/15/2024 10:30 AM] x\nof two lines\nAfter: 1/1/2024 12:00 AM\n"
    top = f"{BANNER}\nGuild: {guild}\nChannel: {channel}\n{topic}{BANNER}\n\n"
    found = discord(below(text_said(), top=top))
    assert found.conversations == [conversation]
    assert (found.texts, found.warnings) == (["hi"], [])


def test_parts_of_a_text_are_one_conversation() -> None:
    files = {
        "R - T - general [987].txt": below(text_said("a"), text_said("b")).data,
        "R - T - general [987] [part 2].txt": below(text_said("a"), text_said("c")).data,
    }
    found = discord(zip_file(files))
    assert found.conversations == [("987", "general", "channel")]
    assert found.texts == ["a", "b", "a", "c"]
    assert len({m.key for m in found.messages}) == 4


def test_lines_of_windows_are_understood() -> None:
    text = below(text_said("a\nb"), text_said("c")).data.replace(b"\n", b"\r\n")
    assert discord(text_file(text.decode(), "x.txt")).texts == ["a\nb", "c"]


def test_a_text_without_its_end_is_read_and_told_of() -> None:
    whole = below(text_said("a"), text_said("b")).data.decode()
    found = discord(text_file(whole[: whole.rindex("Exported")], "x.txt"))
    assert found.texts == ["a", "b"]
    assert [w.is_fatal for w in found.warnings] == [True]


def test_old_texts_count_their_messages_at_the_top() -> None:
    top = f"{BANNER}\nGuild: Rome\nChannel: general\nTopic: \nMessages: 1,002\n{BANNER}\n\n"
    found = discord(text_file(top + text_said("a") + text_said("b"), "x.txt"))
    assert found.texts == ["a", "b"]
    assert found.reasons == ["it says that it holds 1002 messages, but 2 were found"]
    found = discord(text_file(top.replace("1,002", "1") + text_said("a"), "x.txt"))
    assert (found.texts, found.warnings) == (["a"], [])


def test_a_wrong_count_is_told_of() -> None:
    found = discord(below(text_said("a"), count=5))
    assert found.reasons == ["it says that it holds 5 messages, but 1 were found"]


def test_a_time_that_does_not_fit_the_order_costs_its_message() -> None:
    file = below(text_said("a"), text_said("b", at="25/12/2024 10:30 AM"), text_said("c"))
    found = discord(file, ReadOptions(date_order="mdy"))
    assert found.texts == ["a", "c"]
    assert [(w.line, w.is_fatal) for w in found.warnings] == [(10, False)]
