"""The bundled samples yield exactly what was counted in them by other means."""

from __future__ import annotations

import pytest

from tests.infrastructure.readers.support import expectation, local_stamp, read, utc_stamp
from tests.support.data import SAMPLES


@pytest.mark.parametrize("name", ["slack-export.zip", "telegram-result.json", "whatsapp-chat.zip"])
def test_the_bundled_samples_hold_what_their_expectation_says(name: str) -> None:
    expected = expectation(SAMPLES / "expect.json")[name]
    found = read(SAMPLES / name)
    stamp = local_stamp if expected["format"] == "whatsapp" else utc_stamp

    assert found.format == expected["format"]
    assert len(found.spoken) == expected["messages"]
    assert len(found.messages) - len(found.spoken) == expected["system"]
    assert len({m.author.id for m in found.spoken if m.author}) == expected["authors"]
    assert found.per_title() == expected["conversations"]
    assert min(map(stamp, found.spoken)) == expected["first"]
    assert max(map(stamp, found.spoken)) == expected["last"]
    assert found.digest(stamp) == expected["digest_sha256"]
    assert found.warnings == []
