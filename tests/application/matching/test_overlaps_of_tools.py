"""One chat by tools that know more or less of it: each part by any of them, and it is whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    slack,
    slackdump,
    slackdump_file,
    table,
    telegram,
    weechat,
    whatsapp_android,
)
from tests.support.rsmf import as_rsmf
from tests.support.small_talk import growing_splits, small_talk

Export = tuple[str, Callable[[Sequence[Line], slice], bytes]]
COUNT = 150
SLOW = settings(
    max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


def export(name: str, render: Callable[[Sequence[Line]], bytes]) -> Export:
    return name, lambda lines, part: render(lines[part])


def own(original: Export) -> Export:
    """The chat as Chatledger exports it, when it has read it from such an export."""
    name, render = original
    return "chat-rsmf.zip", lambda lines, part: as_rsmf(name, render(lines, part))


STEM = "Rome - Talk - crew [9]"  # as the exporter names its files
DISCORD = (
    export(f"{STEM}.json", discord),
    export(f"{STEM}.csv", partial(discord_csv, zone="America/Denver")),
    export(f"{STEM}.txt", partial(discord_txt, zone="Europe/Berlin")),
)
RENAMED = tuple((f"mine.{name.rpartition('.')[2]}", render) for name, render in DISCORD)
SLACK = export("slack.zip", slack)
ORIGINALS = (
    export(
        "WhatsApp Chat mit Crew.zip",
        partial(whatsapp_android, zone="Europe/Berlin", title="Crew"),
    ),
    export("irc.net.#crew.weechatlog", partial(weechat, zone="Europe/Berlin")),
    export("crew.csv", partial(table, title="Crew")),
    SLACK,
    DISCORD[0],
    ("result.json", lambda lines, part: telegram(lines[part], start=part.start)),
)
TOOLS: dict[str, Sequence[Export]] = {
    "discord": DISCORD,
    "discord-renamed": RENAMED,
    "slack": (SLACK, export("slackdump.zip", slackdump), export("C1.json", slackdump_file)),
    **{f"rsmf of {one[0]}": (one, own(one)) for one in ORIGINALS},
}


@pytest.mark.parametrize("tools", TOOLS)
@SLOW
@given(seed=st.integers(0, 999), data=st.data())
def test_any_split_over_the_tools_is_the_whole_chat(
    tools: str, seed: int, data: st.DataObject
) -> None:
    lines = small_talk(seed, COUNT, photos=0)
    archive = MemoryArchive()
    for part in data.draw(growing_splits(COUNT)):
        name, render = data.draw(st.sampled_from(TOOLS[tools]))
        archive.add(name, render(lines, part))

    said = [text for _, text in archive.said()]
    assert sorted(said) == sorted(line.text or "" for line in lines)
    assert len(archive.rooms) == 1


def test_what_another_exporter_brought_with_ids_is_no_second_message() -> None:
    """Our own RSMF of a Slack export has Slack's ids, but another exporter's might mean others."""
    lines = small_talk(0, COUNT, photos=0)
    archive = MemoryArchive()
    archive.add("slack.zip", slack(lines[:60]))
    archive.add("chat-rsmf.zip", as_rsmf("slack.zip", slack(lines[:90])))
    last = archive.add("slack.zip", slack(lines[1:]))

    assert (last.fresh, last.known) == (60, 89)
