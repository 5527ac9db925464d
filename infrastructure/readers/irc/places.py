"""What the path of a log says: user, network, channel and day, as clients name their files."""

from __future__ import annotations

import re
from typing import NamedTuple

from application.ports.chat_reader import DateOrder
from infrastructure.readers.irc.months import NAME, month_of
from infrastructure.readers.percent import unescaped

SIGILS = "#&+!"
FOLDERS_OF_LOGS = frozenset(("log", "logs", "irclogs", "irclog", "irc", "chatlogs", "moddata"))
_NETWORKS = frozenset(
    (
        *("libera", "liberachat", "libera-chat", "freenode", "oftc", "efnet", "undernet", "ircnet"),
        *("quakenet", "dalnet", "rizon", "gamesurge", "espernet", "snoonet", "hackint", "mozilla"),
        *("gnome", "gimpnet", "irchighway", "slashnet", "twitch", "geekshed", "swiftirc"),
    )
)
_ENDINGS = re.compile(r"(?:\.(?:weechatlog|irclog|raw|log|txt))+$", re.IGNORECASE)
_ROTATED = re.compile(r"(?<=.)\.\d{1,3}$")
_YEAR = r"(?P<y>(?:19|20)\d\d)"
_DAYS = (
    re.compile(rf"(?<!\d){_YEAR}([-_.]?)(?P<m>\d\d)\2(?P<d>\d\d)(?!\d)"),
    re.compile(rf"(?<!\d)(?P<d>\d\d)([-_.])(?P<m>\d\d)\2{_YEAR}(?!\d)"),
    re.compile(rf"(?<!\d)(?P<d>\d{{1,2}})-?(?P<month>{NAME})-?{_YEAR}(?!\d)"),
)
_MONTH = re.compile(rf"(?:^|[-_.]){_YEAR}[-_.]?(?P<m>0[1-9]|1[0-2])$")
_YEAR_ALONE = re.compile(rf"(?:^|[_.]){_YEAR}$")
_DAY_ALONE = re.compile(r"\d\d")
_MONTH_AND_DAY = re.compile(r"[-_.](?P<m>\d\d)-?(?P<d>\d\d)$")
_DAY_FOLDERS = re.compile(rf"(?:^|/){_YEAR}[/-](?P<m>\d\d)(?:[/-](?P<d>\d\d))?(?!\d)")
_YEAR_FOLDER = re.compile(rf"(?:^|/){_YEAR}(?=/|$)")
_BETWEEN = "-_. "
_WEECHAT = re.compile(r"irc\.(?P<network>[^.]+)\.(?P<channel>.+)")
_PREFIXED = re.compile(r"(?P<network>[^#]*[^#_-])[_-]+(?P<channel>#.+)")


class NamedDay(NamedTuple):
    """The day that a name holds; only year, or year and month, where it has no more."""

    year: int
    month: int | None = None
    day: int | None = None
    is_doubtful: bool = False  # day and month may be the other way round


class Place(NamedTuple):
    """Where a log belongs, as far as its path says so."""

    folder: str  # the path without the file's name
    stem: str  # the file's name without the endings that say its kind
    day: NamedDay | None = None
    channel: str | None = None  # None: the name holds only a date
    network: str | None = None
    user: str | None = None

    @property
    def has_channel(self) -> bool:
        """Whether it is certainly a channel's name, not a person's or anything else."""
        return self.channel is not None and self.channel[0] in SIGILS


def place_of(path: str, order: DateOrder | None = None) -> Place:
    """
    The meaning of a path with slashes; characters escaped as in URLs are understood.

    Args:
        order: of dates such as 01.02.2024; None takes the day for the first number.
    """
    folder, _, name = unescaped(path).rpartition("/")
    stem = _ENDINGS.sub("", _ROTATED.sub("", name)) or name
    day, rest = _split(stem, folder)
    if day is not None and day.is_doubtful and order is not None:
        day = day._replace(is_doubtful=False)
        if order == "mdy":
            day = day._replace(month=day.day, day=day.month)
    place = Place(folder, stem, day)
    rest = _ROTATED.sub("", _ENDINGS.sub("", rest))
    if not rest:
        return _by_folder(place)
    if match := _WEECHAT.fullmatch(rest):
        return place._replace(channel=match["channel"], network=match["network"])
    if rest[0] not in SIGILS and (match := _PREFIXED.fullmatch(rest)):
        return place._replace(channel=match["channel"], network=match["network"])
    if rest[0] in SIGILS:
        channel, _, network = rest.rpartition(".")
        if network.lower() in _NETWORKS and len(channel) > 1:
            return place._replace(channel=channel, network=network)
        return place._replace(channel=rest, network=_network_of(folder))
    return place._replace(channel=rest)


def _split(stem: str, folder: str) -> tuple[NamedDay | None, str]:
    """The day, and what else of the name may be a channel: what stands before the day."""
    for match in (match for pattern in _DAYS for match in pattern.finditer(stem)):
        day = _named_day(match)
        if day is not None:
            before = stem[: match.start()].rstrip(_BETWEEN)
            after = stem[match.end() :].lstrip(_BETWEEN)
            return day, before or (after if after[:1] in tuple(SIGILS) else "")
    if (tail := _MONTH.search(stem) or _YEAR_ALONE.search(stem)) is not None:
        return _named_day(tail), stem[: tail.start()]
    return _split_by_folder(stem, folder)


def _split_by_folder(stem: str, folder: str) -> tuple[NamedDay | None, str]:
    """As _split, where the folders have the day or part of it."""
    if (days := _DAY_FOLDERS.search(folder)) is not None and (day := _named_day(days)) is not None:
        if day.day is None and _DAY_ALONE.fullmatch(stem):
            return day._replace(day=int(stem)), ""
        return day, stem
    year = _YEAR_FOLDER.search(folder)
    if year is None:
        return None, stem
    if (tail := _MONTH_AND_DAY.search(stem)) is not None:
        return NamedDay(int(year["y"]), int(tail["m"]), int(tail["d"])), stem[: tail.start()]
    return NamedDay(int(year["y"])), stem


def _named_day(match: re.Match[str]) -> NamedDay | None:
    groups = match.groupdict()
    name = groups.get("month")
    month = month_of(name) if name else int(groups["m"]) if groups.get("m") else None
    day = int(groups["d"]) if groups.get("d") else None
    if month is None:
        return None if name else NamedDay(int(groups["y"]))
    if month > 12 and day is not None and day <= 12:
        month, day = day, month
    if not 1 <= month <= 12 or not (day is None or 1 <= day <= 31):
        return None
    is_doubtful = match.re is _DAYS[1] and day is not None and day <= 12 and day != month
    return NamedDay(int(groups["y"]), month, day, is_doubtful and int(groups["m"]) <= 12)


def _by_folder(place: Place) -> Place:
    """A name that is only a date: ZNC has folders for user, network and channel."""
    folders = place.folder.split("/")
    if folders[-1][:1] not in tuple(SIGILS):
        return place
    above = [None, None, *(folder if _is_plain(folder) else None for folder in folders[:-1])]
    return place._replace(channel=folders[-1], network=above[-1], user=above[-2])


def _network_of(folder: str) -> str | None:
    """irssi has a folder for each network, below one of all logs."""
    folders = folder.split("/")
    name = folders[-1]
    if name.lower() in _NETWORKS:
        return name
    return name if len(folders) > 1 and _is_plain(name) else None


def _is_plain(folder: str) -> bool:
    """Whether a folder may be called after a network or a user."""
    is_date = folder.replace("-", "").isdecimal()
    return bool(folder) and not is_date and folder.lower() not in FOLDERS_OF_LOGS
