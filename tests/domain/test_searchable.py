"""Texts as full text compares them."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.searchable import folded_text, places, searchable

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Plain ASCII stays", "Plain ASCII stays"),
        ("Café NAÏVE", "cafe naive"),
        ("cafe\u0301", "cafe"),
        ("Straße Øre Łódź Ærø", "strasse ore lodz aero"),
        ("İstanbul ığdır", "istanbul igdir"),
        ("Ещё йод", "еще йод"),
        ("ΆΛΦΑΣ", "αλφασ"),
        ("مُحَمَّد أحمد", "محمد احمد"),
        ("ｆｕｌｌ　ｗｉｄｔｈ", "full width"),
        ("हिन्दी", "हिन्दी"),
        ("co\u00adop\u200b", "coop"),
    ],
)
def test_accents_and_case_make_no_difference(text: str, expected: str) -> None:
    assert searchable(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我的打印机", ["我的", "的打", "打印", "印机", "机"]),
        ("が猫", ["が猫", "猫"]),
        ("ﾃﾞｰﾀ", ["デー", "ータ", "タ"]),
        ("한국어", ["한국", "국어", "어"]),
        (unicodedata.normalize("NFD", "한국어"), ["한국", "국어", "어"]),
        ("我的iPhone坏了", ["我的", "的", "iphone", "坏了", "了"]),
        ("ขอบ", ["ขอ", "อบ", "บ"]),
    ],
)
def test_where_no_spaces_part_words_pairs_are_words(text: str, expected: list[str]) -> None:
    assert searchable(text).split() == expected


@given(TEXT)
def test_folding_again_changes_nothing(text: str) -> None:
    folded = folded_text(text)
    assert text.isascii() or folded_text(folded) == folded


@given(TEXT)
def test_composed_and_decomposed_letters_are_the_same(text: str) -> None:
    if not text.isascii():
        composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
        assert searchable(composed).lower() == searchable(decomposed).lower()


@given(TEXT)
def test_every_character_has_its_place(text: str) -> None:
    found, made = places(text), searchable(text)
    if found is None:
        return
    assert len(found) == len(made)
    for place, char in zip(found, made, strict=True):
        assert (char == " ") if place < 0 else (0 <= place < len(text))
    kept = [place for place in found if place >= 0]
    # Pairs overlap, so that a place comes twice, and the next pair begins one before.
    assert all(later >= earlier - 1 for earlier, later in pairwise(kept))
