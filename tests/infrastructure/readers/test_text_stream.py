"""Text is read in whichever Unicode encoding it lies, with or without a byte order mark."""

from __future__ import annotations

import io

import pytest

from infrastructure.readers.repairs import Repairs
from infrastructure.readers.text_stream import as_utf8, read_lines
from tests.infrastructure.readers.support import MemoryFile, read

TEXTS = {
    "Chinese": "2024/1/15 10:30 王芳：一二三四五，今天天气很好。我们一起去吃饭吧\n",
    "Japanese": "2024/01/15 10:30\t田中\tこんにちは。お元気ですか？\n",
    "Korean": "2024년 1월 15일 오전 10:30, 김철수 : 안녕하세요 반갑습니다\n",
    "JSON": '[{"sender":"王芳","text":"今天天气很好。我们一起去吃饭吧，然后再去看电影"},',
    "Arabic": "١٥\u200f/١\u200f/٢٠٢٤، ١٠:٣٠ - أحمد: مرحبا كيف حالك\n",
    "Russian": "Иван Иванович Иванов-Петровский: привет, как дела?\n",
    "emoji": "🎉🎉🎉 10:30 王: 好的好的好的👍\n",
    "English": "hello there, how are you?\n",
}
LEGACY = {"Chinese": "gb18030", "Japanese": "shift-jis", "Korean": "euc-kr", "English": "cp1252"}


def decoded(raw: bytes) -> str:
    stream = as_utf8(io.BytesIO(raw))
    return b"".join(iter(lambda: stream.read(1000), b"")).decode()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("language", TEXTS)
@pytest.mark.parametrize("times", [1, 3, 300])
def test_text_without_a_mark_is_read(language: str, encoding: str, times: int) -> None:
    text = TEXTS[language] * times
    assert decoded(text.encode(encoding)) == text


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("language", TEXTS)
def test_text_with_a_mark_is_read(language: str, encoding: str) -> None:
    assert decoded(TEXTS[language].encode(encoding)) == TEXTS[language]


@pytest.mark.parametrize("language", LEGACY)
@pytest.mark.parametrize("times", [1, 3, 300])
def test_other_encodings_are_not_taken_for_utf16_even_with_stray_nuls(
    language: str, times: int
) -> None:
    for encoding in ("utf-8", LEGACY[language]):
        raw = bytearray((TEXTS[language] * times).encode(encoding))
        raw[::97] = bytes(len(raw[::97]))
        with_nul = MemoryFile(bytes(raw))
        assert as_utf8(with_nul.open()).read(10) == bytes(raw[:10])


def test_lines_of_control_codes_stay_utf8() -> None:
    """Colours of IRC are control characters, and an old client may leave NULs."""
    raw = "[10:30] <王芳> \x0304,01今天\x03 \x02天气\x02 \0很好\x0f\n".encode() * 50
    lines = list(read_lines(MemoryFile(raw), Repairs()))
    assert lines == ["[10:30] <王芳> \x0304,01今天\x03 \x02天气\x02 很好\x0f"] * 50


def test_a_chat_saved_as_utf16_without_a_mark_is_imported() -> None:
    chat = "".join(f"[2024-01-15 10:3{n}] 王芳: 今天天气很好，我们一起去吃饭吧\n" for n in range(5))
    found = read(MemoryFile(chat.encode("utf-16-le"), "chat.txt"))
    assert found.texts == ["今天天气很好，我们一起去吃饭吧"] * 5
