"""IRC logs: who speaks, who answers whom, and texts as they were meant."""

from __future__ import annotations

import pytest

from domain.message import Author
from infrastructure.readers.irc.reader import IrcReader
from infrastructure.readers.reading import GuardedReader
from tests.infrastructure.readers.support import MemoryFile, Read, read


def irc(text: str) -> Read:
    return read(MemoryFile(text.encode(), "2024-01-31.log"), reader=GuardedReader(IrcReader()))


def test_colours_and_styles_are_taken_out() -> None:
    found = irc(
        "[09:21] \x0303* Ann is now known as Anna\n"
        "[09:22] <\x02Anna\x02> \x0304,12red\x03 \x02bold\x0f \x1dit\x1d \x1fun\x1f \x16re\x16"
        " \x11mono\x11 \x1est\x1e \x04FF0000hex\x04\n"
        "[09:23] <Anna> 03 \x03 3\ta\n"
    )
    assert [m.text for m in found.messages] == [
        "Ann is now known as Anna",
        "red bold it un re mono st hex",
        "03  3\ta",
    ]
    assert found.messages[1].author == Author("Anna", "Anna")


def test_modes_and_hosts_are_no_part_of_the_nick() -> None:
    lines = "".join(f"[09:21] <{who}> hi\n" for who in ("Ann", "@Ann", " Ann", "~&Ann", "+Ann!a@x"))
    found = irc(lines)
    assert {m.author for m in found.messages} == {Author("Ann", "Ann")}
    assert [m.extra for m in found.messages] == [
        None,
        {"mode": "@"},
        None,
        {"mode": "~&"},
        {"mode": "+", "host": "a@x"},
    ]


@pytest.mark.parametrize(
    "nick", ["[Ann]", "Ann|away", "_ann_", "^Ann^", "`ann", "{a}", "a\\b", "1st"]
)
def test_nicks_are_kept_as_they_are(nick: str) -> None:
    found = irc(f"[09:21] <{nick}> hi\n[09:22] * {nick} waves\n")
    assert [m.author for m in found.messages] == [Author(nick, nick)] * 2


def test_people_are_followed_under_changing_nicks_until_they_leave() -> None:
    found = irc(
        "[09:20] <Ann> a\n"
        "[09:21] *** Ann is now known as Anna\n"
        "[09:22] <Anna> b\n"
        "[09:23] *** Anna is now known as Annie\n"
        "[09:24] <Annie> c\n"
        "[09:24] <Ann> somebody else\n"
        "[09:25] *** Annie is now known as Ann\n"
        "[09:26] <Ann> d\n"
        "[09:27] *** Quits: Ann (a@x) (bye)\n"
        "[09:28] <Ann> e\n"
    )
    said = [m for m in found.messages if m.kind == "message"]
    assert [(m.author.id if m.author else None, m.extra) for m in said] == [
        ("Ann", None),
        ("Anna", {"earlier_nicks": ["Ann"]}),
        ("Annie", {"earlier_nicks": ["Ann", "Anna"]}),
        ("Ann", None),
        ("Ann", {"earlier_nicks": ["Anna", "Annie"]}),
        ("Ann", None),
    ]
    assert found.messages[1].extra == {"event": "nick", "new_nick": "Anna"}


def test_bridges_speak_for_themselves() -> None:
    found = irc("[09:21] <matrixbot> <Ann> hello\n[09:22] <matrixbot> [t] Bob: hi\n")
    assert {m.author for m in found.messages} == {Author("matrixbot", "matrixbot")}
    assert found.texts == ["<Ann> hello", "[t] Bob: hi"]


def test_an_answer_to_what_was_said_to_somebody_is_linked() -> None:
    found = irc(
        "[09:20] <Ann> Bob: where are you?\n"
        "[09:21] <Cem> hello\n"
        "[09:22] <Bob> Ann: in Rome\n"
        "[09:23] <Ann> Bob, fine\n"
    )
    first, _, second, third = found.messages
    assert second.reply_to == first.key
    assert third.reply_to == second.key
    assert first.reply_to is None


def test_an_answer_to_a_question_to_nobody_is_linked() -> None:
    found = irc("[09:20] <Ann> who is there?\n[09:22] <Bob> Ann: me\n")
    assert found.messages[1].reply_to == found.messages[0].key


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("<Ann> hello", "<Bob> Ann: hi"),  # neither to Bob nor a question
        ("<Ann> Cem: where are you?", "<Bob> Ann: here"),  # to somebody else
        ("<Ann> where?", "<Ann> Ann: here"),  # to oneself
        ("<Ann> where?", "<Bob> ann: here"),  # nobody with that nick has spoken
        ("<Ann> where?", "<Bob> Ann:here"),  # no space behind
        ("<Ann> where?", "<Bob> well, Ann: here"),  # not at the beginning
    ],
)
def test_other_lines_that_name_somebody_are_no_answers(said: str, answer: str) -> None:
    found = irc(f"[09:20] {said}\n[09:21] {answer}\n")
    assert [m.reply_to for m in found.messages] == [None, None]


def test_who_has_spoken_since_does_not_answer() -> None:
    found = irc("[09:20] <Ann> where?\n[09:21] <Bob> hm\n[09:22] <Bob> Ann: here\n")
    assert [m.reply_to for m in found.messages] == [None, None, None]


def test_an_answer_half_an_hour_later_is_none() -> None:
    found = irc("[09:20] <Ann> where?\n[09:51] <Bob> Ann: here\n")
    assert found.messages[1].reply_to is None


def test_whoever_has_a_new_nick_is_answered_by_it() -> None:
    found = irc(
        "[09:20] <Ann> where?\n[09:21] *** Ann is now known as Anna\n[09:22] <Bob> Anna: here\n"
    )
    assert found.messages[2].reply_to == found.messages[0].key
