"""What a WhatsApp line says besides text: notices, media, marks of editing and deletion."""

from __future__ import annotations

import re
from typing import NamedTuple

from domain.message import Attachment, MessageKind
from infrastructure.readers.whatsapp.headers import MARKS

_NAME_LIMIT = 120  # characters; longer is a notice with a colon in it
_FILE = r"[^<>:/\\]{1,200}\.\w{1,6}"
_IN_BRACKETS = re.compile(rf"<[{MARKS}\s]*[^<>:]{{1,30}}:\s*({_FILE})\s*>")
_ATTACHED_WORDS = (
    "file attached|attached|Datei angehängt|angehängt|archivo adjunto|adjunto|fichier joint|"
    "arquivo anexado|ficheiro anexado|anexado|bestand bijgevoegd|bijgevoegd|file allegato|"
    "allegato|файл добавлен|файл прикреплен|dosya ekli|bifogad fil|vedhæftet fil|"
    "文件附件|ファイル添付"
)
_FILE_WITH_WORD = re.compile(rf"({_FILE}) [(<][{MARKS}]*(?:{_ATTACHED_WORDS})[)>]")
_OWN_NAME = re.compile(r"((?:IMG|VID|AUD|PTT|STK|DOC)-\d{8}-WA\d{4,}\.\w{1,6}) \([^()]*\)")
_OMITTED = re.compile(
    r"(image|video|audio|GIF|sticker|document|Contact card|media|Bild|Video|Audio|Dokument|Sticker|"
    r"imagen|imagem|immagine|afbeelding|documento|contacto) "
    r"(omitted|weggelassen|omitid[oa]|omess[oa]|weggelaten|ocultad[oa])",
    re.IGNORECASE,
)
_MEDIA = frozenset(
    text.casefold()
    for text in (
        *("Media omitted", "Medien ausgeschlossen", "Multimedia omitido", "Archivo omitido"),
        *("Médias omis", "Fichier omis", "Media omessi", "Media weggelaten", "Mídia oculta"),
        *("Arquivo de mídia oculto", "Ficheiro não revelado", "Без медиафайлов"),
        *("Файл пропущен", "Medya dahil edilmedi", "Media utelämnat", "Medier utelatt"),
        *("Mediefilen er udeladt", "Media jätettiin pois", "Pominięto multimedia"),
        *("Hiányzó médiafájl", "Média vynechány", "省略多媒体文件", "省略多媒體檔案"),
        *("メディアは含まれていません", "미디어 파일을 제외한 메시지", "Media tidak disertakan"),
    )
)
_DELETED = frozenset(
    text.casefold()
    for text in (
        *("This message was deleted", "You deleted this message"),
        *("Diese Nachricht wurde gelöscht", "Du hast diese Nachricht gelöscht"),
        *("Se eliminó este mensaje", "Eliminaste este mensaje", "Este mensaje fue eliminado"),
        *("Ce message a été supprimé", "Vous avez supprimé ce message"),
        *("Mensagem apagada", "Esta mensagem foi apagada", "Você apagou esta mensagem"),
        *("Questo messaggio è stato eliminato", "Hai eliminato questo messaggio"),
        *("Dit bericht is verwijderd", "Je hebt dit bericht verwijderd"),
        *("Данное сообщение удалено", "Вы удалили данное сообщение", "Bu mesaj silindi"),
    )
)
_EDITED = re.compile(
    rf"\s*[{MARKS}]*<(This message was edited|Diese Nachricht wurde bearbeitet|"
    r"Se editó este mensaje\.?|Este mensaje se editó|Ce message a été modifié|Mensagem editada|"
    r"Esta mensagem foi editada|Questo messaggio è stato modificato|Dit bericht is bewerkt|"
    rf"Данное сообщение изменено|Bu mesaj düzenlendi)>[{MARKS}]*$"
)
_ENCRYPTION = (
    "Messages and calls are end-to-end encrypted",
    "Messages to this chat and calls are now secured",
    "Messages to this group are now secured",
    "Nachrichten und Anrufe sind Ende-zu-Ende-verschlüsselt",
    "Los mensajes y las llamadas están cifrados de extremo a extremo",
    "Les messages et les appels sont chiffrés de bout en bout",
    "As mensagens e as chamadas são protegidas",
    "As mensagens e ligações são protegidas",
    "I messaggi e le chiamate sono crittografati end-to-end",
    "Berichten en gesprekken zijn end-to-end versleuteld",
    "Berichten en oproepen zijn end-to-end versleuteld",
    "Сообщения и звонки защищены сквозным шифрованием",
    "Mesajlar ve aramalar uçtan uca şifrelidir",
)
# After the mark U+200E these are still something a person sent.
_SENT = re.compile(
    r"(POLL|SONDAGE|UMFRAGE|ENCUESTA|ENQUETE|SONDAGGIO|location|Location|Standort):?"
)
_FIRST_MARKS = frozenset(MARKS)
_SPECIAL_ENDINGS = (")", ">", *MARKS)  # of media and of marks of editing
_SPECIAL_LENGTH = 60  # characters; every other special line is shorter
_QUOTES = frozenset('"“”«»')
_QUOTE_PAIRS = (("“", "”"), ("«", "»"))


class Content(NamedTuple):
    kind: MessageKind
    text: str
    attachments: tuple[Attachment, ...] = ()
    is_edited: bool = False


def split_author(rest: str, *, is_bracketed: bool) -> tuple[str | None, str]:
    """Name and text; no name for what the system says, which may contain a colon, too."""
    name, colon, text = rest.partition(": ")
    if not colon:
        if rest.endswith(":"):
            name, text = rest[:-1], ""
        elif is_bracketed and ":" in rest:
            name, _, text = rest.partition(":")
        else:
            return None, rest
    if len(name) > _NAME_LIMIT or not name or _has_open_quote(name):
        return None, rest
    return clean_name(name), text


def _has_open_quote(name: str) -> bool:
    """A group's name with a colon, cut in two, leaves an open quotation mark."""
    if _QUOTES.isdisjoint(name):
        return False
    return name.count('"') % 2 == 1 or any(name.count(a) != name.count(b) for a, b in _QUOTE_PAIRS)


def clean_name(name: str) -> str:
    """Without direction marks, and without the tilde before people not in the address book."""
    name = name.strip(MARKS + " \u00a0\u202f")
    return name.removeprefix("~").lstrip(" \u00a0\u202f") if name.startswith("~") else name


def is_encryption_notice(text: str) -> bool:
    """The iPhone puts it at the top, under the chat's own name."""
    return text.lstrip(MARKS).startswith(_ENCRYPTION)


def interpret(text: str) -> Content:
    """What a person's line holds."""
    is_marked = text[:1] in _FIRST_MARKS
    if (
        len(text) > _SPECIAL_LENGTH
        and not is_marked
        and "\n" not in text
        and not text.endswith(_SPECIAL_ENDINGS)
        and not text.startswith(_ENCRYPTION)
    ):
        return Content("message", text)
    bare = text.strip(MARKS) if is_marked else text
    if bare.startswith(_ENCRYPTION):
        return Content("system", bare)
    is_edited = False
    if bare.endswith(_SPECIAL_ENDINGS) and (match := _EDITED.search(bare)):
        bare, is_edited = bare[: match.start()], True
    first, _, caption = bare.partition("\n")
    first = first.strip(MARKS + " ")
    if first.rstrip(".").casefold() in _DELETED and not caption:
        return Content("deleted", "")
    if (attachment := _attachment(first)) is not None:
        return Content("message", caption, (attachment,), is_edited)
    if is_marked and not is_edited and not _SENT.match(bare):
        return Content("system", bare)
    return Content("message", bare, (), is_edited)


def _attachment(line: str) -> Attachment | None:
    if line.endswith((")", ">")):
        if line[1:-1].casefold() in _MEDIA and line.startswith("<"):
            return Attachment(line[1:-1], None, None)
        for pattern in (_IN_BRACKETS, _FILE_WITH_WORD, _OWN_NAME):
            if match := pattern.fullmatch(line):
                return Attachment(match[1].strip(MARKS + " "), None, None)
    elif line and len(line) < 40 and _OMITTED.fullmatch(line):
        return Attachment(line, None, None)
    return None
