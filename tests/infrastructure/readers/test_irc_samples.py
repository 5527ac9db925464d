"""Real IRC logs give what was counted in them, linked by hand, by other means."""

from __future__ import annotations

import pytest

from infrastructure.readers.irc.reader import IrcReader
from infrastructure.readers.reading import GuardedReader
from tests.infrastructure.readers.irc_expectations import client_log, irc, linked_lines
from tests.infrastructure.readers.support import (
    expectation,
    read,
    zip_file,
)
from tests.support.data import data_path


def test_the_ubuntu_logs_in_one_archive_are_one_channel_in_the_order_of_time() -> None:
    folder = data_path("irc", "ubuntu")
    files = {f"ubuntu/{path.name}": path.read_bytes() for path in sorted(folder.iterdir())}
    found = read(zip_file(files), reader=GuardedReader(IrcReader()))
    assert found.conversations == [("#ubuntu", "#ubuntu", "channel")]
    assert len(found.messages) == 171_021
    assert len({m.key for m in found.messages}) == 171_021
    days = [m.sent_at.date() for m in found.messages]
    assert days[0].isoformat() == "2004-11-15"
    assert days == sorted(days)


@pytest.mark.parametrize(
    ("format", "id", "title"),
    [
        ("weechat", "mozilla/#rust", "#rust"),
        ("irssi", "#mediawiki", "#mediawiki"),
        ("znc", "freenode/#stripe-0", "#stripe-0"),
        ("mirc", "#ubuntu-meeting", "#ubuntu-meeting"),
    ],
)
def test_the_logs_of_four_clients_are_called_after_their_channels(
    format: str, id: str, title: str
) -> None:
    folder = data_path("irc")
    logs = expectation(folder / "expect-clients.json")["logs"]
    found = client_log(folder, next(log for log in logs if log["format"] == format))
    assert found.conversations == [(id, title, "channel")]


def test_a_log_of_supybot_is_read() -> None:
    found = irc(data_path("fixtures", "irclog2html", "2005-01-08-test1.log"))
    assert found.conversations == [("#pov", "#pov", "channel")]
    assert found.messages[-1].text.startswith("mgedmin: web1913, jargon, foldoc, vera, and wn res")


def test_answers_are_right_nine_times_in_ten_by_links_made_by_hand() -> None:
    folder = data_path("irc")
    links = right = 0
    for path in sorted((folder / "ubuntu-annotations").iterdir()):
        name = path.name.replace(".annotation.txt", ".raw.txt")
        linked = linked_lines(path)
        messages = irc(folder / "ubuntu" / name).messages  # one for each line of these files
        lines = {message.key: line for line, message in enumerate(messages)}
        for line, message in enumerate(messages):
            if message.reply_to is not None and line in linked:
                links += 1
                right += lines[message.reply_to] in linked[line]
    assert (right, links) == (6_447, 7_241)  # 89.0 %
