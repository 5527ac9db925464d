"""All readers, and the choice among them by content."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from application.ports.chat_reader import (
    AmbiguousFormatError,
    ChatReader,
    Export,
    ExportFile,
    FormatNotInstalledError,
    Recognition,
    UnreadableExportError,
)
from infrastructure.readers.chatgpt.reader import ChatGptReader
from infrastructure.readers.claude.reader import ClaudeReader
from infrastructure.readers.containers.contents import BrokenFileError
from infrastructure.readers.containers.unpacking import Unpacked
from infrastructure.readers.discord.package_reader import DiscordPackageReader
from infrastructure.readers.discord.reader import DiscordReader
from infrastructure.readers.google_chat.reader import GoogleChatReader
from infrastructure.readers.installed import (
    Installed,
    InstalledReaderError,
    LeftOut,
    installed_readers,
)
from infrastructure.readers.irc.reader import IrcReader
from infrastructure.readers.line.reader import LineReader
from infrastructure.readers.mbox.reader import MboxReader
from infrastructure.readers.messenger.reader import InstagramReader, MessengerReader
from infrastructure.readers.plain_text import PlainTextReader
from infrastructure.readers.reading import GuardedReader
from infrastructure.readers.rsmf.reader import RsmfReader
from infrastructure.readers.signal.reader import SignalReader
from infrastructure.readers.skype.reader import SkypeReader
from infrastructure.readers.slack.reader import SlackReader
from infrastructure.readers.tabular.csv_reader import CsvReader
from infrastructure.readers.tabular.json_reader import JsonReader
from infrastructure.readers.tabular.jsonl_reader import JsonLinesReader
from infrastructure.readers.teams.reader import TeamsReader
from infrastructure.readers.telegram.reader import TelegramReader
from infrastructure.readers.text_stream import sniff
from infrastructure.readers.whatsapp.reader import WhatsAppReader
from infrastructure.saying import announce

SUPPORTED = (
    "WhatsApp (txt or zip), Telegram Desktop (result.json), Slack (zip, or slackdump's JSON), "
    "Discord (DiscordChatExporter as JSON, CSV or TXT, or its own data package), Microsoft Teams "
    "(admin export, Graph), Skype and Teams (free), ChatGPT and Claude (data export), Messenger "
    "and Instagram (“Download your information”, JSON), Signal (its own plaintext export, or "
    "signal-export), Google Chat (Takeout), LINE (saved text), IRC logs, RSMF, mbox and eml, CSV, "
    "JSON lines, JSON with a list of messages, "
    "and text with lines such as “[2024-01-31 10:00] name: text”"
)
_SAME = 0.01  # confidences nearer than this are a tie
_JSON = re.compile(r"[{\[]\s*[\"{\[\]}]")
_MAGIC = (
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3", "a SQLite database, perhaps a phone's backup: export the chat instead"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive: unpack it first"),
    (b"Rar!", "a RAR archive: unpack it first"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"<!DOCTYPE", "a web page: export as JSON instead"),
    (b"<html", "a web page: export as JSON instead"),
)


def default_readers() -> tuple[ChatReader, ...]:
    return (
        SlackReader(),
        TelegramReader(),
        WhatsAppReader(),
        DiscordReader(),
        DiscordPackageReader(),
        TeamsReader(),
        SkypeReader(),
        ChatGptReader(),
        ClaudeReader(),
        MessengerReader(),
        InstagramReader(),
        SignalReader(),
        GoogleChatReader(),
        LineReader(),
        IrcReader(),
        RsmfReader(),
        MboxReader(),
        JsonLinesReader(),
        JsonReader(),
        CsvReader(),
        PlainTextReader(),
    )


@cache
def _installed() -> Installed:
    """Looked for once in a process: what is installed later is there after the next start."""
    return installed_readers([reader.format for reader in default_readers()])


class Readers:
    """
    The ReaderRegistry of the formats that this version reads, and of those that installed
    packages read.
    """

    def __init__(self, readers: Sequence[ChatReader] | None = None) -> None:
        """
        Args:
            readers: instead of all of them.
        """
        self.packages: dict[str, str] = {}  # format -> package that reads it, with its version
        self.left_out: tuple[LeftOut, ...] = ()
        if readers is None:
            installed = _installed()
            self.packages = {reader.format: reader.package for reader in installed.readers}
            self.left_out = installed.left_out
            readers = (*default_readers(), *installed.readers)
        self._readers = tuple(GuardedReader(reader) for reader in readers)

    @property
    def formats(self) -> tuple[str, ...]:
        return tuple(reader.format for reader in self._readers)

    @property
    def versions(self) -> dict[str, int]:
        """Format -> version of its reader."""
        return {reader.format: reader.version for reader in self._readers}

    def say_what_is_left_out(self) -> None:
        """Once in a process, where whoever runs it sees it."""
        for one in self.left_out:
            announce(
                f"Warning: {one}.",
                "reader_left_out",
                level="warning",
                format=one.format,
                package=one.package,
            )

    def open(self, file: ExportFile) -> Unpacked:
        """
        Raises:
            UnreadableExportError: if it is empty, or an archive that must not or cannot be opened.
        """
        if file.size == 0:
            raise UnreadableExportError(file=file.name, reason="the file is empty")
        try:
            return Unpacked(file)
        except BrokenFileError as error:
            raise UnreadableExportError(file=error.file, reason=error.reason) from error

    def recognise(self, export: Export) -> tuple[ChatReader, Recognition]:
        """
        Choose the reader by content.

        Raises:
            UnreadableExportError: if no reader knows it.
            AmbiguousFormatError: if two claim it equally.
        """
        claims: list[tuple[ChatReader, Recognition]] = []
        failures: list[InstalledReaderError] = []
        for reader in self._readers:
            try:
                claim = reader.recognise(export)
            except InstalledReaderError as error:
                announce(f"Warning: {error}.", "reader_failed", level="warning")
                failures.append(error)
                continue
            if claim is not None:
                claims.append((reader, claim))
        claims.sort(key=lambda pair: -pair[1].confidence)
        if not claims:
            for file, reason in export.breaks.items():
                raise UnreadableExportError(file=file, reason=reason)
            for failure in failures:
                if isinstance(failure.__cause__, OSError):
                    raise failure.__cause__  # perhaps the machine's: reading again may work
            reason = f"this looks like {_looks_like(export)}. Supported are {self._supported}"
            reason = ". ".join([reason, *map(str, failures)])
            raise UnreadableExportError(file=export.name, reason=reason)
        best = claims[0][1].confidence
        equal = [claim for _, claim in claims if best - claim.confidence < _SAME]
        if len(equal) > 1:
            raise AmbiguousFormatError(file=export.name, claims=equal)
        return claims[0]

    def by_format(self, format: str) -> ChatReader:
        """
        The reader that an earlier event named.

        Raises:
            FormatNotInstalledError
        """
        for reader in self._readers:
            if reader.format == format:
                return reader
        reasons = [str(one) for one in self.left_out if one.format == format]
        raise FormatNotInstalledError(format, "; ".join(reasons) or None)

    @property
    def _supported(self) -> str:
        if not self.packages:
            return SUPPORTED
        return f"{SUPPORTED}; by packages installed here: {', '.join(self.packages)}"


def _looks_like(export: Export) -> str:
    if export.is_packed:
        return _archive_in_words(export)
    (file,) = export.files
    with file.open() as stream:
        start = stream.read(32)
    for magic, what in _MAGIC:
        if start.startswith(magic):
            return what
    head = sniff(file, 4096)
    if b"\0" in head:
        return f"binary data (beginning {start[:8].hex(' ')})"
    text = head.decode("utf-8", "replace").strip()
    if not text:
        return "a file of nothing but white space"
    shown = " ".join(text[:60].split())
    if _JSON.match(text):
        return f"JSON that is no known chat export (“{shown}…”)"
    return f"text without lines that begin like a message (“{shown}…”)"


def _archive_in_words(export: Export) -> str:
    if not export.files:
        return "an empty archive"
    shown = ", ".join(file.name for file in export.files[:5])
    return f"an archive of something else ({shown}{', …' if len(export.files) > 5 else ''})"
