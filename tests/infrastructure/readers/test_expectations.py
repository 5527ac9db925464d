"""Every sample gives all that was counted in it, and no expectation is left unchecked."""

from __future__ import annotations

import pytest

from tests.infrastructure.readers.chitchat_expectations import CHITCHAT
from tests.infrastructure.readers.expectations import (
    CheckedBy,
    Checker,
    Mistaken,
    Note,
    Record,
    differences,
)
from tests.infrastructure.readers.irc_expectations import IRC
from tests.infrastructure.readers.support import expectation
from tests.infrastructure.readers.upstream_expectations import UPSTREAM
from tests.support.data import DATA, data_path

EXPECTATIONS: dict[str, Checker] = {**CHITCHAT, **IRC, **UPSTREAM}
HERE = "infrastructure/readers/test_expectations.py"
OTHER = "a key that is in no test"


def test_every_expectation_is_checked() -> None:
    folders = [data_path(name) for name in ("chitchat", "irc", "fixtures")]
    paths = [path for folder in folders for path in folder.rglob("expect*.json")]
    assert {path.relative_to(DATA).as_posix() for path in paths} - EXPECTATIONS.keys() == set()


@pytest.mark.parametrize("name", EXPECTATIONS)
def test_all_that_is_expected_of_a_sample_is_found_in_it(name: str) -> None:
    path = data_path(*name.split("/"))
    expected = expectation(path)
    found = EXPECTATIONS[name](path.parent, expected)
    told = [list(differences(expected, each, name)) for each in found]
    assert told
    assert [line for lines in told for line in lines] == []


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (Record(messages=3, channels=[Record(id="a"), Record(id="b")], more=1), []),
        (Record(messages=3, channels=[{"id": "a"}, {"id": "b"}]), []),
        (Record(messages=Note("x"), channels=Note("y")), []),
        (Record(channels=Note("x")), ["x.messages: nobody checks it"]),
        (Record(messages=4, channels=Note("x")), ["x.messages: 3 expected, 4 found"]),
        (
            Record(messages=frozenset({1, 2}), channels=Note("x")),
            ["x.messages: 3 expected, one of [1, 2] found"],
        ),
        (
            Record(messages=3, channels=[Record(), Record(id="c")]),
            ["x.channels[0].id: nobody checks it", "x.channels[1].id: 'b' expected, 'c' found"],
        ),
        (
            Record(messages=3, channels=[Record(id="a")]),
            ["x.channels: 2 expected, 1 found"],
        ),
        (Record(messages=Mistaken(4, 3, 4, "miscounted"), channels=Note("x")), []),
        (
            Record(messages=Mistaken(4, 2, 4, "miscounted"), channels=Note("x")),
            ["x.messages: no longer says 2"],
        ),
        (
            Record(messages=Mistaken(3, 3, 4, "miscounted"), channels=Note("x")),
            ["x.messages: 4 expected, 3 found"],
        ),
    ],
)
def test_what_differs_and_what_nobody_checks_is_told_of(found: Record, told: list[str]) -> None:
    expected = {"messages": 3, "note": "counted", "channels": [{"id": "a"}, {"id": "b"}]}
    assert list(differences(expected, found, "x")) == told


def test_a_test_that_checks_a_key_exists_and_has_the_key_in_it() -> None:
    here = f"{HERE}::test_a_test_that_checks_a_key_exists_and_has_the_key_in_it"
    assert _told("speakers", CheckedBy(here)) == []
    assert _told(OTHER, CheckedBy(here, by_name=False)) == []
    for wrong in (f"{HERE}::test_nothing", f"nowhere.py::{here}"):
        for by_name in (True, False):
            assert _told("speakers", CheckedBy(wrong, by_name)) == [
                f"x.speakers: {wrong} does not check it"
            ]
    assert _told(OTHER, CheckedBy(here)) == [f"x.{OTHER}: {here} does not check it"]


def _told(key: str, found: object) -> list[str]:
    return list(differences(3, found, f"x.{key}"))
