"""Reader of WhatsApp exports: a text file, or a zip archive with one chat or several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from application.ports.chat_reader import (
    DateOrder,
    DatesRead,
    Export,
    ExportFile,
    ReadFacts,
    ReadItem,
    ReadOptions,
    ReadWarning,
    Recognition,
)
from domain.message import Conversation
from infrastructure.readers.limits import SNIFF
from infrastructure.readers.local_time import LocalClock
from infrastructure.readers.reading import files_ending, name_of, unused
from infrastructure.readers.text_stream import sniff_text
from infrastructure.readers.whatsapp.chat import ChatLines
from infrastructure.readers.whatsapp.headers import is_plausible, parse_header
from infrastructure.readers.whatsapp.names import split_author
from infrastructure.readers.whatsapp.survey import Survey, is_anonymous, survey, title_from_name

_MAX_CHATS = 10_000
_SURE = 0.9
_TEXTS_ASKED = 20  # text files of an archive that are looked into to recognise it


@dataclass(frozen=True, slots=True)
class _Chat:
    file: ExportFile
    found: Survey


class WhatsAppReader:
    """Times are the phone's local times; minute precision on Android."""

    format = "whatsapp"
    version = 3

    def recognise(self, export: Export) -> Recognition | None:
        confidence = 0.0
        for file in _texts(export)[:_TEXTS_ASKED]:
            confidence = max(confidence, _likeness(file))
            if confidence >= _SURE:
                break
        if not confidence:
            return None
        # Not which file: its name may be a person's, and the log keeps this as it is.
        reason = "lines begin with a date, a time and a name, as WhatsApp writes them"
        return Recognition(self.format, confidence, reason)

    def read(self, export: Export, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
        return _read_chats(export, options, facts)


def _texts(export: Export) -> Sequence[ExportFile]:
    """Chats by name if any is named so; media may be text files, too."""
    texts = files_ending(export, ".txt")
    named = [f for f in texts if name_of(f) == "_chat.txt" or "whatsapp" in f.name.lower()]
    return named or texts


def _likeness(file: ExportFile) -> float:
    """Chats begin with a header; a first message may be long, and some tools put a title first."""
    text = sniff_text(file, SNIFF)
    lines = [line for line in text.split("\n") if line.strip()][:1000]
    likeness = [_is_whatsapp(line) for line in lines]
    if likeness and likeness[0]:
        return likeness[0]
    return max(likeness, default=0.0) if sum(map(bool, likeness)) * 20 > len(lines) else 0.0


def _is_whatsapp(line: str) -> float:
    """How much a line looks like the beginning of a WhatsApp message."""
    header = parse_header(line)
    if header is None or not is_plausible(header.shape):
        return 0.0
    if header.shape.ending == "-":
        return _SURE
    # The iPhone puts even notices under a name; other logs do not.
    name, _ = split_author(line[header.end :], is_bracketed=header.shape.is_bracketed)
    if name is None:
        return 0.0
    return _SURE if header.shape.ending else 0.55  # other logs have neither bracket nor dash, too


def _sizes(export: Export, chats: Sequence[_Chat]) -> dict[str, dict[str, int]]:
    """Bytes of the media, by the folder of a chat and their names."""
    sizes: dict[str, dict[str, int]] = {_folder(chat.file): {} for chat in chats}
    for file in export.files:
        beside = sizes.get(_folder(file))
        if beside is not None:
            beside[name_of(file)] = file.size
    return sizes


def _folder(file: ExportFile) -> str:
    return file.name.rpartition("/")[0]


def _read_chats(export: Export, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
    files, archive = _texts(export), export.name
    clock = LocalClock(options, facts, file=archive)
    chats: list[_Chat] = []
    if len(files) > _MAX_CHATS:
        reason = f"holds {len(files)} chats; only the first {_MAX_CHATS} are read"
        yield ReadWarning(archive, None, reason)
    for file in files[:_MAX_CHATS]:
        found = survey(file)
        if found.headers:
            chats.append(_Chat(file, found))
        else:
            yield ReadWarning(file.name, None, "no line of it begins like a message; not read")
    phone_order = None if options.date_order else _order_of_phone(chats)
    sizes = _sizes(export, chats)
    ids: set[str] = set()
    for chat in chats:
        order, doubt = _order(chat, options.date_order, phone_order)
        possible = chat.found.main_votes.possible(order)
        if options.date_order is None and doubt is None:
            possible = (order,)
        facts.add_dates(DatesRead(chat.file.name, order, possible, doubt))
        fallback = title_from_name(chat.file.name)
        if is_anonymous(fallback):
            fallback = title_from_name(archive)
        source = None
        if is_anonymous(fallback):
            title, source = chat.found.name()
        else:
            title = chat.found.title(fallback)
        conversation = Conversation(unused(title, ids), title, chat.found.kind(title))
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
            chat.file,
            conversation,
            shapes=chat.found.accepted,
            order=order,
            clock=clock,
            is_tight=chat.found.is_tight,
            sizes=sizes[_folder(chat.file)],
        )
        yield from lines.read()


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
