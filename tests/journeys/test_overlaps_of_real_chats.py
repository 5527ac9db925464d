"""Real chats: told again by another phone they are merged; others with the same names are not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from application.ports.chat_reader import ReadOptions
from infrastructure.container import Container
from tests.infrastructure.readers.support import read
from tests.support.archive import copy_template
from tests.support.archive_fixture import open_test_container
from tests.support.data import data_path
from tests.support.overlapping import Shelf
from tests.support.postgres import drop_database
from tests.support.renderings import Line, weechat, whatsapp_ios


@pytest.fixture(scope="module")
def container(
    postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Container]:
    url = copy_template(postgres_server, migrated_template)
    with open_test_container(url, tmp_path_factory.mktemp("data")) as opened:
        opened.start_background()
        yield opened
    drop_database(url)


@pytest.fixture
def shelf(container: Container) -> Shelf:
    return Shelf.of(container)


def test_five_whatsapp_chats_and_one_of_them_from_an_iphone(shelf: Shelf) -> None:
    """First minutes in Denver; then seconds in Berlin, less of the beginning, more at the end."""
    path = data_path("chitchat", "whatsapp", "android-en-us-12h.zip")
    told = read(path, ReadOptions(timezone="America/Denver"))
    title = told.conversations[0].id
    chat = [message for message in told.spoken if message.conversation == title]
    lines = [
        Line(m.author.name, m.sent_at + timedelta(seconds=n % 60), m.text or None)
        for n, m in enumerate(chat)
        if m.author is not None
    ]
    last = lines[-1].at
    lines += [
        Line(lines[n].author, last + timedelta(hours=n), f"One more thing, number {n}")
        for n in range(1, 6)
    ]
    shelf.add(path.name, path.read_bytes(), date_order="mdy")
    before = len(shelf.said())
    iphone = whatsapp_ios(lines[300:], zone="Europe/Berlin", title="Love")
    second = shelf.add("Love.zip", iphone, date_order="mdy")

    outcome = shelf.outcome(second)
    assert shelf.conversations == 5
    assert len(shelf.said()) == before + 5
    assert (outcome.edited, outcome.vanished) == (0, 0)
    assert outcome.known == len(lines) - 305


def test_chats_about_the_same_questions_that_are_not_the_same_stay_apart(shelf: Shelf) -> None:
    """Other people answered the same questions, in chats of the same names."""
    names = ("android-en-us-12h.zip", "ios-en-gb.zip", "android-nl-dash.zip")
    rules = []
    for name in names:
        path = data_path("chitchat", "whatsapp", name)
        upload = shelf.add(name, path.read_bytes())
        rules += shelf.rules(upload)
        outcome = shelf.outcome(upload)
        assert outcome.edited == outcome.vanished == 0

    assert rules == []


def test_a_channel_logged_by_two_clients_is_one(shelf: Shelf) -> None:
    path = data_path("irc", "znc", "freenode", "#stripe-0", "2019-09-05.log")
    told = read(path)
    lines = [
        Line(m.author.id, m.sent_at, m.text)
        for m in told.messages
        if m.kind == "message" and m.author is not None
    ]
    shelf.add("#stripe_2019-09-05.log", path.read_bytes())
    second = shelf.add("irc.net.#stripe.weechatlog", weechat(lines, zone="Asia/Kolkata"))

    outcome = shelf.outcome(second)
    assert (outcome.fresh, outcome.edited) == (0, 0)
    assert shelf.conversations == 1
