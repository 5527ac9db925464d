"""Reader of IRC logs: one file, or an archive or folder of thousands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from application.ports.chat_reader import (
    Export,
    ExportFile,
    ReadFacts,
    ReadItem,
    ReadOptions,
    ReadWarning,
    Recognition,
)
from domain.message import Message
from infrastructure.readers.content_keys import ContentKeys
from infrastructure.readers.irc.channels import Channel, channels_of, possible_logs
from infrastructure.readers.irc.log import LogLines
from infrastructure.readers.irc.survey import beginning_of, choice_of
from infrastructure.readers.local_time import LocalClock

_FILES_ASKED = 20  # of an archive
_ENDINGS = (".log", ".txt", ".weechatlog")
_TABLES = (".tsv", ".tab", ".csv")
_CERTAIN = 0.95  # lines that only IRC clients write
_WEAK = 0.5  # logs beside other things
_STRONG = 0.9  # lines that begin with a time and a nick in angle brackets
_TABLE = 0.6  # less than a table that names its columns, or whose columns have a clear meaning


class IrcReader:
    """
    Times are those of the machine that wrote the log, to the minute or the second; no log but
    the newest ones of WeeChat says in which zone.
    """

    format = "irc"
    version = 1

    def recognise(self, export: Export) -> Recognition | None:
        asked = _likely_first(possible_logs(export))[:_FILES_ASKED]
        claims = list(filter(None, map(_claim, asked)))
        if not claims:
            return None
        if len(claims) * 2 < len(asked):
            reason = "a few of its files are IRC logs"
            return Recognition(self.format, _WEAK, reason)
        return Recognition(self.format, *max(claims))

    def read(self, export: Export, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
        clock = LocalClock(options, facts, file=export.name)
        others: list[str] = []
        channels = channels_of(export, options.date_order)
        yield from _doubts(channels)
        for channel in channels:
            yield from _read_channel(channel, clock, others)
        if others:
            what = (
                "it is no IRC log" if len(others) == 1 else f"{len(others)} files are no IRC logs"
            )
            yield ReadWarning(others[0], None, f"{what}; left out")


def _likely_first(files: Sequence[ExportFile]) -> Sequence[ExportFile]:
    """Logs have any ending or none, but most have one of a few."""
    return sorted(files, key=lambda file: not file.name.lower().endswith(_ENDINGS))


def _read_channel(channel: Channel, clock: LocalClock, others: list[str]) -> Iterator[ReadItem]:
    keys = ContentKeys()
    is_told = False
    for log in channel.logs:
        choice = (log.beginning or beginning_of(log.file)).choice or choice_of(log.file)
        if choice is None:
            others.append(log.file.name)
            continue
        lines = LogLines(
            log.file,
            choice.dialect,
            conversation=channel.conversation,
            named=log.place.day,
            clock=clock,
            keys=keys,
        )
        items = lines.read()
        if not is_told:
            for item in items:
                if isinstance(item, Message):
                    yield channel.conversation
                    yield item
                    is_told = True
                    break
                yield item
        yield from items


def _doubts(channels: Sequence[Channel]) -> Iterator[ReadWarning]:
    doubtful = [log.file.name for channel in channels for log in channel.logs if log.is_doubtful]
    if doubtful:
        reason = "the date in its name was read as day, month, year; if wrong, state the date order"
        yield ReadWarning(doubtful[0], None, reason)


def _claim(file: ExportFile) -> tuple[float, str] | None:
    """How sure it is that the file is an IRC log, and why."""
    choice = beginning_of(file).choice
    if choice is None or choice.said < 2 - bool(choice.marks):
        return None
    if choice.dialect.rewritten is not None:
        return _CERTAIN, "lines such as only a bouncer of IRC writes"
    if choice.dialect.is_tabbed:
        # Any table may be one of these; only WeeChat, which dates every line, says between them
        # who came and went.
        is_weechat = choice.told or not file.name.lower().endswith(_TABLES)
        is_table = choice.dialect.form != "dated" or not is_weechat
        confidence = _TABLE if is_table else _STRONG
        return confidence, "lines of a time, a nick and a text between tabs"
    if choice.marks:
        return _CERTAIN, "lines about days and sessions as IRC clients write them, and nicks in <>"
    return _STRONG, "lines begin with a time and a nick in angle brackets"
