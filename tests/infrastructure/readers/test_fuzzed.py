"""What the contract and the fuzzer have found, kept so that it does not come back."""

from __future__ import annotations

import json
import tracemalloc

import pytest

from application.ports.chat_reader import ReadFacts, ReadOptions
from domain.message import Message
from infrastructure.readers.discord.reader import DiscordReader
from infrastructure.readers.limits import MEBIBYTE
from infrastructure.readers.mbox.reader import MboxReader
from infrastructure.readers.promises import Promises
from infrastructure.readers.reading import GuardedReader
from infrastructure.readers.registry import Readers
from infrastructure.readers.testing.files import GrownFile
from tests.infrastructure.readers.discord_exports import below, text_said
from tests.infrastructure.readers.mbox_exports import ENVELOPE, mail
from tests.infrastructure.readers.support import MemoryFile, Read, json_file, read, text_file


def require_storable(found: Read) -> None:
    promises = Promises()
    for item in (*found.conversations, *found.messages, *found.warnings):
        promises.check(item)


def test_ids_of_mails_that_are_no_text_stay_different_and_can_be_stored() -> None:
    mails = [
        mail(Message_ID=f"<{id}@x>", References=f"<{id}r@x>", From="ann at ex\udcffmple.org (Ann)")
        for id in ("\udcff", "\udcfe", "a\0b")
    ]
    raw = "".join(f"{ENVELOPE}\n{one}\n" for one in mails).encode("utf-8", "surrogateescape")
    found = read(MemoryFile(raw, "x.mbox"), reader=GuardedReader(MboxReader()))
    require_storable(found)
    assert [m.key for m in found.messages] == ["<\\xff@x>", "<\\xfe@x>", "<ab@x>"]
    assert found.messages[0].reply_to == "<\\xffr@x>"
    assert {m.author and m.author.id for m in found.messages} == {"ann@exÿmple.org"}


def test_a_nul_in_an_encoded_word_reaches_no_name() -> None:
    for name in ("ann at example.org (=?ISO\0-8859-1?Q?r?= =?x\0)", "=?utf-8?Q?a\0=00b?= <a@x>"):
        raw = f"{ENVELOPE}\n{mail(From=name, Subject=name)}".encode()
        found = read(MemoryFile(raw, "x.mbox"), reader=GuardedReader(MboxReader()))
        require_storable(found)
        assert len(found.messages) == 1


def test_a_nul_in_the_heading_of_a_discord_text_reaches_no_title() -> None:
    top = f"{'=' * 62}\nGuild: Ro\0me\nChannel: Ta\0lk / gen\0eral\n{'=' * 62}\n\n"
    found = read(below(text_said(), top=top), reader=GuardedReader(DiscordReader()))
    require_storable(found)
    assert [(c.id, c.title) for c in found.conversations] == [("Rome / Talk / general", "general")]


def test_a_key_that_is_no_text_behind_telegrams_messages_is_no_crash() -> None:
    said = {"id": 1, "type": "message", "date": "2024-01-15T10:30:00", "from": "A", "text": "hi"}
    chat = json.dumps({"type": "private_group", "messages": [said]})
    for behind in ('{"id": 7}: 1', "[1]: 1", "null: 1", '"name": "Rome"'):
        found = read(MemoryFile(f"{chat[:-1]}, {behind}}}".encode(), "result.json"))
        assert [m.text for m in found.messages] == ["hi"]
    assert found.conversations[0].title == "Rome"


def test_an_edited_message_of_telegram_needs_no_local_time() -> None:
    said = {"id": 1, "type": "message", "date_unixtime": "1705314600", "text": "hi"}
    edited = {**said, "from": "A", "from_id": "user1", "edited": "2024-01-15T10:31:00"}
    chat = {"name": "Rome", "type": "private_group", "id": 7, "messages": [edited]}
    [message] = read(json_file(chat)).messages
    assert message.text == "hi"


def test_a_quotation_of_endless_short_lines_is_bounded_and_costs_no_other_row() -> None:
    """Each line that is remembered takes more memory than it has characters."""
    head = 'time,author,text\n2024-01-15 10:30,Ann,a\n2024-01-15 10:31,Bob,"b'
    lines = "\n" * 120_000
    endless = read(text_file(head + lines, "c.csv"))
    assert endless.texts == ["a"]
    assert "more than 50,000 lines" in endless.warnings[-1].reason
    assert endless.warnings[-1].is_fatal
    again = read(text_file(f"{head}\n2024-01-15 10:32,Cem,c{lines}", "c.csv"))
    assert again.texts[:1] + again.texts[-1:] == ["a", "c"]


SLOW = [pytest.param(name, marks=pytest.mark.long) for name in ("whatsapp", "line")]


@pytest.mark.parametrize("format", ["text", *SLOW, "csv"])
def test_a_message_of_millions_of_empty_lines_takes_little_memory(format: str) -> None:
    heads = {
        "text": "[2024-01-31 10:00] Ann: a\n[2024-01-31 10:01] Bob: b",
        "whatsapp": "31/12/23, 21:05 - Ann: a\n31/12/23, 21:06 - Bob: b",
        "line": '[LINE] Chat history with Ann\n\n2024.01.02 Tuesday\n10:00\tAnn\ta\n10:01\tBob\t"b',
        "csv": 'time,author,text\n2024-01-15 10:30,Ann,a\n2024-01-15 10:31,Bob,"b',
    }
    file = GrownFile(f"{heads[format]}\nc".encode(), b"\n", 3_000_000, b"d\n", "chat.txt")
    reader = Readers().by_format(format)
    tracemalloc.start()
    try:
        with Readers().open(file) as export:
            items = list(reader.read(export, ReadOptions(), ReadFacts()))
        assert tracemalloc.get_traced_memory()[1] < 40 * MEBIBYTE
    finally:
        tracemalloc.stop()
    assert next(item for item in items if isinstance(item, Message)).text == "a"
