"""Reader of WhatsApp exports: a text file, or a zip archive with one chat or several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from application.ports.chat_reader import (
    DateOrder,
    ExportFile,
    ReadFacts,
    ReadItem,
    ReadOptions,
    ReadWarning,
    Recognition,
)
from domain.message import Conversation
from infrastructure.readers.archive import Archive, BrokenMemberError, is_archive
from infrastructure.readers.limits import SNIFF
from infrastructure.readers.local_time import LocalClock
from infrastructure.readers.reading import or_unreadable
from infrastructure.readers.text_stream import sniff_text
from infrastructure.readers.whatsapp.chat import ChatLines
from infrastructure.readers.whatsapp.headers import is_plausible, parse_header
from infrastructure.readers.whatsapp.notices import split_author
from infrastructure.readers.whatsapp.survey import Survey, is_anonymous, survey, title_from_name

_MAX_CHATS = 10_000
_TEXTS_ASKED = 20  # text files of an archive that are looked into to recognise it


@dataclass(frozen=True, slots=True)
class _Chat:
    file: ExportFile
    found: Survey


class WhatsAppReader:
    """Times are the phone's local times; minute precision on Android."""

    format = "whatsapp"
    version = 2

    def recognise(self, file: ExportFile) -> Recognition | None:
        if not is_archive(file):
            if not _begins_like_chat(file):
                return None
            reason = "lines begin with a date, a time and a name, as WhatsApp writes them"
            return Recognition(self.format, 0.9, reason)
        with Archive(file) as archive:
            for member in _texts(archive)[:_TEXTS_ASKED]:
                if _begins_like_chat(member):
                    # Not which: its name may be a person's, and the log keeps this as it is.
                    reason = "the archive holds a WhatsApp chat as text"
                    return Recognition(self.format, 0.9, reason)
        return None

    def read(self, file: ExportFile, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
        yield from or_unreadable(self._read(file, options, facts), file)

    def _read(self, file: ExportFile, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
        if not is_archive(file):
            yield from _read_chats([file], file.name, options, facts)
            return
        with Archive(file) as archive:
            yield from _read_chats(_texts(archive), file.name, options, facts)


def _texts(archive: Archive) -> Sequence[ExportFile]:
    """Chats by name if any is named so; media may be text files, too."""
    texts = [m for m in archive.members if m.name.lower().endswith(".txt")]
    named = [m for m in texts if m.path.name == "_chat.txt" or "whatsapp" in m.name.lower()]
    return named or texts


def _begins_like_chat(file: ExportFile) -> bool:
    """Chats begin with a header; a first message may be long, and some tools put a title first."""
    try:
        text = sniff_text(file, SNIFF)
    except BrokenMemberError:
        return False
    lines = [line for line in text.split("\n") if line.strip()][:1000]
    if lines and _is_whatsapp(lines[0]):
        return True
    return sum(1 for line in lines if _is_whatsapp(line)) * 20 > len(lines)


def _is_whatsapp(line: str) -> bool:
    header = parse_header(line)
    if header is None or not is_plausible(header.shape):
        return False
    if header.shape.has_dash:
        return True
    # The iPhone puts even notices under a name; other logs do not.
    name, _ = split_author(line[header.end :], is_bracketed=header.shape.is_bracketed)
    return name is not None


def _read_chats(
    files: Sequence[ExportFile], archive: str, options: ReadOptions, facts: ReadFacts
) -> Iterator[ReadItem]:
    clock = LocalClock(options, facts, file=archive)
    chats: list[_Chat] = []
    if len(files) > _MAX_CHATS:
        reason = f"holds {len(files)} chats; only the first {_MAX_CHATS} are read"
        yield ReadWarning(archive, None, reason)
    for file in files[:_MAX_CHATS]:
        try:
            found = survey(file)
        except BrokenMemberError as error:
            yield ReadWarning(error.file, None, error.reason)
            continue
        if found.headers:
            chats.append(_Chat(file, found))
        else:
            yield ReadWarning(file.name, None, "no line of it begins like a message; not read")
    phone_order = None if options.date_order else _order_of_phone(chats)
    ids: set[str] = set()
    for chat in chats:
        order, doubt = _order(chat, options.date_order, phone_order)
        facts.date_order = facts.date_order or order
        fallback = title_from_name(chat.file.name)
        if is_anonymous(fallback):
            fallback = title_from_name(archive)
        source = None
        if is_anonymous(fallback):
            title, source = chat.found.name()
        else:
            title = chat.found.title(fallback)
        conversation = Conversation(_unused(title, ids), title, chat.found.kind(title))
        yield conversation
        if source is not None:
            reason = (
                f"the file's name does not say which chat it is, so it is named after {source}; "
                "to name it yourself, call the file `WhatsApp Chat - NAME.txt`"
            )
            yield ReadWarning(chat.file.name, None, reason)
        if doubt is not None:
            reason = (
                f"dates were read as {'/'.join(order)} because {doubt}; "
                "if that is wrong, state the date order"
            )
            yield ReadWarning(chat.file.name, None, reason)
        lines = ChatLines(
            chat.file, conversation, shapes=chat.found.accepted, order=order, clock=clock
        )
        try:
            yield from lines.read()
        except BrokenMemberError as error:
            yield ReadWarning(error.file, None, error.reason)


def _order_of_phone(chats: Sequence[_Chat]) -> DateOrder | None:
    """One phone wrote all chats of an archive: the sure ones speak for the others."""
    sure = {order for chat in chats for order, doubt in [_order(chat, None, None)] if doubt is None}
    return sure.pop() if len(sure) == 1 else None


def _order(
    chat: _Chat, stated: DateOrder | None, phone: DateOrder | None
) -> tuple[DateOrder, str | None]:
    if stated is not None:
        return stated, None
    order, doubt = chat.found.main_votes.decide()
    return (phone, None) if doubt is not None and phone is not None else (order, doubt)


def _unused(title: str, taken: set[str]) -> str:
    name = title
    count = 1
    while name in taken:
        count += 1
        name = f"{title} ({count})"
    taken.add(name)
    return name
