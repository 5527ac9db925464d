"""The data package that Discord sends to people who request their data."""

from __future__ import annotations

import json
from typing import Any

import pytest

from application.ports.chat_reader import ExportFile, ReadOptions, UnreadableExportError
from domain.message import Attachment, Author
from infrastructure.readers.discord.package_reader import DiscordPackageReader
from infrastructure.readers.reading import GuardedReader
from tests.infrastructure.readers.support import (
    MemoryFile,
    Read,
    json_file,
    read,
    text_file,
    utc_stamp,
    zip_file,
)

OWNER = {"id": "247424274304991233", "username": "ann", "global_name": "Ann", "email": "a@b.c"}
BOB = {"id": "192775384276664320", "username": "bob", "global_name": None}
DM = {"id": "502291754930929684", "type": "DM", "recipients": [OWNER["id"], BOB["id"]]}
ROOM = {
    "id": "184324186284621824",
    "type": "GUILD_TEXT",
    "name": "offtopic",
    "guild": {"id": "184315303323238400", "name": "homelab."},
}
INDEX = {
    DM["id"]: "Direct Message with bob#0",
    ROOM["id"]: "offtopic in homelab.",
    "1": None,
}
# Of 2021-10-13 15:35:46.790 UTC, and each one second later.
FIRST = 897870239797215243
SECOND = 1000 << 22
COLUMNS = "ID,Timestamp,Contents,Attachments"


def said(number: int, text: Any = "hi", **more: Any) -> dict[str, Any]:
    return {
        "ID": FIRST + number * SECOND,
        "Timestamp": f"2021-10-13 15:35:{46 + number:02}",
        "Contents": text,
        "Attachments": "",
        **more,
    }


def package(
    files: dict[str, Any], *, root: str = "package/", user: Any = None, index: Any = INDEX
) -> ExportFile:
    texts = {
        f"{root}README.txt": "Welcome to your Discord Data Package!",
        f"{root}account/user.json": json.dumps(user or OWNER),
        f"{root}messages/index.json": json.dumps(index),
        f"{root}servers/index.json": "{}",
    }
    for name, value in files.items():
        texts[f"{root}messages/{name}"] = value if isinstance(value, str) else json.dumps(value)
    return zip_file(texts)


def channel(about: dict[str, Any], *messages: Any, prefix: str = "c") -> dict[str, Any]:
    folder = f"{prefix}{about['id']}"
    return {f"{folder}/channel.json": about, f"{folder}/messages.json": list(messages)}


def opened(file: ExportFile, options: ReadOptions | None = None) -> Read:
    return read(file, options, reader=GuardedReader(DiscordPackageReader()))


def test_a_package_holds_its_owner_s_messages_by_channel() -> None:
    found = opened(package({**channel(DM, said(1), said(0)), **channel(ROOM, said(2, "there"))}))
    assert found.conversations == [
        (DM["id"], "Direct Message with bob", "direct"),
        (ROOM["id"], "offtopic in homelab.", "channel"),
    ]
    assert [(m.conversation, m.key, m.text) for m in found.messages] == [
        (DM["id"], str(FIRST), "hi"),
        (DM["id"], str(FIRST + SECOND), "hi"),
        (ROOM["id"], str(FIRST + 2 * SECOND), "there"),
    ]
    assert {m.author for m in found.messages} == {Author("247424274304991233", "Ann")}
    assert {m.kind for m in found.messages} == {"message"}
    assert (found.warnings, found.facts.unknown_keys, found.facts.timezone) == ([], {}, "UTC")


@pytest.mark.parametrize(
    ("root", "folder", "account"),
    [
        ("", "messages", "account"),
        ("package/", "Messages", "Account"),
        ("a/b/", "Nachrichten", "Konto"),
    ],
)
@pytest.mark.parametrize("prefix", ["c", ""])
def test_folders_of_any_name_are_found(root: str, folder: str, account: str, prefix: str) -> None:
    texts = {
        f"{root}{folder}/index.json": json.dumps(INDEX),
        f"{root}Activities/Activities_1/users/user.json": json.dumps({"id": "x", "username": "y"}),
        f"{root}{account}/user.json": json.dumps(OWNER),
    }
    for name, value in channel(ROOM, said(0), prefix=prefix).items():
        texts[f"{root}{folder}/{name}"] = json.dumps(value)
    found = opened(zip_file(texts))
    assert found.conversations == [(ROOM["id"], "offtopic in homelab.", "channel")]
    assert [m.author for m in found.messages] == [("247424274304991233", "Ann")]
    assert found.facts.owner == "Ann"


def test_older_packages_have_tables() -> None:
    rows = (
        f"{COLUMNS}\r\n"
        f"{FIRST + SECOND},2021-10-13 15:35:47.790000+00:00,later,\r\n"
        f'{FIRST},2021-10-13 15:35:46.790000+00:00,"one, ""two""\nthree",https://c/1/2/a.png\r\n'
    )
    files = {f"c{DM['id']}/channel.json": {"id": DM["id"], "type": 1}}
    found = opened(package({**files, f"c{DM['id']}/messages.csv": rows}))
    assert found.texts == ['one, "two"\nthree', "later"]
    assert found.conversations[0].kind == "direct"
    first = found.messages[0]
    assert (first.sent_at.isoformat(), first.precision, first.zone) == (
        "2021-10-13T15:35:46.790000+00:00",
        "millisecond",
        "stated",
    )
    assert first.attachments == (Attachment("a.png", None, None),)
    assert found.warnings == []


def test_the_id_proves_that_times_are_utc_and_gives_the_millisecond() -> None:
    found = opened(package(channel(DM, said(0))), ReadOptions(timezone="Asia/Tokyo"))
    (message,) = found.messages
    assert message.sent_at.isoformat() == "2021-10-13T15:35:46.790000+00:00"
    assert (message.precision, message.zone) == ("millisecond", "derived")


@pytest.mark.parametrize("written", [None, "", "soon", 7])
def test_where_no_time_is_written_the_id_has_it(written: Any) -> None:
    (message,) = opened(package(channel(DM, said(0, Timestamp=written)))).messages
    assert message.sent_at.isoformat() == "2021-10-13T15:35:46.790000+00:00"
    assert message.zone == "derived"


def test_a_time_that_the_id_does_not_confirm_is_local() -> None:
    rows = [said(0, ID=7), said(1, Timestamp="2021-10-13 17:35:47")]
    found = opened(package(channel(DM, *rows)), ReadOptions(timezone="Europe/Berlin"))
    assert [utc_stamp(m) for m in found.messages] == [
        "2021-10-13T13:35:46Z",
        "2021-10-13T15:35:47Z",
    ]
    assert {m.zone for m in found.messages} == {"stated"}
    found = opened(package(channel(DM, *rows)))
    assert {m.zone for m in found.messages} == {"assumed"}


def test_several_files_are_attachments_and_their_addresses_are_kept() -> None:
    urls = "https://c/1/2/a%20b.png?ex=0&is=1 https://c/1/2/SPOILER_c.mp4"
    (message,) = opened(package(channel(DM, said(0, "", Attachments=urls)))).messages
    assert [a.name for a in message.attachments] == ["a b.png", "SPOILER_c.mp4"]
    assert message.extra == {"attachments": urls.split()}


def test_mentions_are_named_as_far_as_the_package_knows() -> None:
    friends = [{"id": BOB["id"], "nickname": None, "user": BOB}, {"user": 7}, 7]
    text = f"<@{BOB['id']}> <@!{OWNER['id']}> <@5> <#{ROOM['id']}> <#6> <:LUL:7>"
    file = package(
        {**channel(DM, said(0, text)), **channel(ROOM, said(1))},
        user={"payments": [{"x": [1]}], "relationships": friends, **OWNER},
    )
    assert opened(file).texts[0] == "@bob @Ann @5 #offtopic #6 :LUL:"


def test_an_owner_who_is_not_named_is_still_one_person() -> None:
    files = {f"messages/{n}": json.dumps(v) for n, v in channel(DM, said(0), said(1)).items()}
    found = opened(zip_file(files))
    assert {m.author for m in found.messages} == {Author("owner", "You")}
    assert opened(zip_file({**files, "account/user.json": "[]"})).warnings[0].is_fatal is False
    plain = {"account/user.json": json.dumps({"id": 5, "username": "ann"})}
    assert opened(zip_file({**files, **plain})).messages[0].author == ("5", "ann")


@pytest.mark.parametrize(
    ("about", "index", "conversation"),
    [
        (DM, {}, ("bob", "direct")),
        ({"id": DM["id"], "type": "GROUP_DM"}, {}, (DM["id"], "group")),
        ({"id": DM["id"], "type": 3, "name": "us"}, {}, ("us", "group")),
        (ROOM, {}, ("offtopic in homelab.", "channel")),
        ({**ROOM, "guild": None}, {}, ("offtopic", "channel")),
        ({"id": "5", "type": "PUBLIC_THREAD", "name": "t"}, {"5": "None"}, ("t", "channel")),
        ({"id": "5", "type": "GUILD_TEXT"}, {"5": "Unknown"}, ("Unknown", "channel")),
        ({"id": "5", "type": 0}, {"5": None}, ("5", "channel")),
        ({"id": "5"}, {}, ("5", "unknown")),
        ({"id": "5", "type": "DM"}, {"5": "DM with x#1234"}, ("DM with x#1234", "direct")),
    ],
)
def test_channels_are_titled_as_well_as_possible(
    about: dict[str, Any], index: Any, conversation: tuple[str, str]
) -> None:
    friends = [{"user": BOB}]
    file = package(channel(about, said(0)), index=index, user={**OWNER, "relationships": friends})
    assert [c[1:] for c in opened(file).conversations] == [conversation]


def test_a_channel_without_a_header_is_known_by_its_folder() -> None:
    found = opened(package({"c77/messages.json": [said(0)]}, index={"77": "x in y"}))
    assert found.conversations == [("77", "x in y", "unknown")]


def test_an_empty_channel_is_a_conversation_and_one_without_messages_is_none() -> None:
    files = {**channel(DM), **channel(ROOM, said(0)), "c9/channel.json": {"id": "9"}}
    found = opened(package(files))
    assert [c.id for c in found.conversations] == [DM["id"], ROOM["id"]]


def test_a_message_that_comes_twice_is_one_and_one_without_an_id_is_known_by_what_it_says() -> None:
    rows = [said(0), said(0), said(1, ID=None), said(1, ID=None), said(1, ID="8.9E+17")]
    found = opened(package(channel(DM, *rows)))
    assert len(found.messages) == 4
    assert len({m.key for m in found.messages}) == 4
    again = opened(package(channel(DM, *rows)), ReadOptions(timezone="Asia/Tokyo"))
    assert {m.key for m in again.messages} == {m.key for m in found.messages}


def test_a_long_channel_is_read_newest_first_as_it_is_written() -> None:
    rows = [said(0, "x" * 3000, ID=FIRST - n * SECOND, Timestamp=None) for n in range(2000)]
    found = opened(package(channel(DM, *rows)))
    assert [m.key for m in found.messages] == [str(row["ID"]) for row in rows]
    found = opened(package(channel(DM, *rows[:1000])))
    assert [m.key for m in found.messages] == [str(row["ID"]) for row in reversed(rows[:1000])]


def test_unknown_keys_are_kept_and_counted() -> None:
    found = opened(package(channel(DM, said(0, Reactions="x"), said(1, Reactions=None))))
    assert found.facts.unknown_keys == {"messages.Reactions": 2}
    assert [m.extra for m in found.messages] == [{"Reactions": "x"}, {"Reactions": None}]


def test_one_file_alone_is_read() -> None:
    found = opened(json_file([said(0)], "messages.json"))
    assert found.conversations == [("messages", "messages", "unknown")]
    assert [m.author for m in found.messages] == [("owner", "You")]
    found = opened(text_file(f"{COLUMNS}\n{FIRST},2021-10-13 15:35:46,hi,\n", "messages.csv"))
    assert found.texts == ["hi"]


# Broken packages


def test_a_message_that_is_none_is_skipped_and_told_of() -> None:
    wrong: list[Any] = [
        *(7, None, [], {}, said(1, ["x"]), said(1, 7), said(1, Attachments=["x"])),
        said(1, ID=None, Timestamp=None),
        said(1, ID=7, Timestamp="soon"),
    ]
    found = opened(package(channel(DM, said(0), *wrong, said(2))))
    assert [m.key for m in found.messages] == [str(FIRST), str(FIRST + 2 * SECOND)]
    assert [w.line for w in found.warnings] == list(range(2, len(wrong) + 2))
    assert not any(w.is_fatal for w in found.warnings)


def test_a_broken_file_does_not_cost_the_others() -> None:
    files = {**channel(DM, said(0), said(1)), **channel(ROOM, said(2))}
    broken = f"c{DM['id']}/messages.json"
    files[broken] = json.dumps(files[broken])[:-20]
    found = opened(package({**files, f"c{ROOM['id']}/channel.json": '{"id": '}))
    assert [m.conversation for m in found.messages] == [DM["id"], ROOM["id"]]
    fatal = [(w.file, w.line) for w in found.warnings if w.is_fatal]
    assert fatal == [(f"package/messages/{broken}", 2)]
    assert len(found.warnings) == 2


def test_a_table_that_is_cut_off_gives_its_whole_rows() -> None:
    rows = (
        f'{COLUMNS}\n{FIRST},2021-10-13 15:35:46,hi,\n{FIRST + SECOND},2021-10-13 15:35:47,"no en'
    )
    found = opened(text_file(rows, "messages.csv"))
    assert found.texts == ["hi"]
    assert [(w.line, w.is_fatal) for w in found.warnings] == [(3, True)]


@pytest.mark.parametrize("data", [b"[]", b"7", b"{}", b"ID,Timestamp,Contents\n", b'[{"ID": 1'])
def test_a_file_without_messages_is_none_or_an_error(data: bytes) -> None:
    file = MemoryFile(data, "messages.json")
    if data in (b"[]", b"ID,Timestamp,Contents\n"):
        assert opened(file).messages == []
    else:
        with pytest.raises(UnreadableExportError):
            opened(file)
