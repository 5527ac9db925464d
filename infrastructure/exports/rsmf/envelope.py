"""An RSMF file's outer form: an e-mail message (RFC 5322) with a text and rsmf.zip."""

from __future__ import annotations

import binascii
import io
import zipfile
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import sha256

_ZIP_DATE = (1980, 1, 1, 0, 0, 0)  # the same bytes for the same content
_ZIP_LEVEL = 6
_LINE = 57  # bytes in a line of base64
_LINES_A_PIECE = 1024
_WORD = 42  # bytes of an encoded word, so that its line has at most 76 characters
_VALUE_LIMIT = 2000  # characters of one header


def archive(members: Iterable[tuple[str, bytes]]) -> bytes:
    """A flat zip of these files, in their order."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in members:
            info = zipfile.ZipInfo(name, _ZIP_DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            info.external_attr = 0o100644 << 16
            packed.writestr(info, data, compresslevel=_ZIP_LEVEL)
    return target.getvalue()


def envelope(
    *, subject: str, date: datetime, headers: Mapping[str, str], body: str, packed: bytes
) -> Iterator[bytes]:
    """
    The bytes of the message, in pieces.

    Args:
        packed: rsmf.zip.
    """
    text = body.replace("\n", "\r\n").encode("utf-8", "replace")
    facts = "".join(f"{name}\0{value}\0" for name, value in headers.items())
    digest = sha256(sha256(packed).digest() + sha256(text).digest())
    digest.update(f"{subject}\0{facts}".encode("utf-8", "replace"))
    known = digest.hexdigest()[:32]
    # Base64 has no hyphen: nothing inside can look like it.
    boundary = f"--=_rsmf_{known}"
    lines = [
        "From: Chatledger <export@chatledger.invalid>",
        *_header("Subject", subject),
        f"Date: {format_datetime(date.astimezone(UTC))}",
        f"Message-ID: <{known}@chatledger.invalid>",
        "MIME-Version: 1.0",
        *(line for name, value in headers.items() for line in _header(name, value)),
        "Content-Type: multipart/mixed;",
        f' boundary="{boundary}"',
        "",
        f"--{boundary}",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: base64",
    ]
    yield _joined(lines)
    yield from _base64(text)
    lines = [
        f"--{boundary}",
        'Content-Type: application/zip; name="rsmf.zip"',
        "Content-Transfer-Encoding: base64",
        'Content-Disposition: attachment; filename="rsmf.zip"',
    ]
    yield _joined(lines)
    yield from _base64(packed)
    yield f"--{boundary}--\r\n".encode()


def _joined(lines: Iterable[str]) -> bytes:
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def _base64(data: bytes) -> Iterator[bytes]:
    step = _LINE * _LINES_A_PIECE
    for start in range(0, len(data), step):
        piece = data[start : start + step]
        yield b"".join(
            binascii.b2a_base64(piece[at : at + _LINE], newline=False) + b"\r\n"
            for at in range(0, len(piece), _LINE)
        )


def _header(name: str, value: str) -> list[str]:
    """One header; what is not plain ASCII as encoded words (RFC 2047)."""
    plain = " ".join(value.split())[:_VALUE_LIMIT]
    if plain.isascii() and plain.isprintable() and "=?" not in plain and len(plain) < 900:
        return [f"{name}: {plain}"]
    words: list[str] = []
    held = b""
    for character in plain:
        raw = character.encode("utf-8", "replace")
        if len(held) + len(raw) > _WORD:
            words.append(f"=?utf-8?B?{b64encode(held).decode()}?=")
            held = b""
        held += raw
    words.append(f"=?utf-8?B?{b64encode(held).decode()}?=")
    return [f"{name}:", *(f" {word}" for word in words)]
