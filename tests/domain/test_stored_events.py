"""Every event that was ever stored is readable by today's code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from eventsourcing.persistence import StoredEvent

from domain.aggregate import Personal
from domain.topics import AGGREGATES, EVENTS
from tests.support.event_samples import EXAMPLES, FOLDER, SampleKeys, mapper, path_of, readable

SAMPLES = sorted(FOLDER.glob("*.json"))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_stored_sample_opens_to_what_went_in(path: Path) -> None:
    """Upcast to today's version, it has the fields of today's version."""
    kept = json.loads(path.read_text("utf-8"))
    event, origin = mapper(SampleKeys(kept["keys"])).open([stored(kept)])[0]
    fields = {name: readable(value) for name, value in vars(event).items()}

    assert origin == {"channel": "cli"}
    assert kept["opened"].items() <= fields.items()
    assert set(EXAMPLES[kept["topic"]]) <= set(fields)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_stored_sample_opens_after_all_its_keys_are_destroyed(path: Path) -> None:
    """What is left is the frame, and no error."""
    kept = json.loads(path.read_text("utf-8"))
    event, origin = mapper(SampleKeys()).open([stored(kept)])[0]
    cls: Any = type(event)

    assert origin is None
    assert {"[erased]"} >= {getattr(event, field) for field in cls.personal}
    assert all(not getattr(event, field) for field in cls.personal_by_subject)


def test_every_topic_has_a_sample_of_its_version() -> None:
    missing = [
        topic for topic, cls in EVENTS.items() if not path_of(topic, cls.class_version).exists()
    ]

    assert not missing, "run `python -m tests.support.event_samples`"


def test_every_event_of_every_aggregate_is_listed() -> None:
    """An event that is not in the registry could be stored by nobody, and read by nobody."""
    declared = {
        inner.TOPIC
        for aggregate in AGGREGATES
        for name in dir(aggregate)
        if isinstance(inner := getattr(aggregate, name), type)
        and issubclass(inner, Personal)
        and getattr(inner, "TOPIC", None)
    }

    assert declared == set(EVENTS)


def stored(kept: dict[str, Any]) -> StoredEvent:
    return StoredEvent(
        originator_id=UUID(kept["originator_id"]),
        originator_version=kept["originator_version"],
        topic=kept["topic"],
        state=kept["state"].encode(),
    )
