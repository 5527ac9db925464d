"""What is kept of an exception: enough to act on, nothing that somebody wrote."""

from __future__ import annotations

import pytest

from application.commands.read_upload import ReaderChangedError, ReadingDiffersError
from application.ports.blobs import BlobDamagedError, BlobMissingError, NoRoomError
from application.ports.embedder import EmbedderUnavailableError
from application.ports.vectors import VectorsLaggingError
from infrastructure.discretion import describe
from infrastructure.embedders.engine import EngineUnavailableError
from infrastructure.keys.keyring import SubjectErasedError, SubjectKeyMissingError
from infrastructure.keys.master import MasterKeyError
from infrastructure.log.appender import AppenderClosedError


@pytest.mark.parametrize(
    "kind",
    [
        AppenderClosedError,
        BlobDamagedError,
        BlobMissingError,
        EmbedderUnavailableError,
        EngineUnavailableError,
        MasterKeyError,
        NoRoomError,
        SubjectErasedError,
        SubjectKeyMissingError,
        VectorsLaggingError,
    ],
)
def test_our_own_words_are_shown(kind: type[Exception]) -> None:
    assert describe(kind("why it is so")).endswith(f".{kind.__name__}: why it is so")


def test_what_went_wrong_with_reading_is_shown() -> None:
    assert "messages read: 1, found" in describe(ReadingDiffersError(read=1, inspected=2))
    assert "this is version 2" in describe(ReaderChangedError("slack", 1, 2))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("make room where /srv/ada/data is", "make room where … is"),
        ("no master key at /srv/ada/key: restore it", "no master key at …: restore it"),
        ("it is not in '/srv/ada/model'", "it is not in '…'"),
        (r"it is not in D:\ada\model.", "it is not in …."),
        ("7 km/h and/or 1/2", "7 km/h and/or 1/2"),
    ],
)
def test_no_place_on_the_disk_is_shown(text: str, shown: str) -> None:
    """A home folder is called after a person."""
    assert describe(NoRoomError(text)).endswith(f"NoRoomError: {shown}")


@pytest.mark.parametrize("kind", [ValueError, KeyError, RuntimeError])
def test_the_words_of_others_are_not(kind: type[Exception]) -> None:
    assert describe(kind("Alice wrote that she is ill")) == kind.__name__


def test_a_class_may_say_that_it_is_not_to_be_quoted() -> None:
    class SecretError(BlobMissingError):
        is_quotable = False

    assert "Alice" not in describe(SecretError("Alice"))
