"""What people are told of a failure: a sentence, what to do, and where the details are."""

from __future__ import annotations

import pytest
from psycopg.errors import AdminShutdown

from application.commands.read_upload import ReadingDiffersError
from application.ports.blobs import BlobDamagedError, BlobMissingError, NoRoomError
from infrastructure.explaining import explain


def raised(error: Exception) -> Exception:
    """With a traceback through our own source."""
    try:
        raise error from ValueError("Alice wrote that she is ill")  # noqa: TRY301
    except Exception as caught:  # noqa: BLE001 - whatever it is
        return caught


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (BlobDamagedError("blob 3afa: its header is cut off"), "send the same file again"),
        (BlobMissingError("no blob 3afa"), "send the same file again"),
        (NoRoomError("make room where /srv/ada is"), "the server's disk is full"),
        (ReadingDiffersError(read=1, inspected=2), "messages read: 1, found"),
        (AdminShutdown(), "the database was away"),
        (KeyError("Alice"), "something unexpected went wrong"),
    ],
)
def test_people_read_a_sentence_with_a_reference(error: Exception, said: str) -> None:
    text = explain(raised(error), "job 7")
    assert said in text
    assert "job 7" in text
    assert text.endswith(".")
    for technical in ("Error", ".py", "Alice", "/srv", "caused by"):
        assert technical not in text
