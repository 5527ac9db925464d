"""Exports that overlap, read into a real archive: what a person sees of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from itertools import count as counting
from itertools import pairwise
from threading import Thread
from typing import Any
from uuid import UUID

import pytest

from application.ports.jobs import Stopped
from infrastructure.container import Container
from infrastructure.jobs.app import make_app
from interfaces.jobs.registry import register_tasks
from tests.support.archive import copy_template
from tests.support.archive_fixture import advance, open_test_container
from tests.support.labels import Labels
from tests.support.overlapping import Outcome, Shelf
from tests.support.postgres import drop_database
from tests.support.projecting import projecting
from tests.support.renderings import Line, table, telegram, whatsapp_android, whatsapp_ios
from tests.support.rsmf import as_rsmf
from tests.support.small_talk import small_talk

NAMES = {"Ada": "Ada L.", "Bob": "Papa"}
IPHONE = partial(whatsapp_ios, zone="America/New_York", title="Crew")
ANDROID = partial(whatsapp_android, zone="Europe/Berlin", title="Boat", names=NAMES)
LATER, EARLIER = "WhatsApp Chat mit Boat.zip", "Crew.zip"


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


def texts(lines: list[Line]) -> list[str]:
    return [line.text or "" for line in lines]


def test_another_phone_in_another_zone_and_language_adds_what_is_new(
    shelf: Shelf, chat: list[Line]
) -> None:
    shelf.add(EARLIER, IPHONE(chat[:120]))
    second = shelf.add(LATER, ANDROID(chat[40:]))

    outcome = shelf.outcome(second)
    assert outcome.known == 80
    assert outcome.edited == outcome.vanished == 0
    assert shelf.said() == texts(chat)
    assert shelf.conversations == 1


def test_an_export_that_lies_between_two_others_makes_them_one(
    shelf: Shelf, chat: list[Line]
) -> None:
    """The smaller one is read again; what it was before is withdrawn, and its file is kept."""
    shelf.add("Logbook.csv", table(chat[130:], title="Logbook"))
    shelf.add(EARLIER, IPHONE(chat[:110]))
    assert shelf.conversations == 2
    third = shelf.add(LATER, ANDROID(chat[60:180]))

    assert "becomes one with it" in shelf.rules(third)[0]
    [again] = shelf.join(third)
    # In order but within minutes: two of them do not know the seconds.
    assert sorted(shelf.said()) == sorted(texts(chat))
    assert shelf.conversations == 1
    assert shelf.outcome(again).known > 0
    assert shelf.upload(again).filename in {"Logbook.csv", EARLIER}
    assert shelf.join(third) == []
    assert {shelf.upload(row[0]).stage for row in shelf.rows("upload_id", "upload", "1")} == {
        "read",
        "withdrawn",
    }


def test_names_and_titles_of_the_other_phone_stand_beside_those_that_were_there(
    shelf: Shelf, chat: list[Line]
) -> None:
    shelf.add(EARLIER, IPHONE(chat[:120]))
    shelf.add(LATER, ANDROID(chat[40:]))

    people = dict(shelf.rows("name, former_names", "author", "name"))
    assert people["Ada"] == ["Ada L."]
    assert people["Bob"] == ["Papa"]
    assert shelf.rows("title, former_titles", "conversation", "title") == [("Crew", ["Boat"])]


@pytest.mark.parametrize("is_exact_first", [True, False])
def test_the_more_exact_time_is_kept_whichever_comes_first(
    shelf: Shelf, chat: list[Line], is_exact_first: bool
) -> None:
    exports = [(EARLIER, IPHONE(chat)), (LATER, ANDROID(chat))]
    _, second = [shelf.add(*one) for one in exports[:: 1 if is_exact_first else -1]]

    assert shelf.outcome(second).edited == 0
    told = shelf.rows("precision, sent_at", order="sent_at, message_id")
    spoken = [at for (precision, at) in told if precision == "second"]
    assert len(told) == len(chat) + 1
    assert len(spoken) >= len(chat)
    gaps = {b - a for a, b in pairwise(spoken)}
    assert timedelta(seconds=4) in gaps


def test_an_edited_message_is_one_message_with_a_version(shelf: Shelf, chat: list[Line]) -> None:
    place = next(n for n, line in enumerate(chat) if line.text and len(line.text) > 30 and n > 60)
    edited = [*chat]
    edited[place] = chat[place]._replace(text=f"{chat[place].text} indeed")
    shelf.add(EARLIER, IPHONE(chat))
    second = shelf.add(LATER, ANDROID(edited))

    assert shelf.outcome(second)[2:] == (1, 0)
    assert sorted(shelf.said()) == sorted(texts(edited))
    with shelf.container.pool.connection() as connection:
        found = connection.execute(
            "SELECT v.text FROM read.message_version AS v WHERE workspace_id = %s",
            (shelf.context.workspace_id,),
        ).fetchall()
    assert found == [(chat[place].text,)]


def test_what_the_other_phone_does_not_have_any_more_is_marked(
    shelf: Shelf, chat: list[Line]
) -> None:
    gone = next(n for n, line in enumerate(chat) if line.text and len(line.text) > 30 and n > 60)
    shelf.add(EARLIER, IPHONE(chat))
    second = shelf.add(LATER, ANDROID(chat[20:gone] + chat[gone + 1 : 150]))

    assert shelf.outcome(second).vanished == 1
    marked = shelf.rows("text, vanished_in")
    assert [text for text, vanished in marked if vanished] == [chat[gone].text]


def test_photos_that_another_tool_leaves_out_have_not_vanished(
    shelf: Shelf, chat: list[Line]
) -> None:
    shelf.add(EARLIER, IPHONE(chat))
    spoken = [line for line in chat if line.text is not None]
    second = shelf.add("mine.csv", table(spoken, title="mine"))

    assert shelf.outcome(second) == Outcome(0, len(spoken), 0, 0)


def test_a_person_can_have_it_kept_apart(shelf: Shelf, chat: list[Line]) -> None:
    shelf.add(EARLIER, IPHONE(chat))
    by_ids = shelf.add(LATER, ANDROID(chat), merge="ids")
    apart = shelf.add(EARLIER, IPHONE(chat[:190]), merge="never")

    assert shelf.outcome(by_ids).known == shelf.outcome(apart).known == 0
    assert shelf.conversations == 3


def test_the_next_export_of_a_merged_phone_needs_nothing_in_common(
    shelf: Shelf, chat: list[Line]
) -> None:
    shelf.add(EARLIER, IPHONE(chat[:80]))
    shelf.add(LATER, ANDROID(chat[20:120]))
    third = shelf.add(LATER, ANDROID(chat[130:]))

    assert shelf.conversations == 1
    assert shelf.rules(third) == ["an earlier export of the same conversation was merged into it"]


def test_withdrawing_the_second_export_leaves_the_first_as_it_was(
    shelf: Shelf, chat: list[Line]
) -> None:
    shelf.add(EARLIER, IPHONE(chat[:120]))
    columns = "text, sent_at, precision, version, vanished_in, message_key, author_id"
    before = shelf.rows(columns)
    second = shelf.add(LATER, ANDROID(chat[40:]))
    shelf.withdraw(second)

    assert shelf.rows(columns) == before


def test_withdrawing_the_first_export_leaves_what_the_second_says(
    shelf: Shelf, chat: list[Line]
) -> None:
    first = shelf.add(EARLIER, IPHONE(chat[:120]))
    shelf.add(LATER, ANDROID(chat[40:]))
    shelf.withdraw(first)
    again = shelf.add(EARLIER, IPHONE(chat[:120]))

    assert shelf.outcome(again).known == 80
    assert sorted(shelf.said()) == sorted(texts(chat))


@pytest.mark.parametrize("questions", [0, 2, 3, 4])
def test_reading_that_was_interrupted_ends_the_same(
    shelf: Shelf, questions: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was decided before stands, and no message is taken for two."""
    monkeypatch.setattr("application.transcription.BATCH_SIZE", 30)
    lines = small_talk(8, 150, short=0.7)
    shelf.add(EARLIER, IPHONE(lines[:120]))
    second = shelf.send(LATER, ANDROID(lines[40:]))
    asked = counting()
    with pytest.raises(Stopped):
        shelf.read(second, lambda: next(asked) >= questions)
    advance(shelf.container)
    shelf.read(second)
    advance(shelf.container)

    assert shelf.outcome(second).known == 80
    assert sorted(shelf.said()) == sorted(texts(lines))


def test_two_exports_that_are_sent_at_once_are_merged(container: Container) -> None:
    shelf = Shelf.of(container)
    lines = small_talk(9, 150)
    uploads = [
        shelf.send(EARLIER, IPHONE(lines[:120])),
        shelf.send(LATER, ANDROID(lines[40:])),
        shelf.send("mine.csv", table(lines, title="mine")),
    ]
    with projecting(container):
        threads = [Thread(target=shelf.read, args=(upload,)) for upload in uploads]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    advance(container)

    assert sorted(shelf.said()) == sorted(texts(lines))
    assert shelf.conversations == 1


def test_an_export_with_ids_knows_what_a_table_of_it_brought(
    shelf: Shelf, chat: list[Line]
) -> None:
    spoken = [line for line in chat if line.text is not None]
    shelf.add("result.json", telegram(spoken[:110]))
    shelf.add("mine.csv", table(spoken[40:], title="mine"))
    third: Any = shelf.add("result (2).json", telegram(spoken))

    assert shelf.outcome(third).fresh == 0
    assert sorted(shelf.said()) == sorted(texts(spoken))


def test_an_export_with_ids_knows_what_our_own_rsmf_of_it_brought(
    shelf: Shelf, chat: list[Line]
) -> None:
    spoken = [line for line in chat if line.text is not None]
    shelf.add("result.json", telegram(spoken[:60]))
    shelf.add("rsmf.zip", as_rsmf("result.json", telegram(spoken[:110])))
    third = shelf.add("result (2).json", telegram(spoken[:150]))

    assert shelf.outcome(third) == Outcome(40, 110, 0, 0)
    assert shelf.said() == texts(spoken[:150])
    assert shelf.conversations == 1


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
    carry(shelf, third, *again)  # however late it is
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
    upload = shelf.add(EARLIER, IPHONE(small_talk(3, 20)))
    with container.pool.connection() as connection:
        found = connection.execute(
            "SELECT args->>'upload_id' FROM jobs.procrastinate_jobs "
            "WHERE task_name = 'labels:carry'"
        ).fetchall()
    assert (str(upload),) in found
