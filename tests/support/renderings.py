"""One chat as several phones, clients and tools export it."""

from __future__ import annotations

import csv
import io
import json
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

Names = Mapping[str, str]  # author -> what this phone calls them


class Line(NamedTuple):
    """A message; times are aware. Without a text it is a photo."""

    author: str
    at: datetime
    text: str | None


def whatsapp_ios(
    lines: Sequence[Line], *, zone: str, title: str, names: Names | None = None
) -> bytes:
    """An iPhone in English, United States: 12 hours, with seconds."""
    encrypted = "Messages and calls are end-to-end encrypted."
    first = local(lines[0], zone)
    rows = [f"[{first:%-m/%-d/%y, %-I:%M:%S %p}] {title}: \u200e{encrypted}"]
    for line in lines:
        text = "\u200eimage omitted" if line.text is None else line.text
        stamp = f"{local(line, zone):%-m/%-d/%y, %-I:%M:%S\u202f%p}"
        rows.append(f"[{stamp}] {called(line, names)}: {text}")
    return zipped({"_chat.txt": "\r\n".join(rows)})


def whatsapp_android(
    lines: Sequence[Line], *, zone: str, title: str, names: Names | None = None
) -> bytes:
    """An Android phone in German: 24 hours, minutes."""
    encrypted = "Nachrichten und Anrufe sind Ende-zu-Ende-verschlüsselt."
    rows = [f"{local(lines[0], zone):%d.%m.%y, %H:%M} - {encrypted}"]
    for line in lines:
        text = "<Medien ausgeschlossen>" if line.text is None else line.text
        rows.append(f"{local(line, zone):%d.%m.%y, %H:%M} - {called(line, names)}: {text}")
    return zipped({f"WhatsApp Chat mit {title}.txt": "\n".join(rows)})


def irssi(lines: Sequence[Line], *, zone: str) -> bytes:
    """Minutes; the day in lines of its own."""
    rows: list[str] = []
    day = None
    for line in lines:
        at = local(line, zone)
        if at.date() != day:
            what = "Log opened" if day is None else "Day changed"
            form = "%a %b %d %H:%M:%S %Y" if day is None else "%a %b %d %Y"
            rows.append(f"--- {what} {at:{form}}")
            day = at.date()
        rows.append(f"{at:%H:%M} < {line.author}> {line.text}")
    return "\n".join(rows).encode() + b"\n"


def weechat(lines: Sequence[Line], *, zone: str) -> bytes:
    """Seconds."""
    rows = (f"{local(one, zone):%Y-%m-%d %H:%M:%S}\t{one.author}\t{one.text}" for one in lines)
    return "\n".join(rows).encode() + b"\n"


def table(lines: Sequence[Line], *, title: str) -> bytes:
    """CSV of somebody's own tool, without ids: UTC, seconds."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["conversation", "timestamp", "author", "text"])
    for line in lines:
        at = line.at.astimezone(UTC).replace(microsecond=0)
        writer.writerow([title, at.isoformat(), line.author, line.text or ""])
    return out.getvalue().encode()


def telegram(lines: Sequence[Line], *, start: int = 0, title: str = "Crew") -> bytes:
    """A single chat by Telegram Desktop."""
    messages = [
        {
            "id": start + number,
            "type": "message",
            "date": line.at.strftime("%Y-%m-%dT%H:%M:%S"),
            "date_unixtime": str(int(line.at.timestamp())),
            "from": line.author,
            "from_id": f"user{hash_of(line.author)}",
            "text": line.text or "",
            "text_entities": [{"type": "plain", "text": line.text or ""}],
        }
        for number, line in enumerate(lines, start=1)
    ]
    chat = {"name": title, "type": "private_group", "id": 77, "messages": messages}
    return json.dumps(chat).encode()


def discord(lines: Sequence[Line]) -> bytes:
    """A channel by DiscordChatExporter, as JSON: ids, milliseconds."""
    messages: list[dict[str, Any]] = [
        {
            "id": str(snowflake(line)),
            "type": "Default",
            "timestamp": line.at.isoformat(timespec="milliseconds"),
            "timestampEdited": None,
            "isPinned": False,
            "content": line.text or "",
            "author": {
                "id": str(hash_of(line.author)),
                "name": line.author.lower(),
                "nickname": line.author,
            },
            "attachments": [],
            "embeds": [],
            "reactions": [],
            "mentions": [],
        }
        for line in lines
    ]
    channel = {"id": "9", "type": "GuildTextChat", "category": "Talk", "name": "crew"}
    guild = {"id": "1", "name": "Rome"}
    return json.dumps({"guild": guild, "channel": channel, "messages": messages}).encode()


def discord_csv(lines: Sequence[Line], *, zone: str) -> bytes:
    """The same as a table: ids of people, but not of messages; names of accounts."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    out.write("AuthorID,Author,Date,Content,Attachments,Reactions\n")
    for line in lines:
        clock, offset = local(line, zone).isoformat(timespec="microseconds").split(".")
        stamp = f"{clock}.{offset[:6]}0{offset[6:]}"
        who = [str(hash_of(line.author)), line.author.lower()]
        writer.writerow([*who, stamp, line.text or "", "", ""])
    return out.getvalue().encode()


def discord_txt(lines: Sequence[Line], *, zone: str) -> bytes:
    """The same as text: no ids at all, minutes of the computer's clock."""
    banner = "=" * 62
    rows = [banner, "Guild: Rome", "Channel: Talk / crew", banner, ""]
    for line in lines:
        rows += [f"[{local(line, zone):%-m/%-d/%Y %-I:%M %p}] {line.author.lower()}"]
        rows += [line.text or "", "", ""]
    rows += [banner, f"Exported {len(lines)} message(s)", banner, ""]
    return "\n".join(rows).encode()


def snowflake(line: Line) -> int:
    """As Discord makes ids: of the time."""
    return (round(line.at.timestamp() * 1000) - 1_420_070_400_000) << 22 | hash_of(line.author)


def slackdump(lines: Sequence[Line], *, title: str = "crew") -> bytes:
    """The same channel exported by slackdump, which writes all that Slack's API tells."""
    extras: dict[str, Any] = {"replace_original": False, "delete_original": False, "team": "T1"}
    extras |= {"blocks": None, "metadata": {"event_type": "", "event_payload": None}}
    return slack(lines, title=title, extras=extras)


def slackdump_file(lines: Sequence[Line], *, title: str = "crew") -> bytes:
    """The same by slackdump's “dump”: one file, which knows people by their ids only."""
    messages = [message for day in slack_days(lines, {}).values() for message in day]
    return json.dumps({"name": title, "messages": messages, "channel_id": "C1"}).encode()


def slack(
    lines: Sequence[Line], *, title: str = "crew", extras: Mapping[str, Any] | None = None
) -> bytes:
    """
    A workspace of one channel.

    Args:
        extras: keys of each message that only some tools write.
    """
    people = sorted({line.author for line in lines})
    users = [{"id": f"U{hash_of(p):08d}", "name": p, "real_name": p} for p in people]
    channel = {"id": "C1", "name": title, "created": 1, "members": [u["id"] for u in users]}
    files = {"users.json": json.dumps(users), "channels.json": json.dumps([channel])}
    days = slack_days(lines, extras or {})
    return zipped(files | {f"{title}/{day}.json": json.dumps(days[day]) for day in days})


def slack_days(
    lines: Sequence[Line], extras: Mapping[str, Any]
) -> Mapping[str, list[dict[str, Any]]]:
    days: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        ts = f"{int(line.at.timestamp())}.{line.at.microsecond:06d}"
        message = {"type": "message", "user": f"U{hash_of(line.author):08d}", "ts": ts}
        days[f"{line.at:%Y-%m-%d}"].append({**message, "text": line.text or "", **extras})
    return days


def hash_of(name: str) -> int:
    return zlib.crc32(name.encode()) % 10_000_000


def local(line: Line, zone: str) -> datetime:
    return line.at.astimezone(ZoneInfo(zone))


def called(line: Line, names: Names | None) -> str:
    return (names or {}).get(line.author, line.author)


def zipped(files: Mapping[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


Render = Callable[[Sequence[Line]], bytes]
