"""A preview says what reading an overlapping export brings; then reading it brings that."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import pytest

from application.comparison import ComparedConversation
from application.ports.chat_reader import ReadOptions
from infrastructure.container import Container
from tests.infrastructure.readers.support import MemoryFile
from tests.support.archive import copy_template
from tests.support.archive_fixture import open_test_container
from tests.support.overlapping import Outcome, Shelf
from tests.support.postgres import drop_database
from tests.support.renderings import Line, table, telegram, whatsapp_android, whatsapp_ios
from tests.support.small_talk import small_talk

Export = tuple[str, Callable[[Sequence[Line]], bytes]]
IPHONE: Export = ("Crew.zip", partial(whatsapp_ios, zone="America/New_York", title="Crew"))
ANDROID: Export = (
    "WhatsApp Chat mit Boat.zip",
    partial(whatsapp_android, zone="Europe/Berlin", title="Boat", names={"Bob": "Papa"}),
)
TABLE: Export = ("mine.csv", partial(table, title="mine"))


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
def chat() -> list[Line]:
    return small_talk(3, 150)


def announced(shelf: Shelf, name: str, content: bytes, **options: str) -> ComparedConversation:
    container = shelf.container
    with container.readers.open(MemoryFile(content, name)) as export:
        reader, recognition = container.readers.recognise(export)
        preview = container.previewer.look(
            reader,
            recognition,
            export,
            ReadOptions(),
            workspace_id=shelf.context.workspace_id,
            merge=options,
        )
    assert preview.comparison is not None
    [told] = preview.comparison.conversations
    return told


def numbers(told: ComparedConversation) -> Outcome:
    return Outcome(told.fresh, told.known, told.edited, told.vanished)


@pytest.mark.parametrize("export", [IPHONE, ANDROID, TABLE], ids=lambda export: export[0])
def test_what_was_announced_is_what_comes(shelf: Shelf, chat: list[Line], export: Export) -> None:
    """With one message edited and one gone."""
    name, render = export
    shelf.add(IPHONE[0], IPHONE[1](chat[:100]))
    place = next(n for n in range(60, 95) if len(chat[n].text or "") > 30)
    chat[place] = chat[place]._replace(text=f"{chat[place].text} indeed")
    gone = next(n for n in range(40, 59) if len(chat[n].text or "") > 30)
    content = render([*chat[30:gone], *chat[gone + 1 :]])
    told = announced(shelf, name, content)
    upload = shelf.add(name, content)

    assert numbers(told) == shelf.outcome(upload)
    assert told.edited == told.vanished == 1
    assert told.rule == shelf.rules(upload)[0]
    assert shelf.conversations == 1


def test_ids_of_the_source_need_no_comparison_of_texts(shelf: Shelf, chat: list[Line]) -> None:
    spoken = [line for line in chat if line.text is not None]
    shelf.add("result.json", telegram(spoken[:100]))
    told = announced(shelf, "result.json", telegram(spoken))

    assert told.rule == "the same conversation by what the source calls it"
    assert numbers(told) == Outcome(len(spoken) - 100, 100, 0, 0)


def test_kept_apart_means_that_everything_is_new(shelf: Shelf, chat: list[Line]) -> None:
    content = TABLE[1](chat)
    shelf.add(TABLE[0], content)
    told = announced(shelf, TABLE[0], content, merge="never")

    assert told.merges_into is None
    assert told.rule == "kept apart, as asked for"
    assert numbers(told) == Outcome(len(chat), 0, 0, 0)
