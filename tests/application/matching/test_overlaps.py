"""Exports of one chat that overlap, in any order, are one chat: nothing twice, nothing lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.memory_archive import MemoryArchive
from tests.support.renderings import (
    Line,
    discord,
    discord_csv,
    discord_txt,
    irssi,
    slack,
    table,
    telegram,
    weechat,
    whatsapp_android,
    whatsapp_ios,
)
from tests.support.small_talk import small_talk, splits

Render = Callable[[Sequence[Line]], bytes]
COUNT = 150
SLOW = settings(
    max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
IOS = ("Crew.zip", partial(whatsapp_ios, zone="America/New_York", title="Crew"))
ANDROID = (
    "WhatsApp Chat mit Crew.zip",
    partial(
        whatsapp_android,
        zone="Europe/Berlin",
        title="Crew",
        names={"Ada": "Ada L.", "Bob": "+49 170 1234567"},
    ),
)
IRSSI = ("#crew.log", partial(irssi, zone="UTC"))
WEECHAT = ("irc.net.#crew.weechatlog", partial(weechat, zone="Europe/Berlin"))
CSV = ("crew.csv", partial(table, title="Crew"))
SLACK = ("slack.zip", slack)
DISCORD = ("Rome - Talk - crew [9].json", discord)
DISCORD_CSV = ("Rome - Talk - crew [9].csv", partial(discord_csv, zone="America/Denver"))
DISCORD_TXT = ("Rome - Talk - crew [9].txt", partial(discord_txt, zone="Europe/Berlin"))
OF_DISCORD = (DISCORD, DISCORD_CSV, DISCORD_TXT)
BOAT = partial(whatsapp_android, zone="Europe/Berlin", title="Boat", names={"Ada": "Ada L."})
LOG = partial(table, title="Logbook")


def texts(lines: Sequence[Line]) -> list[str]:
    return [line.text or "" for line in lines]


def said(archive: MemoryArchive) -> list[str]:
    return [text for _, text in archive.said()]


@pytest.mark.parametrize(
    "export",
    [IOS, ANDROID, WEECHAT, IRSSI, CSV, SLACK, *OF_DISCORD],
    ids=lambda export: export[0],
)
@SLOW
@given(seed=st.integers(0, 999), data=st.data())
def test_any_split_in_any_order_is_the_whole_chat(
    export: tuple[str, Render], seed: int, data: st.DataObject
) -> None:
    name, render = export
    photos = 0 if export in (WEECHAT, IRSSI, SLACK, *OF_DISCORD) else 0.05
    lines = small_talk(seed, COUNT, photos=photos)
    archive = MemoryArchive()
    for part in data.draw(splits(COUNT)):
        archive.add(name, render(lines[part]))

    assert sorted(said(archive)) == sorted(texts(lines))
    assert len(archive.rooms) == 1


@SLOW
@given(seed=st.integers(0, 999), data=st.data())
def test_any_split_of_a_telegram_chat_is_the_whole_chat(seed: int, data: st.DataObject) -> None:
    lines = small_talk(seed, COUNT, photos=0)
    archive = MemoryArchive()
    for part in data.draw(splits(COUNT)):
        archive.add("result.json", telegram(lines[part], start=part.start))

    assert sorted(said(archive)) == sorted(texts(lines))


@SLOW
@given(seed=st.integers(0, 9_999), data=st.data())
def test_two_phones_in_two_zones_tell_one_chat(seed: int, data: st.DataObject) -> None:
    """An iPhone with seconds in New York, an Android phone with minutes in Berlin."""
    lines = small_talk(seed, COUNT)
    exports = data.draw(st.permutations([(IOS, slice(0, 110)), (ANDROID, slice(40, COUNT))]))
    archive = MemoryArchive()
    for (name, render), part in exports:
        archive.add(name, render(lines[part]))

    assert sorted(said(archive)) == sorted(texts(lines))
    assert len(archive.rooms) == 1


@pytest.mark.parametrize("pair", [(IRSSI, WEECHAT), (WEECHAT, IRSSI), (IOS, CSV), (CSV, ANDROID)])
@SLOW
@given(seed=st.integers(0, 999))
def test_two_exporters_tell_one_chat(pair: Sequence[tuple[str, Render]], seed: int) -> None:
    lines = small_talk(seed, COUNT, photos=0)
    archive = MemoryArchive()
    for (name, render), part in zip(pair, [slice(0, 110), slice(40, COUNT)], strict=True):
        archive.add(name, render(lines[part]))

    assert sorted(said(archive)) == sorted(texts(lines))
    assert len(archive.rooms) == 1


@SLOW
@given(seed=st.integers(0, 999), data=st.data())
def test_what_lies_between_two_exports_makes_all_of_them_one(
    seed: int, data: st.DataObject
) -> None:
    """They have nothing in common until then, not even their names."""
    lines = small_talk(seed, 210, photos=0)
    renders = data.draw(st.permutations([IOS, ("Boat.zip", BOAT), ("log.csv", LOG)]))
    parts = [slice(0, 80), slice(130, 210), slice(40, 170)]
    archive = MemoryArchive()
    reads = [
        archive.add(name, render(lines[part]))
        for (name, render), part in zip(renders, parts, strict=True)
    ]

    assert sorted(said(archive)) == sorted(texts(lines))
    assert len(archive.rooms) == 1
    assert reads[1].rules == []
    assert "another conversation of the archive becomes one with it" in reads[2].rules[0]


@SLOW
@given(seed=st.integers(0, 999))
def test_ids_and_no_ids_tell_one_chat(seed: int) -> None:
    """Telegram's own export, and a table that somebody made of it."""
    lines = small_talk(seed, COUNT, photos=0)
    archive = MemoryArchive()
    archive.add("result.json", telegram(lines[:110]))
    archive.add("crew.csv", table(lines[40:], title="Our crew"))
    archive.add("result.json", telegram(lines))

    # What only the table had, Telegram's export has under ids of its own: it is matched, too.
    assert sorted(said(archive)) == sorted(texts(lines))


@SLOW
@given(seeds=st.tuples(st.integers(0, 999), st.integers(1_000, 1_999)))
def test_two_chats_of_short_answers_stay_two(seeds: tuple[int, int]) -> None:
    """The same people say ok and haha in both, at about the same times."""
    one, other = (small_talk(seed, 300, short=0.95, photos=0) for seed in seeds)
    archive = MemoryArchive()
    archive.add("Crew.zip", whatsapp_ios(one, zone="UTC", title="Crew"))
    read = archive.add("WhatsApp Chat mit Boot.zip", whatsapp_android(other, zone="UTC", title="x"))

    assert read.rules == []
    assert len(archive.rooms) == 2
    assert sorted(said(archive)) == sorted(texts([*one, *other]))


def test_what_one_person_posts_into_two_groups_makes_them_not_one() -> None:
    news = small_talk(1, 60, short=0, photos=0, people=["Bot"])
    archive = MemoryArchive()
    archive.add("a.csv", table(news, title="Announcements"))
    read = archive.add("b.csv", table(news, title="Everybody"))

    assert read.rules == []
    assert len(archive.rooms) == 2


def test_a_bridge_that_speaks_for_everybody_is_not_the_chat() -> None:
    lines = small_talk(1, 80, short=0, photos=0)
    bridged = [line._replace(author="bridge") for line in lines]
    archive = MemoryArchive()
    archive.add("a.csv", table(lines, title="#crew"))
    read = archive.add("b.csv", table(bridged, title="#mirror"))

    assert read.rules == []


def test_answers_forwarded_an_odd_time_later_are_no_evidence() -> None:
    lines = small_talk(1, 80, short=0, photos=0)
    later = [line._replace(at=line.at + timedelta(minutes=7)) for line in lines]
    archive = MemoryArchive()
    archive.add("a.csv", table(lines, title="One"))
    read = archive.add("b.csv", table(later, title="Other"))

    assert read.rules == []


def test_the_rule_is_told_in_words() -> None:
    lines = small_talk(2, 120, photos=0)
    archive = MemoryArchive()
    archive.add(IOS[0], IOS[1](lines))
    read = archive.add(ANDROID[0], ANDROID[1](lines))

    [rule] = read.rules
    assert "longer texts in the common time are the same" in rule
    assert "the same 4 people" in rule
    assert "-6 hours apart" in rule
