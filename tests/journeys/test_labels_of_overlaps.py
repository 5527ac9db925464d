"""Labels on what is withdrawn, sent again, and merged."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from uuid import UUID

import pytest

from infrastructure.container import Container
from infrastructure.jobs.app import make_app
from interfaces.jobs.registry import register_tasks
from tests.support.archive import copy_template
from tests.support.archive_fixture import advance, open_test_container
from tests.support.labels import Labels
from tests.support.overlapping import Shelf
from tests.support.postgres import drop_database
from tests.support.renderings import Line, table, whatsapp_android, whatsapp_ios
from tests.support.small_talk import small_talk

IPHONE = partial(whatsapp_ios, zone="America/New_York", title="Crew")
ANDROID = partial(whatsapp_android, zone="Europe/Berlin", title="Boat")


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


@pytest.fixture
def labels(shelf: Shelf) -> Labels:
    return Labels(shelf.container.archive, shelf.container.pool, shelf.context)


@pytest.fixture(scope="module")
def chat() -> list[Line]:
    return small_talk(5, 200)


def only_once(lines: list[Line], *numbers: int) -> list[str]:
    """The texts of the first lines from these on that say what no other does."""
    every = [line.text or "" for line in lines]
    return [next(text for text in every[number:] if every.count(text) == 1) for number in numbers]


def put(shelf: Shelf, labels: Labels, label: str, texts: list[str], rooms: list[UUID]) -> None:
    ids = labels.ids(*texts)
    assert len(ids) == len(texts)
    assert labels.add(label, *ids, rooms=rooms).result["changed"] == len(texts) + len(rooms)
    advance(shelf.container)


def carry(shelf: Shelf, *uploads: UUID) -> None:
    """As the jobs do that each reading has asked for."""
    app = make_app(shelf.container.conninfo)
    register_tasks(app, shelf.container)
    for upload in uploads:
        app.tasks["labels:carry"](upload_id=str(upload))
    advance(shelf.container)


def test_labels_stay_on_conversations_that_become_one(
    shelf: Shelf, labels: Labels, chat: list[Line]
) -> None:
    """On messages that only the joined one had, and on those that the other tells too."""
    shelf.add("Logbook.csv", table(chat[130:], title="Logbook"))
    shelf.add("Crew.zip", IPHONE(chat[:110]))
    labels.create("to check")
    rooms = dict(shelf.rows("title, conversation_id", "conversation", "title"))
    texts = only_once(chat, 5, 70, 140, 185)  # alone, in both, in both, alone
    put(shelf, labels, "to check", texts, list(rooms.values()))
    third = shelf.add("WhatsApp Chat mit Boat.zip", ANDROID(chat[60:180]))
    again = shelf.join(third)
    assert again
    assert shelf.conversations == 1
    carry(shelf, third, *again)

    assert labels.texts("to check") == sorted(texts)
    assert len(labels.titles("to check")) == 1
    head = shelf.container.archive.event_log.head()
    carry(shelf, third, *again)  # a job may run twice
    assert shelf.container.archive.event_log.head() == head

    # They are taken off where they are now.
    ids = labels.ids(*texts)
    [(room,)] = shelf.rows("conversation_id", "conversation", "title")
    assert labels.remove("to check", *ids, rooms=[room]).result["changed"] == len(texts) + 1
    advance(shelf.container)
    assert labels.texts("to check") == labels.titles("to check") == []


def test_the_same_file_sent_again_has_its_labels(
    shelf: Shelf, labels: Labels, chat: list[Line]
) -> None:
    content = IPHONE(chat[:40])
    first = shelf.add("Crew.zip", content)
    labels.create("kept")
    texts = only_once(chat[:40], 3, 20)
    [(room,)] = shelf.rows("conversation_id", "conversation", "title")
    put(shelf, labels, "kept", texts, [room])
    before = labels.ids(*texts)
    shelf.withdraw(first)
    assert labels.texts("kept") == labels.titles("kept") == []

    shelf.add("Crew.zip", content)
    assert labels.texts("kept") == sorted(texts)
    assert labels.titles("kept") == ["Crew"]
    assert not set(labels.ids(*texts)) & set(before), "they have other ids now"


def test_a_message_that_another_upload_has_too_keeps_its_label(
    shelf: Shelf, labels: Labels, chat: list[Line]
) -> None:
    first = shelf.add("Crew.zip", IPHONE(chat[:60]))
    shelf.add("Crew (1).zip", IPHONE(chat[20:80]))
    labels.create("both")
    gone, kept = only_once(chat[:80], 2, 40)
    put(shelf, labels, "both", [gone, kept], [])
    shelf.withdraw(first)
    assert labels.texts("both") == [kept]


def test_a_file_that_is_merged_when_it_is_sent_again_brings_its_labels_along(
    shelf: Shelf, labels: Labels, chat: list[Line]
) -> None:
    """Nothing joined them: somebody withdrew it, and then sent it after the other phone's."""
    mine = ANDROID(chat[40:])
    first = shelf.add("Boat.zip", mine)
    labels.create("mine")
    texts = only_once(chat, 60, 190)
    put(shelf, labels, "mine", texts, [])
    shelf.withdraw(first)
    shelf.add("Crew.zip", IPHONE(chat[:120]))
    assert labels.texts("mine") == []
    again = shelf.add("Boat.zip", mine)
    assert shelf.conversations == 1
    assert labels.texts("mine") != sorted(texts), "their conversation is another one now"
    carry(shelf, again)
    assert labels.texts("mine") == sorted(texts)


def test_each_upload_that_was_read_asks_for_its_labels(container: Container, shelf: Shelf) -> None:
    upload = shelf.add("Crew.zip", IPHONE(small_talk(3, 20)))
    with container.pool.connection() as connection:
        found = connection.execute(
            "SELECT args->>'upload_id' FROM jobs.procrastinate_jobs "
            "WHERE task_name = 'labels:carry'"
        ).fetchall()
    assert (str(upload),) in found
