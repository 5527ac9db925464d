"""Bytes of unknown encoding become UTF-8 and lines, a chunk at a time."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from typing import BinaryIO, Protocol

from application.ports.chat_reader import ExportFile
from infrastructure.readers import repairs as kinds
from infrastructure.readers.limits import CHUNK, MESSAGE_LIMIT
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.utf16 import GUESSED_FROM, utf16_without_bom

_BOMS = (  # the longer first: UTF-32-LE begins like UTF-16-LE
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class ByteStream(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Transcoded:
    """A stream in another Unicode encoding, read as UTF-8."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
        self._ended = False

    def read(self, size: int, /) -> bytes:
        """About `size` bytes; empty at the end."""
        while not self._ended:
            data = self._stream.read(size)
            self._ended = not data
            text = self._decoder.decode(data, final=self._ended)
            if text:
                return text.encode("utf-8", "replace")
        return b""


def as_utf8(stream: BinaryIO) -> ByteStream:
    """The stream without its byte order mark, transcoded where it is UTF-16 or UTF-32."""
    head = stream.read(GUESSED_FROM)
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            stream.seek(len(bom))
            return stream if encoding == "utf-8" else Transcoded(stream, encoding)
    stream.seek(0)
    guess = utf16_without_bom(head)
    return stream if guess is None else Transcoded(stream, guess)


def sniff(file: ExportFile, size: int) -> bytes:
    """The first `size` bytes or fewer, as UTF-8."""
    with file.open() as stream:
        source = as_utf8(stream)
        parts: list[bytes] = []
        left = size
        while left > 0 and (data := source.read(left)):
            parts.append(data)
            left -= len(data)
    return b"".join(parts)[:size]


def sniff_text(file: ExportFile, size: int) -> str:
    """
    The first `size` bytes or fewer as text, without NUL, which read_lines leaves out too; what
    cannot be decoded is replaced.
    """
    return sniff(file, size).decode("utf-8", "replace").replace("\0", "")


def read_lines(file: ExportFile, repairs: Repairs, *, limit: int = MESSAGE_LIMIT) -> Iterator[str]:
    """
    Yield the lines without their ends. Only LF and CRLF end a line: chat text holds every other
    separator. A line longer than `limit` bytes is cut off there.
    """
    with file.open() as stream:
        yield from decode_lines(as_utf8(stream), repairs, limit=limit)


def decode_lines(source: ByteStream, repairs: Repairs, *, limit: int) -> Iterator[str]:
    """As read_lines, from a stream that is UTF-8 or something near it."""
    number = 1
    for block in _blocks(source, repairs, limit=limit):
        try:
            text = block.decode()
        except UnicodeDecodeError:
            text = _decode_each(block, number, repairs)
        lines = text.split("\n")
        if "\r" in text:
            lines = [line.removesuffix("\r") for line in lines]
        if "\0" in text:
            lines = _without_nul(lines, number, repairs)
        del block, text  # as large as the largest message: not to be held twice
        number += len(lines)
        yield from lines


def _blocks(source: ByteStream, repairs: Repairs, *, limit: int) -> Iterator[bytes]:
    """Yield whole lines, many at a time, joined by LF and without the last LF."""
    held = io.BytesIO()  # the beginning of a line whose end has not come yet
    is_cut = False
    ended_lines = 0
    while data := source.read(CHUNK):
        start = 0
        if held.tell() or is_cut:
            end = data.find(b"\n")
            head = data if end < 0 else data[:end]
            if not is_cut:
                room = limit - held.tell()
                held.write(head[:room])
                if len(head) > room:
                    is_cut = True
                    repairs.note(kinds.TOO_LONG, ended_lines + 1)
            if end < 0:
                continue
            yield held.getvalue()
            ended_lines += 1
            held, is_cut, start = io.BytesIO(), False, end + 1
        last = data.rfind(b"\n", start)
        if last >= 0:
            block = data[start:last]
            yield block
            ended_lines += block.count(b"\n") + 1
            start = last + 1
        held.write(data[start : start + limit])
        if len(data) - start > limit:
            is_cut = True
            repairs.note(kinds.TOO_LONG, ended_lines + 1)
    if held.tell():
        yield held.getvalue()


def _decode_each(block: bytes, number: int, repairs: Repairs) -> str:
    lines: list[str] = []
    for index, raw in enumerate(block.split(b"\n")):
        try:
            lines.append(raw.decode())
        except UnicodeDecodeError:
            repairs.note(kinds.CP1252, number + index)
            lines.append(raw.decode("cp1252", "replace"))
    return "\n".join(lines)


def _without_nul(lines: list[str], number: int, repairs: Repairs) -> list[str]:
    for index, line in enumerate(lines):
        if "\0" in line:
            repairs.note(kinds.NUL, number + index)
            lines[index] = line.replace("\0", "")
    return lines
