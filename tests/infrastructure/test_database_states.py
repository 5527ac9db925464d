"""What was once known of the database does not stand for what nobody can know any more."""

from __future__ import annotations

import logging

import pytest

from infrastructure.monitoring import database
from infrastructure.monitoring.database import DatabaseStates
from infrastructure.projections import registry
from tests.support.archive import Ledger


def test_a_look_that_fails_in_an_unexpected_way_leaves_nothing_known(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(database, "FRESH_SECONDS", 0.0)
    states = DatabaseStates(ledger.url)
    assert states.state() is not None

    def fail(connection: object) -> None:
        raise ValueError("of somebody")

    with monkeypatch.context() as broken, caplog.at_level(logging.WARNING):
        broken.setattr(registry, "status", fail)
        assert states.state() is None
    assert "ValueError" in caplog.text
    assert "of somebody" not in caplog.text
    assert states.state() is not None
    states.close()
