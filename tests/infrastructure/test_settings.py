"""What the environment may say, and what is refused with a sentence."""

from __future__ import annotations

import pytest

from infrastructure.settings import SettingError, Settings


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("", "http://127.0.0.1:8000"),
        ("localhost", "http://localhost:8000"),
        ("127.3.2.1", "http://127.3.2.1:8000"),
        ("::1", "http://[::1]:8000"),
    ],
)
def test_it_serves_this_machine(host: str, address: str) -> None:
    assert Settings.from_env({"CHATLEDGER_HOST": host}).address == address


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", "127.0.0.1:80"])
def test_it_serves_nobody_else(host: str) -> None:
    """There are no accounts yet."""
    with pytest.raises(SettingError, match="CHATLEDGER_HOST must be an address that only this"):
        Settings.from_env({"CHATLEDGER_HOST": host})


@pytest.mark.parametrize(
    ("name", "value"), [("CHATLEDGER_PORT", "http"), ("CHATLEDGER_MAX_UPLOAD_MIB", "0")]
)
def test_a_number_that_is_none_is_refused_by_its_name(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=name):
        Settings.from_env({name: value})
