"""Every reader that Chatledger brings keeps the contract that is asked of other people's."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

import pytest

from infrastructure.readers.registry import Readers, default_readers
from infrastructure.readers.tabular.csv_reader import CsvReader
from infrastructure.readers.tabular.jsonl_reader import JsonLinesReader
from infrastructure.readers.telegram.reader import TelegramReader
from infrastructure.readers.testing.contract import ReaderContract
from infrastructure.readers.testing.heavy import HeavyReaderContract
from infrastructure.readers.testing.round_trip import RoundTripContract, Said
from tests.infrastructure.readers.contract_samples import SAMPLES_OF

# Of a cut-off file they have not the first messages, or not the id of the conversation.
NAMED_BEHIND = {"messenger", "instagram", "skype", "chatgpt"}
# The standard library's parser holds a field at four bytes a character, and twice while it grows.
READERS = {reader.format: reader for reader in default_readers()}


def give(instance: ReaderContract, format: str) -> None:
    instance.reader = READERS[format]
    instance.samples = SAMPLES_OF[format]
    instance.is_oldest_first = format not in NAMED_BEHIND


@pytest.mark.parametrize("format", sorted(READERS))
class TestEveryReader(ReaderContract):
    @pytest.fixture(autouse=True)
    def _reader(self, format: str) -> None:
        give(self, format)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("format", sorted(READERS))
class TestEveryReaderThoroughly(HeavyReaderContract):
    @pytest.fixture(autouse=True)
    def _reader(self, format: str) -> None:
        give(self, format)


class TestCsv(RoundTripContract):
    reader = CsvReader()

    def write(self, said: Sequence[Said]) -> bytes:
        target = io.StringIO()
        writer = csv.writer(target)
        writer.writerow(["time", "author", "text"])
        writer.writerows([one.at.isoformat(), one.author, one.text] for one in said)
        return target.getvalue().encode()


class TestJsonLines(RoundTripContract):
    reader = JsonLinesReader()

    def write(self, said: Sequence[Said]) -> bytes:
        rows = [
            {"timestamp": one.at.isoformat(), "author": one.author, "text": one.text}
            for one in said
        ]
        return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


class TestTelegram(RoundTripContract):
    reader = TelegramReader()

    def write(self, said: Sequence[Said]) -> bytes:
        messages = [
            {
                "id": number,
                "type": "message",
                "date_unixtime": f"{one.at.timestamp():.0f}",
                "from": one.author,
                "from_id": f"user{one.author}",
                "text": one.text,
            }
            for number, one in enumerate(said, start=1)
        ]
        chat = {"name": "Rome", "type": "private_group", "id": 7, "messages": messages}
        return json.dumps(chat).encode()


def test_no_reader_is_left_out() -> None:
    assert set(Readers().formats) == set(SAMPLES_OF) == set(READERS)
