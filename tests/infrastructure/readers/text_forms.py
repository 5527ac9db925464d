"""Any chat in forms that are lines, tables and mail: what a text must not look like is here."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from functools import partial

from hypothesis import strategies as st

from application.ports.chat_reader import ReadOptions
from domain.message import Message
from infrastructure.readers.whatsapp.media_phrases import OMITTED, comparable
from infrastructure.readers.whatsapp.notice_phrases import NOTICES
from tests.infrastructure.readers import discord_exports
from tests.infrastructure.readers.any_chat import (
    MINUTES,
    NAMES,
    NICKS,
    Form,
    Said,
    texts,
    whole_lines,
    without_lines,
)
from tests.infrastructure.readers.line_exports import GROUP
from tests.infrastructure.readers.mbox_exports import ENVELOPE
from tests.infrastructure.readers.service_forms import DISCORD_TEXTS

# Tables

COLUMNS = ["id", "time", "author", "text", "reply_to", "edited_at"]


def cells(place: int, one: Said) -> list[str | None]:
    answered = None if one.answers is None else f"m{one.answers}"
    edited = one.edited_at.isoformat() if one.edited_at else None
    return [f"m{place}", one.at.isoformat(), one.author, one.text, answered, edited]


def as_csv(said: Sequence[Said], delimiter: str = ",") -> bytes:
    target = io.StringIO(newline="")
    writer = csv.writer(target, delimiter=delimiter, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(cells(place, one) for place, one in enumerate(said))
    return target.getvalue().encode()


def objects(said: Sequence[Said]) -> list[dict[str, str | None]]:
    return [dict(zip(COLUMNS, cells(*one), strict=True)) for one in enumerate(said)]


def as_json(said: Sequence[Said]) -> bytes:
    return json.dumps(objects(said), indent=1).encode()


def as_json_inside(said: Sequence[Said]) -> bytes:
    return json.dumps({"about": {"n": 1}, "messages": objects(said), "end": True}).encode()


def as_jsonl(said: Sequence[Said]) -> bytes:
    return "".join(f"{json.dumps(row)}\n" for row in objects(said)).encode()


def discord_csv(said: Sequence[Said]) -> bytes:
    rows = [
        discord_exports.row(one.text, AuthorID="", Author=one.author, Date=one.at.isoformat())
        for one in said
    ]
    return (discord_exports.HEADER + "".join(rows)).encode()


# Lines


def whatsapp(said: Sequence[Said], pattern: str) -> bytes:
    lines = [f"{one.at.strftime(pattern)}{one.author}: {one.text}\n" for one in said]
    return "".join(lines).encode()


def discord_txt(said: Sequence[Said]) -> bytes:
    written = [
        discord_exports.text_said(one.text, f"{one.at:%Y-%m-%d %H:%M}", one.author) for one in said
    ]
    return bytes(discord_exports.below(*written).data)


def line(said: Sequence[Said]) -> bytes:
    lines = GROUP.split("\n")[:2]
    for one in said:
        text = one.text
        if "\n" in text:
            text = '"' + text.replace('"', '""') + '"'
        lines += ["", f"{one.at:%Y.%m.%d %A}", f"{one.at:%H:%M}\t{one.author}\t{text}"]
    return ("\n".join(lines) + "\n").encode()


def signal_lines(said: Sequence[Said]) -> bytes:
    lines = [f"[{one.at:%Y-%m-%d %H:%M:%S}] {one.author}: {one.text}  \n\n" for one in said]
    return "".join(lines).encode()


def plain(said: Sequence[Said]) -> bytes:
    lines = [f"[{one.at:%Y-%m-%d %H:%M}] {one.author}: {one.text}\n" for one in said]
    return "".join(lines).encode()


def mbox(said: Sequence[Said]) -> bytes:
    """Quoted as mboxrd."""
    out: list[bytes] = []
    for place, one in enumerate(said):
        message = EmailMessage()
        message["Date"] = format_datetime(one.at)
        message["From"] = f'"{one.author}" <a@example.org>'
        message["Message-ID"] = f"<{place}@x>"
        if one.answers is not None:
            message["In-Reply-To"] = f"<{one.answers}@x>"
        message.set_content(one.text + "\n", cte="8bit" if place % 2 else "base64")
        for number, row in enumerate([ENVELOPE.encode(), *bytes(message).split(b"\n")]):
            is_from = number > 0 and row.lstrip(b">").startswith(b"From ")
            out.append((b">" if is_from else b"") + row + b"\n")
    return b"".join(out)


# IRC


def irc(said: Sequence[Said], write: Callable[[Said], str]) -> bytes:
    return "".join(write(one) for one in said).encode()


IRC: dict[str, Callable[[Said], str]] = {
    "irssi": lambda o: f"--- Day changed {o.at:%a %b %d %Y}\n{o.at:%H:%M} < {o.author}> {o.text}\n",
    "weechat": lambda o: f"{o.at:%Y-%m-%d %H:%M:%S}\t{o.author}\t{o.text}\n",
    "supybot": lambda o: f"{o.at:%Y-%m-%dT%H:%M:%S}  <{o.author}> {o.text}\n",
    "mirc": lambda o: (
        f"Session Start: {o.at:%a %b %d %H:%M:%S %Y}\r\nSession Ident: #rome\r\n"
        f"[{o.at:%H:%M}] <{o.author}> {o.text}\r\n"
        f"Session Close: {o.at:%a %b %d %H:%M:%S %Y}\r\n\r\n"
    ),
    "psybnc": lambda o: f"{o.at:%Y-%m-%d-%H-%M-%S}:#rome::{o.author}!u@h PRIVMSG #rome :{o.text}\n",
    "hexchat": lambda o: (
        f"**** BEGIN LOGGING AT {o.at:%a %b %d %H:%M:%S %Y}\n\n"
        f"{o.at:%b %d %H:%M:%S} <{o.author}>\t{o.text}\n"
        f"**** ENDING LOGGING AT {o.at:%a %b %d %H:%M:%S %Y}\n\n"
    ),
    "eggdrop": lambda o: f"[00:00] --- {o.at:%a %b %d %Y}\n[{o.at:%H:%M}] <{o.author}> {o.text}\n",
    "epoch": lambda o: f"{o.at.timestamp():.0f} <{o.author}> {o.text}\n",
    "znc": lambda o: f"[{o.at:%H:%M:%S}] <{o.author}> {o.text}\n",
    "dircproxy": lambda o: f"<{o.author}!u@h> [{o.at:%H:%M}] {o.text}\n",
}
OF_ONE_DAY = {"znc", "dircproxy"}
WITH_SECONDS = {"weechat", "supybot", "psybnc", "hexchat", "epoch", "znc"}
ONE_DAY = st.integers(0, 24 * 60 - 1).map(
    lambda minute: datetime(2024, 1, 31, tzinfo=UTC) + timedelta(minutes=minute)
)
# One line, without the codes of colours and styles, which are taken out.
IRC_TEXTS = texts("Ann: ", "* Ann", "-!- ", without="\n\r\2\3\4\x0f\x11\x16\x1d\x1e\x1f")


def nick_of(message: Message) -> str:
    return message.author.id if message.author else ""


def irc_form(dialect: str) -> Form:
    is_one_day = dialect in OF_ONE_DAY
    moments = ONE_DAY if is_one_day else MINUTES
    return Form(
        "irc",
        partial(irc, write=IRC[dialect]),
        "#rome_20240131.log" if is_one_day else "#rome.log",
        texts=IRC_TEXTS,
        names=NICKS,
        moments=moments,
        is_sorted=is_one_day,
        cut_gives="first or shorter",
        is_cut_told=False,
        who=nick_of,
    )


# What begins a message in these forms: a later line of a text that looks so begins one, too.
DATE = re.compile(r"\W{0,3}\d{1,4}[./-]\d{1,2}[./-]\d{1,4}").match
BRACKET = re.compile(r"\[\d{4}-\d{2}-\d{2}").match
CLOCK = re.compile(r"\d{1,2}:\d{2}\t").match
MESSAGE_LINES = without_lines(whole_lines(), DATE)


def is_phrase(text: str) -> bool:
    """Whether WhatsApp itself says so, of what it has left out or somebody has deleted."""
    return comparable(text.partition("\n")[0]).strip("<>") in OMITTED | NOTICES


FORMS: dict[str, Form] = {
    "csv": Form(
        "csv",
        as_csv,
        "chat.csv",
        texts=texts(without="\r"),
        has_replies=True,
        has_edit_times=True,
        cut_gives="first or shorter",
        is_cut_told=False,
    ),
    "csv-semicolons": Form(
        "csv",
        partial(as_csv, delimiter=";"),
        "chat.csv",
        texts=texts(without="\r"),
        has_replies=True,
        has_edit_times=True,
        cut_gives="first or shorter",
        is_cut_told=False,
    ),
    "json": Form("json", as_json, "c.json", has_replies=True, has_edit_times=True),
    "json-inside": Form("json", as_json_inside, "c.json", has_replies=True, has_edit_times=True),
    "jsonl": Form(
        "jsonl", as_jsonl, "c.jsonl", has_replies=True, has_edit_times=True, is_cut_told=False
    ),
    "discord-csv": Form(
        "discord", discord_csv, texts=DISCORD_TEXTS, is_sorted=True, is_cut_told=False
    ),
    "discord-txt": Form(
        "discord",
        discord_txt,
        texts=without_lines(DISCORD_TEXTS.map(str.strip), BRACKET),
        names=NAMES,
        moments=MINUTES,
        is_sorted=True,
        cut_gives="first or shorter",
        is_cut_told=False,
    ),
    "line": Form(
        "line",
        line,
        texts=without_lines(whole_lines(), CLOCK),
        names=NAMES,
        moments=MINUTES,
        cut_gives="first or shorter",
        is_cut_told=False,
    ),
    "signal-lines": Form(
        "signal",
        signal_lines,
        "chat.md",
        texts=without_lines(whole_lines(), BRACKET),
        names=NAMES,
        cut_gives="first or shorter",
        is_cut_told=False,
    ),
    "text": Form(
        "text",
        plain,
        "chat.log",
        texts=MESSAGE_LINES,
        names=NAMES,
        moments=MINUTES,
        cut_gives="first or shorter",
        is_cut_told=False,
    ),
    "mbox": Form(
        "mbox",
        mbox,
        texts=whole_lines().map(lambda text: text.lstrip("\n").rstrip()),
        names=NAMES,
        has_replies=True,
        cut_gives="first or shorter",
        is_cut_told=False,
    ),
    **{
        f"whatsapp-{phone}": Form(
            "whatsapp",
            partial(whatsapp, pattern=pattern),
            "WhatsApp Chat - Rome.txt",
            texts=MESSAGE_LINES.filter(lambda text: not is_phrase(text)),
            names=NAMES,
            moments=MINUTES,
            cut_gives="first or shorter",
            is_cut_told=False,
            options=options,
        )
        for phone, pattern, options in (
            ("android", "%d/%m/%Y, %H:%M - ", ReadOptions(date_order="dmy")),
            ("iphone", "[%m/%d/%y, %I:%M:%S\u202f%p] ", ReadOptions(date_order="mdy")),
            ("iso", "%Y/%m/%d, %H:%M - ", ReadOptions(date_order="ymd")),
        )
    },
    **{f"irc-{dialect}": irc_form(dialect) for dialect in IRC},
}
