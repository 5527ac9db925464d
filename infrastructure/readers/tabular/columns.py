"""Which column holds what: by its name in many languages, else by its values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from infrastructure.readers.stamps import looks_like_time

Row = Mapping[str, Any]

# Our field -> names of columns, the surest first; letters and digits only, lower case.
NAMES: dict[str, tuple[str, ...]] = {
    "sent_at": (
        *("sentat", "timestamp", "datetime", "timestampms", "tsms", "ts", "createdat", "created"),
        *("createdtime", "createddatetime", "senttime", "sentdate", "dateunixtime", "datesent"),
        *("datumuhrzeit", "zeitstempel", "zeitpunkt", "gesendet", "fechahora", "fecha"),
        *("horodatage", "date", "datum", "time", "zeit", "uhrzeit", "hora", "heure", "data"),
        *("dataora", "dataehora", "tijdstip", "tijd", "дата", "время", "日時", "时间", "日期"),
    ),
    "clock": ("time", "zeit", "uhrzeit", "hora", "heure", "ora", "tijd", "время", "时间"),
    "author": (
        *("author", "authorname", "sender", "sendername", "username", "displayname", "from"),
        *("fromname", "user", "name", "nick", "nickname", "speaker", "who", "member"),
        *("absender", "verfasser", "autor", "benutzer", "benutzername", "von", "auteur"),
        *("expéditeur", "utilisateur", "remitente", "usuario", "mittente", "autore", "utente"),
        *("remetente", "usuário", "afzender", "gebruiker", "отправитель", "автор", "имя"),
        *("发送者", "送信者"),
    ),
    "author_id": ("authorid", "senderid", "userid", "fromid", "absenderid", "benutzerid"),
    "text": (
        *("text", "message", "body", "content", "contents", "messagetext", "messagebody", "msg"),
        *("nachricht", "nachrichtentext", "inhalt", "texte", "contenu", "mensaje", "texto"),
        *("contenido", "messaggio", "testo", "contenuto", "mensagem", "conteúdo", "bericht"),
        *("tekst", "inhoud", "сообщение", "текст", "消息", "内容", "メッセージ", "本文", "comment"),
    ),
    "conversation": (
        *("conversation", "conversationid", "conversationname", "channel", "channelname"),
        *("channelid", "chat", "chatname", "chatid", "chattitle", "room", "roomname", "group"),
        *("groupname", "threadname", "threadtitle", "kanal", "raum", "gruppe", "unterhaltung"),
        *("gespräch", "canal", "salon", "conversación", "grupo", "gruppo", "canale", "sala"),
        *("kanaal", "groep", "чат", "канал", "группа", "频道", "チャンネル"),
    ),
    "key": ("key", "id", "messageid", "msgid", "uuid", "guid", "nachrichtid", "nachrichtenid"),
    "reply_to": ("replyto", "replytoid", "replytomessageid", "inreplyto", "quotedid"),
    "thread": ("thread", "threadid", "threadts", "topicid"),
    "edited_at": ("editedat", "edited", "timestampedited", "updatedat", "lasteditedat"),
    "kind": ("kind", "messagekind"),
    "attachments": ("attachments", "files", "media", "anhänge", "piècesjointes", "adjuntos"),
    "reactions": ("reactions", "reaktionen"),
}
FIELDS = tuple(NAMES)
_NEEDED = ("sent_at", "text")
_NOISE = re.compile(r"[\W_]+")
_INSIDE = {"author": ("name", "displayname", "username"), "conversation": ("title", "name")}


def guess(columns: Sequence[str], rows: Sequence[Row], stated: Mapping[str, str]) -> dict[str, str]:
    """
    Our field -> column. What the person stated is taken as it is; nothing is used twice.

    Args:
        rows: some of the first rows, for their values.
    """
    found = {field: column for field, column in stated.items() if field in FIELDS}
    plain = {column: _NOISE.sub("", column.casefold()) for column in columns}
    for field, names in NAMES.items():
        if field in found:
            continue
        for name in names:
            column = next((c for c in columns if plain[c] == name), None)
            if column is None or column in found.values() or not _fits(field, column, rows):
                continue
            found[field] = column
            break
    if "sent_at" not in found:
        _guess_time(columns, rows, found)
    if "clock" in found and not _is_day_only(found.get("sent_at"), rows):
        del found["clock"]
    if "text" not in found:
        _guess_text(columns, rows, found)
    if "author" not in found and "author_id" not in found:
        _guess_author(columns, rows, found)
    return found


def is_complete(found: Mapping[str, str]) -> bool:
    return all(field in found for field in _NEEDED)


def _values(column: str, rows: Sequence[Row]) -> list[Any]:
    values = (value_of(row, column) for row in rows[:100])
    return [value for value in values if value not in (None, "")]


def _fits(field: str, column: str, rows: Sequence[Row]) -> bool:
    values = _values(column, rows)
    if field in ("sent_at", "edited_at"):
        return bool(values) and _share_of_times(values) > 0.5
    if field == "clock":
        return all(isinstance(v, str) and re.match(r"\d{1,2}[:.]\d{2}", v) for v in values)
    if field == "text":
        return not any(isinstance(value, dict) for value in values)
    return True


def _share_of_times(values: Sequence[Any]) -> float:
    return sum(looks_like_time(value) for value in values[:20]) / len(values[:20])


def _guess_time(columns: Sequence[str], rows: Sequence[Row], found: dict[str, str]) -> None:
    for column in columns:
        values = _values(column, rows)
        if column not in found.values() and values and _share_of_times(values) > 0.9:
            found["sent_at"] = column
            return


def _is_day_only(column: str | None, rows: Sequence[Row]) -> bool:
    values = [] if column is None else _values(column, rows)
    return all(isinstance(value, str) and ":" not in value for value in values)


def _guess_text(columns: Sequence[str], rows: Sequence[Row], found: dict[str, str]) -> None:
    """The column with the longest texts, if a time was found and something is left."""
    if "sent_at" not in found:
        return
    best, longest = None, 0.0
    for column in columns:
        values = [v for v in _values(column, rows) if isinstance(v, str)]
        mean = sum(map(len, values)) / len(values) if values else 0
        if column not in found.values() and mean > longest:
            best, longest = column, mean
    if best is not None:
        found["text"] = best


def _guess_author(columns: Sequence[str], rows: Sequence[Row], found: dict[str, str]) -> None:
    """A column of short texts that come again: names."""
    if not is_complete(found):
        return
    for column in columns:
        values = [v for v in _values(column, rows) if isinstance(v, str)]
        if column in found.values() or not values:
            continue
        if max(map(len, values)) <= 40 and 1 < len(set(values)) < len(values):
            found["author"] = column
            return


def value_of(row: Row, column: str) -> Any:
    """A column's value; "a.b" also means b inside a."""
    if column in row:
        return row[column]
    outer, dot, inner = column.partition(".")
    value = row.get(outer) if dot else None
    return value_of(value, inner) if isinstance(value, dict) else None


def is_named_inside(field: str, key: str) -> bool:
    """Whether a key of such an object is its id or its name."""
    plain = _NOISE.sub("", key.casefold())
    return plain == "id" or plain in _INSIDE[field]


def named_inside(field: str, value: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Id and name in an object such as {"id": …, "name": …}."""
    plain = {_NOISE.sub("", str(key).casefold()): one for key, one in value.items()}
    name = next((plain[n] for n in _INSIDE[field] if plain.get(n)), None)
    known = plain.get("id")
    return None if known is None else str(known), None if name is None else str(name)
