"""Bytes of mails become text, whatever charset they claim to have."""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections.abc import Callable

from infrastructure.readers import repairs as kinds

Note = Callable[[str], None]  # of a repair, by its kind

# What mails call Latin-1 or ASCII is often something else.
_LATIN = frozenset({"iso-8859-1", "iso8859-1", "latin1", "latin-1", "l1", "windows-1252", "cp1252"})
_ASCII = frozenset({"", "us-ascii", "ascii", "ansi_x3.4-1968", "unknown-8bit", "x-unknown"})
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "ks_c_5601-1987": "cp949", "euc-kr": "cp949"}
_WORD = re.compile(r"=\?([^?\s]{1,40})\?([BbQq])\?([^?\n]*)\?=")
_CONTROLS = re.compile(r"[\x00\ud800-\udfff]")
# Codecs that make bytes of bytes, run for ever or execute what they read are none of a mail's.
_CHARSET = re.compile(r"[a-z0-9][a-z0-9_.:-]{0,40}")
_NO_CHARSETS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"})


def decoded(data: bytes, charset: str, note: Note) -> str:
    """
    The text in its charset; if it is in another, as UTF-8 or else Windows-1252.

    NUL and half characters are gone from it.
    """
    name = charset.strip().strip("\"'").lower().partition("*")[0]
    text = _decoded(data, name, note)
    if _CONTROLS.search(text):
        note(kinds.NUL if "\0" in text else kinds.SURROGATE)
        text = _CONTROLS.sub(lambda match: "" if match[0] == "\0" else "\ufffd", text)
    return text


def _decoded(data: bytes, name: str, note: Note) -> str:
    if name in _LATIN or name in _ASCII:
        if data.isascii():
            return data.decode("ascii")
        try:
            return data.decode()  # by chance Latin-1 is hardly ever right UTF-8
        except UnicodeDecodeError:
            if name in _ASCII:
                note(kinds.CP1252)
            return data.decode("cp1252", "replace")
    codec = _WIDER.get(name, name)
    if _CHARSET.fullmatch(codec) and codec.replace("-", "_") not in _NO_CHARSETS:
        try:
            return data.decode(codec)
        except (LookupError, ValueError):
            pass  # it lies: what it is instead is found out below
    try:
        return data.decode()
    except UnicodeDecodeError:
        note(kinds.CP1252)
        return data.decode("cp1252", "replace")


def header_text(raw: str, note: Note) -> str:
    """
    A header's value as people read it: unfolded, encoded words decoded (RFC 2047), bytes that are
    no ASCII taken for UTF-8 or Windows-1252.

    Args:
        raw: as the email package has it, with bytes as half characters (surrogateescape).
    """
    line = " ".join(raw.replace("\0", "").split())
    if not line.isascii():
        line = decoded(line.encode("utf-8", "surrogateescape"), "", note)
    if "=?" not in line:
        return line
    parts: list[str] = []
    held: tuple[str, bytes] | None = None  # words of one charset: a character may be in two
    at = 0
    for match in _WORD.finditer(line):
        between = line[at : match.start()]
        word = (match[1].lower(), _word_bytes(match[2], match[3]))
        if held is not None and not between.strip() and held[0] == word[0]:
            held = (held[0], held[1] + word[1])
        else:
            if held is not None:
                parts.append(decoded(held[1], held[0], note))
                between = between if between.strip() else ""
            parts.append(between)
            held = word
        at = match.end()
    if held is not None:
        parts.append(decoded(held[1], held[0], note))
    parts.append(line[at:])
    return " ".join("".join(parts).split())


def _word_bytes(encoding: str, content: str) -> bytes:
    raw = content.encode("utf-8", "replace")
    if encoding in "Qq":
        return quopri.decodestring(raw.replace(b"_", b" "))
    raw = raw.rstrip(b"=")
    try:
        return base64.b64decode(raw + b"=" * (-len(raw) % 4))
    except binascii.Error:
        return raw
