"""Keys are stored in events for ever: the same export gives the same ones in every version."""

from __future__ import annotations

from hashlib import sha256

import pytest

from infrastructure.readers.content_keys import ContentKeys

MORNING = ("room", "2024-01-15T10:30:00", "Ann", "hello")


@pytest.mark.parametrize(
    ("parts", "key"),
    [
        (MORNING, "de4ce95e74acfcfffae0e1377049d9cf"),
        (
            ("room", "2024-01-15T10:30", "Jörg", "schön 🎉\nzweite Zeile"),
            "c782f7f8f3a4aa88f7853a2f378f2ae7",
        ),
        (("room",), "1f1c5b2fad778434024f153798634692"),
        (("", "", "", ""), "709e80c88487a2411e1ee4dfb9f22a86"),
        (("a", "b"), "59b271ae1bbcb1d31d41929817f4b16f"),
        (("half \ud83d", "x"), "214c5f97149611cdc87738e6a69f7272"),
        (("x" * 5000,), "c59d3c0480cc2d71d8f646e735e92da6"),
    ],
)
def test_a_message_has_the_key_that_it_has_always_had(parts: tuple[str, ...], key: str) -> None:
    assert ContentKeys().key(*parts) == key


def test_equal_messages_have_keys_of_their_own_which_never_change() -> None:
    keys = ContentKeys()
    assert [keys.key(*MORNING) for _ in range(3)] == [
        "de4ce95e74acfcfffae0e1377049d9cf",
        "2982a1d7c0bd9f976ee8559cfdde1287",
        "2cd9f30b3e5c26e516afd4efbd1b9770",
    ]
    # Half a character is written as a question mark: such a message is equal to one that has it.
    assert keys.key("half \ud83d", "x") == "214c5f97149611cdc87738e6a69f7272"
    assert keys.key("half ?", "x") == "70f623f6d87ff0459fbba99175d91a66"


def test_an_ordinal_is_forgotten_after_as_many_distinct_messages_as_ever() -> None:
    """Which of equal messages share a key, far apart in a long export, is as stored, too."""
    keys = ContentKeys(window=100)
    found = sha256()
    for number in range(5000):
        time = (number * number) % 317 if number % 7 else number
        found.update(keys.key("room", str(time), "Ann", "text").encode())
    expected = "bb212b96e7ebaf97d874f12feef00bd72a9628b9dc6ff75853c7f16680578b62"
    assert found.hexdigest() == expected
