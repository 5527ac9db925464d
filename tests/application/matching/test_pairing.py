"""Which message is which: at most one is one, and nothing is taken for what it is not."""

from __future__ import annotations

import zlib
from uuid import UUID

import pytest

from application.matching.deciding import Pair, decide
from application.matching.evidence import Anchor, Evidence
from application.matching.match import Match, Shift
from application.matching.pairing import Said, form_of, pair
from application.uploads import UploadOptionsError, check_options
from domain.clock import MINUTE, SECOND

ADA, BOB = UUID(int=1), UUID(int=2)
NOON = 1_700_000_040 * SECOND  # a full minute


def said(seconds: int, text: str, *, unit: int = SECOND, kind: str = "message") -> Said:
    author = None if kind == "system" else ADA
    moments = (NOON + seconds * SECOND // unit * unit,)
    return Said(f"{seconds}{text}{unit}", moments, unit, author, True, kind, form_of(kind, text))


def places(one: list[Said], other: list[Said], slack: int = 0) -> list[tuple[int, int]]:
    return sorted((found.place, found.known) for found in pair(one, other, slack=slack))


def test_equal_answers_are_paired_in_order_and_the_one_too_many_stays() -> None:
    export = [said(5, "ok"), said(20, "ok"), said(50, "ok")]
    archive = [said(0, "ok", unit=MINUTE), said(0, "ok", unit=MINUTE)]

    assert places(export, archive) == [(0, 0), (1, 1)]


def test_another_minute_is_another_message() -> None:
    assert places([said(61, "ok")], [said(0, "ok", unit=MINUTE)]) == []


def test_one_text_for_another_in_the_same_second_is_an_edit() -> None:
    assert places([said(5, "At seven")], [said(5, "At eight, please")]) == [(0, 0)]


@pytest.mark.parametrize(
    ("new", "expected"), [("Dinner is at eight", [(0, 0)]), ("Look, a boat!", [])]
)
def test_within_a_minute_only_what_is_alike_is_an_edit(
    new: str, expected: list[tuple[int, int]]
) -> None:
    archive = [said(0, "Dinner is at seven", unit=MINUTE)]

    assert places([said(0, new, unit=MINUTE)], archive) == expected


def test_a_deleted_message_is_the_one_that_stood_there() -> None:
    export = [said(0, "This message was deleted", unit=MINUTE, kind="deleted")]

    assert places(export, [said(0, "Oops", unit=MINUTE)]) == [(0, 0)]


def test_notices_in_two_languages_are_paired_if_they_are_as_many() -> None:
    english = [said(0, "Ada created group", kind="system"), said(0, "Ada added you", kind="system")]
    german = [
        said(0, "Ada hat die Gruppe erstellt", kind="system"),
        said(0, "Ada hat dich hinzugefügt", kind="system"),
    ]

    assert places(english, german) == [(0, 0), (1, 1)]
    assert places(english, german[:1]) == []


def test_somebody_else_who_said_the_same_is_somebody_else() -> None:
    assert places([said(5, "ok")], [said(5, "ok")._replace(author=BOB, key="k")]) == []


def test_between_two_shifts_both_are_tried() -> None:
    shifts = (Shift(0, 0, 60), Shift(1_000 * MINUTE, 2_000 * MINUTE, 120))
    match = Match(own=ADA, into=BOB, authors={}, shifts=shifts, rule="")

    assert match.moments(500 * MINUTE) == (560 * MINUTE,)
    assert match.moments(1_500 * MINUTE) == (1_560 * MINUTE, 1_620 * MINUTE)
    assert match.moments(2_500 * MINUTE) == (2_620 * MINUTE,)
    assert Match.from_fact(match.to_fact()) == match


def anchors(count: int, *, texts: int = 1_000, ahead: int = 60) -> list[Anchor]:
    return [
        Anchor(
            at=NOON + n * 7 * MINUTE,
            known_at=NOON + (n * 7 + ahead) * MINUTE,
            unit=SECOND,
            known_unit=SECOND,
            author=UUID(int=10 + n % 2),
            known_author=UUID(int=20 + n % 2),
            text=n % texts,
            is_same_key=False,
        )
        for n in range(count)
    ]


def decided(found: list[Anchor], *, asked: int = 0, known: int = 0) -> bool:
    two = Pair(own=ADA, known=BOB, is_same_title=False, are_ids_decisive=False)
    return decide(two, found, asked=lambda *_: asked, known=lambda *_: known) is not None


def test_evidence_has_to_be_enough() -> None:
    assert decided(anchors(5))
    assert not decided(anchors(4))
    assert not decided(anchors(50, texts=4))
    assert not decided(anchors(50, ahead=67))
    assert not decided([anchor._replace(at=NOON, known_at=NOON) for anchor in anchors(50)])


def test_what_is_common_has_to_be_a_fair_share() -> None:
    assert decided(anchors(50), asked=100, known=1_000)
    assert not decided(anchors(50), asked=101)
    assert not decided(anchors(50), known=1_001)


def test_evidence_stays_in_bounds_and_its_shares_right() -> None:
    evidence = Evidence(max_anchors=1_000, max_probes=100_000)
    for number, anchor in enumerate(anchors(20_000, texts=20_000)):
        text = zlib.crc32(str(number).encode())
        evidence.ask(ADA, anchor.at, text)
        if number % 2:
            evidence.add(ADA, BOB, anchor._replace(text=text))
    [kept] = evidence.candidates(ADA).values()
    asked = evidence.asked(ADA, 0, NOON * 2)

    assert len(kept) <= 1_000
    assert asked < 4_000
    assert len(kept) * 2 == pytest.approx(asked, rel=0.2)


def test_a_person_can_say_what_may_be_merged() -> None:
    assert check_options({"merge": "never"}, None) == {"merge": "never"}
    with pytest.raises(UploadOptionsError, match="merge is one of auto, ids, never, not 'maybe'"):
        check_options({"merge": "maybe"}, None)
