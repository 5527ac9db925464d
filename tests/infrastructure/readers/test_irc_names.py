"""Where IRC logs belong: user, network and channel, by their paths and by what they say."""

from __future__ import annotations

import io
import tarfile
from datetime import date

import pytest

from domain.message import Conversation
from infrastructure.readers.irc.places import place_of
from infrastructure.readers.irc.reader import IrcReader
from infrastructure.readers.reading import GuardedReader
from tests.infrastructure.readers.support import MemoryFile, Read, local_stamp, read, zip_file

TALK = "[09:21] <Ann> hello\n[09:22] <Bob> hi\n"
JOINED = "=== Ann [a@x] has joined #Rome\n=== Bob [a@x] has joined #Rome\n"


def archive(files: dict[str, str], name: str = "export.zip") -> Read:
    data = {path: text.encode() for path, text in files.items()}
    return read(zip_file(data, name), reader=GuardedReader(IrcReader()))


def single(name: str, text: str = TALK) -> Conversation:
    found = read(MemoryFile(text.encode(), name), reader=GuardedReader(IrcReader()))
    (conversation,) = found.conversations
    return conversation


@pytest.mark.parametrize(
    ("path", "user", "network", "channel", "day"),
    [
        ("user/net/#rome/2024-01-31.log", "user", "net", "#rome", date(2024, 1, 31)),
        ("net/#rome/2024-01-31.log", None, "net", "#rome", date(2024, 1, 31)),
        ("logs/#rome/2024-01-31.log", None, None, "#rome", date(2024, 1, 31)),
        ("net_#rome_20240131.log", None, "net", "#rome", date(2024, 1, 31)),
        ("u_net_#rome_20240131.log", None, "u_net", "#rome", date(2024, 1, 31)),
        ("#rome.log", None, None, "#rome", None),
        ("irclogs/libera/#rome.log", None, "libera", "#rome", None),
        ("libera/#rome.log", None, "libera", "#rome", None),
        ("folder/#rome.log", None, None, "#rome", None),
        ("2024/net/#rome.01-31.log", None, "net", "#rome", date(2024, 1, 31)),
        ("irc.net.#rome.weechatlog", None, "net", "#rome", None),
        ("irc.net.#node.js.weechatlog.1", None, "net", "#node.js", None),
        ("irc.net.##c.weechatlog", None, "net", "##c", None),
        ("#rome.freenode.log", None, "freenode", "#rome", None),
        ("#node.js.log", None, None, "#node.js", None),
        ("#c++.log", None, None, "#c++", None),
        ("#rome.log.31Jan2024", None, None, "#rome", date(2024, 1, 31)),
        ("FreeNode-#rome.log", None, "FreeNode", "#rome", None),
        ("x/2024/01/31/%23rome.txt", None, None, "#rome", date(2024, 1, 31)),
        ("2024/01/31.txt", None, None, None, date(2024, 1, 31)),
        ("2024-01-31_12.raw.txt", None, None, None, date(2024, 1, 31)),
        ("2024-01-31-test1.log", None, None, None, date(2024, 1, 31)),
        ("2024-01-31-#rome.log", None, None, "#rome", date(2024, 1, 31)),
        ("rome-2024-01-31.txt", None, None, "rome", date(2024, 1, 31)),
        ("31.01.2024.log", None, None, None, date(2024, 1, 31)),
        ("01.31.2024.log", None, None, None, date(2024, 1, 31)),
        ("#rust-2024.log", None, None, "#rust-2024", None),
    ],
)
def test_paths_are_understood_as_clients_make_them(
    path: str, user: str | None, network: str | None, channel: str | None, day: date | None
) -> None:
    place = place_of(path)
    found = place.day and date(place.day.year, place.day.month or 1, place.day.day or 1)
    assert (place.user, place.network, place.channel, found) == (user, network, channel, day)


def test_a_single_file_is_called_after_its_channel() -> None:
    assert single("#rome.log") == ("#rome", "#rome", "channel")
    assert single("irc.libera.#rome.weechatlog") == ("libera/#rome", "#rome", "channel")


def test_a_name_that_is_only_a_date_has_the_channel_of_its_lines_else_its_name() -> None:
    assert single("2005-06-27_12.raw.txt", TALK + JOINED) == ("#Rome", "#Rome", "channel")
    assert single("2005-06-27_12.raw.txt") == ("2005-06-27_12", "2005-06-27_12", "unknown")


def test_another_name_gives_way_to_the_channel_of_the_lines() -> None:
    assert single("chat.txt", TALK + JOINED) == ("#Rome", "#Rome", "channel")
    assert single("chat.txt") == ("chat", "chat", "unknown")


def test_what_people_say_about_channels_does_not_count() -> None:
    assert single("chat.txt", "[09:21] <Ann> Bob has joined #rome\n" + TALK).title == "chat"


def test_the_session_of_mirc_names_channel_and_network() -> None:
    text = f"Session Start: Sat Sep 06 18:28:43 2014\nSession Ident: #node.js\n{TALK}"
    assert single("#node.js.mynet.log", text) == ("mynet/#node.js", "#node.js", "channel")
    assert single("#node.js.log", text) == ("#node.js", "#node.js", "channel")
    assert single("status.txt", text) == ("#node.js", "#node.js", "channel")


def test_files_of_one_day_each_are_one_channel_in_the_order_of_time() -> None:
    found = archive(
        {
            "u/net/#rome/2024-02-01.log": "[08:00] <Ann> third\n",
            "u/net/#oslo/2024-01-01.log": "[08:00] <Ann> other\n",
            "u/net/#rome/2024-01-31.log": "[08:00] <Ann> second\n",
            "u/net/#rome/2023-12-31.log": "[08:00] <Ann> first\n",
        }
    )
    assert found.conversations == [
        ("net/#rome", "#rome", "channel"),
        ("net/#oslo", "#oslo", "channel"),
    ]
    assert [(local_stamp(m)[:10], m.text) for m in found.messages] == [
        ("2023-12-31", "first"),
        ("2024-01-31", "second"),
        ("2024-02-01", "third"),
        ("2024-01-01", "other"),
    ]


def test_queries_of_znc_are_direct() -> None:
    found = archive(
        {
            "u/net/#rome/2024-01-01.log": TALK,
            "u/net/bob/2024-01-01.log": TALK,
            "net2_#rome_20240101.log": TALK,
            "net2_bob_smith_20240101.log": TALK,
        }
    )
    assert found.conversations == [
        ("net/#rome", "#rome", "channel"),
        ("net/bob", "bob", "direct"),
        ("net2/#rome", "#rome", "channel"),
        ("net2/bob_smith", "bob_smith", "direct"),
    ]


def test_queries_of_irssi_are_direct() -> None:
    opened = "--- Log opened Sat Sep 06 18:28:43 2014\n" + TALK
    found = archive({"irclogs/libera/#rome.log": opened, "irclogs/libera/bob.log": opened})
    assert found.conversations == [
        ("libera/#rome", "#rome", "channel"),
        ("libera/bob", "bob", "direct"),
    ]


def test_a_channel_of_the_same_name_on_another_network_or_of_another_user_is_another() -> None:
    found = archive(
        {
            "a/net/#rome/2024-01-01.log": TALK,
            "a/other/#rome/2024-01-01.log": TALK,
            "b/net/#rome/2024-01-01.log": TALK,
        }
    )
    assert [c.id for c in found.conversations] == ["net/#rome", "other/#rome", "b/net/#rome"]


def test_names_of_channels_know_no_capitals() -> None:
    found = archive({"#Rome.2024-01-01.log": TALK, "#rome.2024-01-02.log": TALK})
    assert found.conversations == [("#Rome", "#Rome", "channel")]
    assert len(found.messages) == 4


def test_dated_files_have_the_channel_that_one_of_them_tells_of() -> None:
    found = archive({"x/2024-01-01.txt": TALK, "x/2024-01-02.txt": TALK + JOINED})
    assert found.conversations == [("#Rome", "#Rome", "channel")]
    assert len(found.messages) == 6


def test_dated_files_that_name_no_channel_are_called_after_their_folder_or_archive() -> None:
    assert archive({"rome/2024-01-01.txt": TALK}).conversations[0].title == "rome"
    assert archive({"logs/2024-01-01.txt": TALK}, "rome.zip").conversations[0].title == "rome"
    assert archive({"2024-01-01.txt": TALK}, "rome.zip").conversations[0].title == "rome"
    assert archive({"2024/01/31.txt": TALK}, "rome.tar.gz").conversations[0].title == "rome"


def test_pieces_of_one_log_are_put_together_by_their_first_day() -> None:
    found = archive(
        {
            "#rome.log": "--- Log opened Sun Sep 07 18:28:43 2014\n[09:00] <Ann> b\n",
            "#rome.log.1": "--- Log opened Sat Sep 06 18:28:43 2014\n[09:00] <Ann> a\n",
        }
    )
    assert found.conversations == [("#rome", "#rome", "channel")]
    assert found.texts == ["a", "b"]


def test_equal_lines_of_two_files_of_one_channel_have_different_keys() -> None:
    found = archive({"#rome.2024-01-01.log": TALK, "a/#rome.2024-01-01.txt": TALK})
    assert len(found.messages) == 4
    assert len({m.key for m in found.messages}) == 4


def test_other_files_of_an_archive_are_left_out_and_told_of() -> None:
    found = archive({"#rome.2024-01-01.log": TALK, "README": "Hello.\n", "x.json": "{}"})
    assert len(found.messages) == 2
    assert [(w.file, w.reason) for w in found.warnings] == [
        ("README", "it is no IRC log; left out")
    ]


def test_no_name_of_a_channel_has_what_cannot_be_stored() -> None:
    assert single("net/#a%00b/2024-01-31.log").title == "#ab"
    told = "-!- Ann [a@b] has joined #x\0y\n" + TALK * 3
    assert single("2024-01-31.log", told).title == "#xy"


def test_a_name_of_another_encoding_within_a_tar_archive_is_read() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT, encoding="cp1252") as tar:
        info = tarfile.TarInfo("net/#café.log")
        info.size = len(TALK)
        tar.addfile(info, io.BytesIO(TALK.encode()))
    found = read(MemoryFile(out.getvalue(), "logs.tar"), reader=GuardedReader(IrcReader()))
    assert [c.title for c in found.conversations] == ["#café"]
