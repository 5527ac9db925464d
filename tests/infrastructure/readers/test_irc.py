"""IRC logs of every client: messages, actions, notices, and what happens in a channel."""

from __future__ import annotations

from application.ports.chat_reader import ReadOptions
from domain.message import Author, Message
from infrastructure.readers.irc.reader import IrcReader
from infrastructure.readers.reading import GuardedReader
from tests.infrastructure.readers.support import MemoryFile, Read, local_stamp, read

IRSSI = """--- Log opened Sat Jan 26 15:04:04 2013
15:04 -!- Ann [~ann@example.org] has joined #rome
15:05 <@Ann> hello
15:05 < Bob> hi Ann
15:06 <+Cem> salut
15:06  * Bob waves
15:07 -!- Bob is now known as Bob_away
15:08 -!- mode/#rome [+o Cem] by Ann
15:09 -!- Cem changed the topic of #rome to: Food
15:10 -!- Dan was kicked from #rome by Cem [out]
15:11 -ChanServ(services@example.org)- Welcome
15:12 -!- Bob_away [b@example.org] has left #rome [bye]
15:13 -!- Cem [c@example.org] has quit [Ping timeout]
--- Day changed Sun Jan 27 2013
00:01 <@Ann> good morning
--- Log closed Sun Jan 27 00:05:00 2013
"""
WEECHAT = """2018-05-29 21:20:37\t-->\tAnn (~ann@example.org) has joined #rome
2018-05-29 21:20:38\t@Ann\thello\tyou
2018-05-29 21:20:39\t *\tAnn waves
2018-05-29 21:20:40\t--\tNotice(Bot): done
2018-05-29 21:20:41\t--\tAnn is now known as Anna
2018-05-29 21:20:42\t--\tMode #rome [+v Bob] by Anna
2018-05-29 21:20:43\t--\tAnna has changed topic for #rome from "a" to "b"
2018-05-29 21:20:44\t<--\tBob (b@example.org) has quit (Quit: bye)
2018-05-29 21:20:45\t<--\tCem (c@example.org) has left #rome
2018-05-29 21:20:46\tAnna\t
"""
ZNC = """[22:44:46] <Ann> hello
[22:44:47] * Ann waves
[22:44:48] *** Joins: Bob (~bob@example.org)
[22:44:49] *** Parts: Bob (~bob@example.org) ("bye")
[22:44:50] *** Quits: Cem (c@example.org) (Ping timeout)
[22:44:51] *** Ann is now known as Anna
[22:44:52] *** Anna sets mode: +o Bob
[22:44:53] *** Dan was kicked by Anna (out)
[22:44:54] *** Anna changes topic to 'Food'
[22:44:55] -Bot- done
"""
MIRC = """Session Start: Mon Nov 08 13:21:00 2010\r
Session Ident: #rome\r
[13:21] * Now talking in #rome\r
[13:21] * Topic is 'Food'\r
[13:21] * Set by Ann on Sun Nov 07 10:00:00\r
[13:22] <@Ann> hello\r
[13:22] * Ann waves at (everybody)\r
[13:23] * Joins: Bob (~bob@example.org)\r
[13:23] * Bob (~bob@example.org) has left #rome\r
[13:24] * Cem (c@example.org) Quit (Ping timeout)\r
[13:25] * Ann is now known as Anna\r
[13:26] * Anna sets mode: +o Bob\r
[13:27] * Dan was kicked by Anna (out)\r
[13:28] * Anna changes topic to 'Wine'\r
[13:29] -Bot- done\r
[13:30] * Disconnected\r
Session Close: Mon Nov 08 20:39:00 2010\r
"""
HEXCHAT = """**** BEGIN LOGGING AT Fri Dec 31 23:50:00 2004

Dec 31 23:50:01 *\tNow talking on #rome
Dec 31 23:50:02 <Ann>\thello
Dec 31 23:50:03 *\tAnn waves
Dec 31 23:50:04 *\tBob (~bob@example.org) has joined #rome
Dec 31 23:50:05 *\tAnn gives channel operator status to Bob
Dec 31 23:50:06 *\tBob has quit (bye)
Dec 31 23:50:07 -Bot-\tdone
Dec 31 23:50:08 -->\tCem (c@example.org) has joined #rome
Dec 31 23:50:09 ---\tCem is now known as Cemal
Jan 01 00:00:01 <Ann>\thappy new year
**** ENDING LOGGING AT Sat Jan  1 00:10:00 2005
"""
EGGDROP = """[00:00] --- Thu Jan 25 2024
[00:01] <Ann> hello
[00:01] Action: Ann waves
[00:02] Bob (~bob@example.org) joined #rome.
[00:03] #rome: mode change '+o Bob' by Ann!ann@example.org
[00:04] Nick change: Ann -> Anna
[00:05] Topic changed on #rome by Anna!ann@example.org: Food
[00:06] Dan kicked from #rome by Anna: out
[00:07] Bob (~bob@example.org) left #rome.
[00:08] Cem (c@example.org) left irc: Quit: bye
[00:00] --- Fri Jan 26 2024
[00:01] <Anna> morning
"""
SUPYBOT = """2005-01-08T23:33:54  *** Ann has joined #rome
2005-01-08T23:34:46  <Ann> hello
2005-01-08T23:34:47  * Ann waves
2005-01-08T23:34:48  -Bot- done
2005-01-08T23:34:49  *** Bob has left #rome
2005-01-08T23:34:50  *** Cem has quit IRC
2005-01-08T23:34:51  *** Ann changes topic to "Food"
"""
DIRCPROXY = """[15 Jan 08:42] <Ann!ann@example.org> +hello
[15 Jan 08:43] <Bob!bob@example.org> -hi
[15 Jan 08:44] <Ann!ann@example.org> +-1 to that
"""
OLD_DIRCPROXY = """<Ann!ann@example.org> [08:42] hello
[Ann!ann@example.org] [08:43] ACTION waves
-Bot- [08:44] done
-#rome- [08:45] Bob (bob@example.org) joined #rome
"""
PSYBNC = """2004-01-31-12-00-00:#rome::Ann!ann@example.org PRIVMSG #rome :hello: you
2004-01-31-12-00-01:#rome::Ann!ann@example.org PRIVMSG #rome :\x01ACTION waves\x01
2004-01-31-12-00-02:#rome::Bot!bot@example.org NOTICE #rome :done
2004-01-31-12-00-03:#rome::Bob!bob@example.org JOIN :#rome
2004-01-31-12-00-04:#rome::Bob!bob@example.org PART #rome :bye
2004-01-31-12-00-05:#rome::Ann!ann@example.org NICK :Anna
2004-01-31-12-00-06:#rome::Anna!ann@example.org KICK #rome Dan :out
2004-01-31-12-00-07:#rome::Anna!ann@example.org MODE #rome +o Bob
2004-01-31-12-00-08:#rome::Anna!ann@example.org TOPIC #rome :Food
2004-01-31-12-00-09:#rome::Cem!c@example.org QUIT :bye
2004-01-31-12-00-10:#rome::irc.example.org 366 Ann #rome :End of names
"""
PUBLIC = """=== Ann [n=ann@example.org] has joined #rome
[09:21] <Ann> hello
=== Bob [n=bob@example.org]  has left #rome ["bye]
[09:22]  * Ann waves
=== Topic of #rome: Food
"""


def irc(text: str, name: str = "2024-01-31.log", options: ReadOptions | None = None) -> Read:
    return read(MemoryFile(text.encode(), name), options, reader=GuardedReader(IrcReader()))


def told(message: Message) -> tuple[str, str | None, str | None, str]:
    """Kind, event, who and text."""
    event = message.extra.get("event") if message.extra else None
    return message.kind, event, message.author and message.author.name, message.text


def test_a_log_of_irssi_is_read() -> None:
    found = irc(IRSSI, "#rome.log")
    assert found.conversations == [("#rome", "#rome", "channel")]
    assert list(map(told, found.messages)) == [
        ("system", "join", "Ann", "Ann [~ann@example.org] has joined #rome"),
        ("message", None, "Ann", "hello"),
        ("message", None, "Bob", "hi Ann"),
        ("message", None, "Cem", "salut"),
        ("action", None, "Bob", "waves"),
        ("system", "nick", "Bob", "Bob is now known as Bob_away"),
        ("system", "mode", "Ann", "mode/#rome [+o Cem] by Ann"),
        ("system", "topic", "Cem", "Cem changed the topic of #rome to: Food"),
        ("system", "kick", "Cem", "Dan was kicked from #rome by Cem [out]"),
        ("system", "notice", "ChanServ", "Welcome"),
        ("system", "part", "Bob_away", "Bob_away [b@example.org] has left #rome [bye]"),
        ("system", "quit", "Cem", "Cem [c@example.org] has quit [Ping timeout]"),
        ("message", None, "Ann", "good morning"),
    ]
    assert local_stamp(found.messages[0]) == "2013-01-26T15:04:00"
    assert local_stamp(found.messages[-1]) == "2013-01-27T00:01:00"
    assert {(m.precision, m.zone) for m in found.messages} == {("minute", "assumed")}
    assert found.facts.timezone == "UTC"
    assert found.warnings == []


def test_a_log_of_weechat_is_read() -> None:
    found = irc(WEECHAT, "irc.libera.#rome.weechatlog")
    assert found.conversations == [("libera/#rome", "#rome", "channel")]
    assert list(map(told, found.messages)) == [
        ("system", "join", "Ann", "Ann (~ann@example.org) has joined #rome"),
        ("message", None, "Ann", "hello\tyou"),
        ("action", None, "Ann", "waves"),
        ("system", "notice", "Bot", "done"),
        ("system", "nick", "Ann", "Ann is now known as Anna"),
        ("system", "mode", "Anna", "Mode #rome [+v Bob] by Anna"),
        ("system", "topic", "Anna", 'Anna has changed topic for #rome from "a" to "b"'),
        ("system", "quit", "Bob", "Bob (b@example.org) has quit (Quit: bye)"),
        ("system", "part", "Cem", "Cem (c@example.org) has left #rome"),
        ("message", None, "Anna", ""),
    ]
    assert local_stamp(found.messages[1]) == "2018-05-29T21:20:38"
    assert {m.precision for m in found.messages} == {"second"}
    assert found.warnings == []


def test_newer_logs_of_weechat_state_utc_and_microseconds() -> None:
    found = irc("2025-11-30T12:34:56.123456Z\tAnn\thello\n2025-11-30 12:34:57.5Z\tBob\thi\n")
    assert [m.sent_at.isoformat() for m in found.messages] == [
        "2025-11-30T12:34:56.123456+00:00",
        "2025-11-30T12:34:57.500000+00:00",
    ]
    assert [(m.precision, m.zone) for m in found.messages] == [
        ("microsecond", "stated"),
        ("millisecond", "stated"),
    ]


def test_a_log_of_znc_is_read() -> None:
    found = irc(ZNC, "libera_#rome_20240131.log")
    assert found.conversations == [("libera/#rome", "#rome", "channel")]
    assert list(map(told, found.messages)) == [
        ("message", None, "Ann", "hello"),
        ("action", None, "Ann", "waves"),
        ("system", "join", "Bob", "Bob (~bob@example.org) has joined"),
        ("system", "part", "Bob", 'Bob (~bob@example.org) has left ("bye")'),
        ("system", "quit", "Cem", "Cem (c@example.org) has quit (Ping timeout)"),
        ("system", "nick", "Ann", "Ann is now known as Anna"),
        ("system", "mode", "Anna", "Anna sets mode: +o Bob"),
        ("system", "kick", "Anna", "Dan was kicked by Anna (out)"),
        ("system", "topic", "Anna", "Anna changes topic to 'Food'"),
        ("system", "notice", "Bot", "done"),
    ]
    assert local_stamp(found.messages[-1]) == "2024-01-31T22:44:55"
    assert {m.precision for m in found.messages} == {"second"}
    assert found.warnings == []


def test_a_log_of_mirc_is_read() -> None:
    found = irc(MIRC, "#rome.example.log")
    assert found.conversations == [("example/#rome", "#rome", "channel")]
    assert list(map(told, found.messages)) == [
        ("system", None, None, "Now talking in #rome"),
        ("system", "topic", None, "Topic is 'Food'"),
        ("system", "topic", None, "Set by Ann on Sun Nov 07 10:00:00"),
        ("message", None, "Ann", "hello"),
        ("action", None, "Ann", "waves at (everybody)"),
        ("system", "join", "Bob", "Bob (~bob@example.org) has joined"),
        ("system", "part", "Bob", "Bob (~bob@example.org) has left #rome"),
        ("system", "quit", "Cem", "Cem (c@example.org) Quit (Ping timeout)"),
        ("system", "nick", "Ann", "Ann is now known as Anna"),
        ("system", "mode", "Anna", "Anna sets mode: +o Bob"),
        ("system", "kick", "Anna", "Dan was kicked by Anna (out)"),
        ("system", "topic", "Anna", "Anna changes topic to 'Wine'"),
        ("system", "notice", "Bot", "done"),
        ("system", None, None, "Disconnected"),
    ]
    assert local_stamp(found.messages[3]) == "2010-11-08T13:22:00"
    assert found.warnings == []


def test_a_log_of_hexchat_is_read_over_the_end_of_the_year() -> None:
    found = irc(HEXCHAT, "Libera-#rome.log")
    assert found.conversations == [("Libera/#rome", "#rome", "channel")]
    assert list(map(told, found.messages)) == [
        ("system", None, None, "Now talking on #rome"),
        ("message", None, "Ann", "hello"),
        ("action", None, "Ann", "waves"),
        ("system", "join", "Bob", "Bob (~bob@example.org) has joined #rome"),
        ("system", "mode", "Ann", "Ann gives channel operator status to Bob"),
        ("system", "quit", "Bob", "Bob has quit (bye)"),
        ("system", "notice", "Bot", "done"),
        ("system", "join", "Cem", "Cem (c@example.org) has joined #rome"),
        ("system", "nick", "Cem", "Cem is now known as Cemal"),
        ("message", None, "Ann", "happy new year"),
    ]
    assert local_stamp(found.messages[1]) == "2004-12-31T23:50:02"
    assert local_stamp(found.messages[-1]) == "2005-01-01T00:00:01"
    assert found.warnings == []


def test_old_logs_of_xchat_without_times_have_the_day_of_their_session() -> None:
    found = irc(
        "**** BEGIN LOGGING AT Sat Jan  8 23:33:54 2005\n<Ann>\thello\n"
        "-->\tBob (b@x) has joined #r\n"
        "**** BEGIN LOGGING AT Mon Jan 10 08:00:00 2005\n*\tAnn waves\n",
        "#r.log",
    )
    assert [(local_stamp(m), m.precision, m.kind, m.text) for m in found.messages] == [
        ("2005-01-08T00:00:00", "day", "message", "hello"),
        ("2005-01-08T00:00:00", "day", "system", "Bob (b@x) has joined #r"),
        ("2005-01-10T00:00:00", "day", "action", "waves"),
    ]
    assert found.warnings == []


def test_a_log_of_eggdrop_is_read() -> None:
    found = irc(EGGDROP, "rome.log")
    assert found.conversations == [("#rome", "#rome", "channel")]
    assert list(map(told, found.messages)) == [
        ("message", None, "Ann", "hello"),
        ("action", None, "Ann", "waves"),
        ("system", "join", "Bob", "Bob (~bob@example.org) joined #rome."),
        ("system", "mode", "Ann", "#rome: mode change '+o Bob' by Ann!ann@example.org"),
        ("system", "nick", "Ann", "Nick change: Ann -> Anna"),
        ("system", "topic", None, "Topic changed on #rome by Anna!ann@example.org: Food"),
        ("system", "kick", "Anna", "Dan kicked from #rome by Anna: out"),
        ("system", "part", "Bob", "Bob (~bob@example.org) left #rome."),
        ("system", "quit", "Cem", "Cem (c@example.org) left irc: Quit: bye"),
        ("message", None, "Anna", "morning"),
    ]
    assert local_stamp(found.messages[0]) == "2024-01-25T00:01:00"
    assert local_stamp(found.messages[-1]) == "2024-01-26T00:01:00"
    assert found.warnings == []


def test_a_log_of_supybot_is_read() -> None:
    found = irc(SUPYBOT)
    assert list(map(told, found.messages)) == [
        ("system", "join", "Ann", "Ann has joined #rome"),
        ("message", None, "Ann", "hello"),
        ("action", None, "Ann", "waves"),
        ("system", "notice", "Bot", "done"),
        ("system", "part", "Bob", "Bob has left #rome"),
        ("system", "quit", "Cem", "Cem has quit IRC"),
        ("system", "topic", "Ann", 'Ann changes topic to "Food"'),
    ]
    assert local_stamp(found.messages[1]) == "2005-01-08T23:34:46"


def test_old_logs_of_supybot_name_the_month() -> None:
    found = irc("[12-Feb-2004 16:59:42]  <Ann> hello\n[12-Feb-2004 16:59:43]  * Ann waves\n")
    assert list(map(local_stamp, found.messages)) == ["2004-02-12T16:59:42", "2004-02-12T16:59:43"]


def test_a_log_of_dircproxy_is_read_without_its_flags() -> None:
    found = irc(DIRCPROXY, "2005-01-15.log")
    assert [(local_stamp(m), m.text, m.extra) for m in found.messages] == [
        ("2005-01-15T08:42:00", "hello", {"host": "ann@example.org", "identified": True}),
        ("2005-01-15T08:43:00", "hi", {"host": "bob@example.org", "identified": False}),
        ("2005-01-15T08:44:00", "-1 to that", {"host": "ann@example.org", "identified": True}),
    ]
    assert found.messages[0].author == Author("Ann", "Ann")
    assert found.warnings == []


def test_only_dircproxy_writes_flags() -> None:
    found = irc(DIRCPROXY + "[15 Jan 08:45] <Bob!bob@example.org> no flag\n", "2005-01-15.log")
    assert found.texts == ["+hello", "-hi", "+-1 to that", "no flag"]


def test_old_logs_of_dircproxy_have_the_time_behind_the_nick() -> None:
    found = irc(OLD_DIRCPROXY)
    assert list(map(told, found.messages)) == [
        ("message", None, "Ann", "hello"),
        ("action", None, "Ann", "waves"),
        ("system", "notice", "Bot", "done"),
        ("system", "join", "Bob", "Bob (bob@example.org) joined #rome"),
    ]
    assert local_stamp(found.messages[1]) == "2024-01-31T08:43:00"


def test_a_log_of_psybnc_is_read() -> None:
    found = irc(PSYBNC)
    assert list(map(told, found.messages)) == [
        ("message", None, "Ann", "hello: you"),
        ("action", None, "Ann", "waves"),
        ("system", "notice", "Bot", "done"),
        ("system", "join", "Bob", "Bob (bob@example.org) has joined #rome"),
        ("system", "part", "Bob", "Bob (bob@example.org) has left #rome (bye)"),
        ("system", "nick", "Ann", "Ann is now known as Anna"),
        ("system", "kick", "Anna", "Dan was kicked by Anna (out)"),
        ("system", "mode", "Anna", "Anna sets mode: +o Bob"),
        ("system", "topic", "Anna", "Anna changes topic to 'Food'"),
        ("system", "quit", "Cem", "Cem (c@example.org) has quit (bye)"),
        ("system", None, None, "irc.example.org 366 Ann #rome :End of names"),
    ]
    assert local_stamp(found.messages[-1]) == "2004-01-31T12:00:10"


def test_lines_without_a_time_in_public_logs_have_the_time_of_their_neighbours() -> None:
    found = irc(PUBLIC)
    assert [(local_stamp(m)[11:16], *told(m)) for m in found.messages] == [
        ("09:21", "system", "join", "Ann", "Ann [n=ann@example.org] has joined #rome"),
        ("09:21", "message", None, "Ann", "hello"),
        ("09:21", "system", "part", "Bob", 'Bob [n=bob@example.org]  has left #rome ["bye]'),
        ("09:22", "action", None, "Ann", "waves"),
        ("09:22", "system", "topic", None, "Topic of #rome: Food"),
    ]
