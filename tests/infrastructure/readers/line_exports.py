"""Chats of LINE made by hand."""

from __future__ import annotations

from application.ports.chat_reader import (
    ExportFile,
    ReadOptions,
    Recognition,
)
from infrastructure.readers.line.reader import LineReader
from infrastructure.readers.reading import GuardedReader
from infrastructure.readers.registry import Readers
from tests.infrastructure.readers.support import (
    Read,
    read,
    text_file,
)

GROUP = """[LINE] Chat history in Rome
Saved on: 2024/01/03 09:00

2024.01.02 Tuesday
21:05\tAnn\thi
21:06\tBob\thello
21:07\t\tBob invited Cem to the group.

2024.01.03 Wednesday
08:00\tAnn\tgood morning
"""
JAPANESE = """[LINE] 友人とのトーク履歴
保存日時：2026/10/01 12:00

2026/09/01(火)
08:00\t私\t資料です
2026/10/01(木)
午前0:15\t友人\tはい
午後12:30\t友人\t[スタンプ]
"""


def line(source: str | ExportFile, options: ReadOptions | None = None) -> Read:
    file = text_file(source) if isinstance(source, str) else source
    return read(file, options, reader=GuardedReader(LineReader()))


def claim(file: ExportFile) -> Recognition | None:
    with Readers().open(file) as export:
        return LineReader().recognise(export)


def day(*lines: str, head: str = "[LINE] Chat history with Ann") -> str:
    return "\n".join([head, "Saved on: 2024/02/01 10:00", "", "2024.01.02 Tuesday", *lines, ""])


def dated(*dates: str, saved: str = "") -> str:
    days = "".join(f"{date}\n10:00\tAnn\thi\n\n" for date in dates)
    return f"[LINE] Chat history with Ann\nSaved on: {saved}\n\n{days}"
