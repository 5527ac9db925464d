"""Commands about labels on a real log: repeats, races, other workspaces, erasure, rebuilds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from application.archive import CommandIdReusedError
from application.labels import LabelTargetsRefusedError, TargetNotFoundError
from domain.label import LabelBook, LabelFacts, Labelling, LabelNameTakenError, LabelNotFoundError
from domain.upload import Upload
from infrastructure.labels.targets import PostgresLabelTargets
from infrastructure.projections.rebuild import ProjectionRebuilder
from infrastructure.projections.runner import ProjectionRunner
from projections.conversations.projection import ConversationsReadModel
from projections.labels.projection import LabelsReadModel
from projections.labels.queries import label_counts
from projections.messages.projection import MessagesReadModel
from tests.support.archive import Ledger
from tests.support.chats import History, message, room
from tests.support.labels import Labels
from tests.support.scratch import events_of, projected
from tests.support.shared_ledger import own_ledger, recorded_in, shared_ledger

__all__ = ["own_ledger", "shared_ledger"]

EVENTS = (Labelling.Begun, Labelling.PutOn, Labelling.TakenOff)
TABLES = ("label", "labelled_message", "labelled_conversation")


@pytest.fixture(scope="module")
def runner(shared_ledger: Ledger) -> ProjectionRunner:
    models: list[Any] = [MessagesReadModel(), ConversationsReadModel(), LabelsReadModel()]
    made = ProjectionRunner(shared_ledger.pool, shared_ledger.reader, models)
    made.ensure_all()
    return made


class Desk:
    """A workspace in which somebody labels."""

    def __init__(self, ledger: Ledger, runner: ProjectionRunner) -> None:
        self.ledger = ledger
        self.history = History(ledger)
        self.labels = Labels(ledger.archive, ledger.pool, ledger.context())
        self._runner = runner

    def tell(self, *items: Any) -> list[int]:
        """The ids of the messages, in order."""
        self.history.upload(*items)
        self.advance()
        return self.labels.ids(*(one.text for one in items if hasattr(one, "text")))

    def advance(self) -> None:
        for name in self._runner.names:
            assert not self._runner.advance(name)

    def recorded(self) -> int:
        """How many events have put labels on or off."""
        return len(recorded_in(self.ledger, self.ledger.workspace_id, *EVENTS))


@pytest.fixture
def desk(own_ledger: Ledger, runner: ProjectionRunner) -> Desk:
    return Desk(own_ledger, runner)


def lines(count: int, conversation: str = "Room", **changes: Any) -> list[Any]:
    return [
        message(n, f"{conversation} line {n:04}", key=f"{conversation}{n}",
                conversation=conversation, **changes)
        for n in range(count)
    ]  # fmt: skip


def test_labelling_twice_records_nothing_new(desk: Desk) -> None:
    ids = desk.tell(room(), *lines(3))
    where = desk.history.conversation()
    desk.labels.create("to check")
    assert desk.labels.add("To Check", *ids[:2]).result["changed"] == 2
    assert desk.labels.add("to check", *ids, rooms=[where]).result["changed"] == 2
    assert desk.labels.add("to check", *ids, rooms=[where]).result["changed"] == 0
    assert desk.recorded() == 2
    assert desk.labels.remove("to check", *ids[:1], rooms=[where]).result["changed"] == 2
    assert desk.labels.remove("to check", *ids[:1], rooms=[where]).result["changed"] == 0
    assert desk.recorded() == 3
    desk.advance()
    assert desk.labels.texts("to check") == ["Room line 0001", "Room line 0002"]
    assert desk.labels.titles("to check") == []


def test_a_command_that_is_repeated_under_its_id_gets_the_first_answer(desk: Desk) -> None:
    ids = desk.tell(room(), *lines(2))
    make, put = uuid4(), uuid4()
    label = desk.labels.create("a", make)
    assert desk.labels.create("a", make) == label
    first = desk.labels.add("a", *ids, command_id=put)
    desk.labels.remove("a", *ids)
    again = desk.labels.add("a", *reversed(ids), command_id=put)
    assert (again.position, dict(again.result)) == (first.position, dict(first.result))
    with pytest.raises(CommandIdReusedError):
        desk.labels.add("a", ids[0], command_id=put)
    with pytest.raises(CommandIdReusedError):
        desk.labels.remove("a", *ids, command_id=put)
    with pytest.raises(CommandIdReusedError):
        desk.labels.create("b", make)


def test_nothing_of_another_workspace_can_be_labelled_or_used(
    desk: Desk, runner: ProjectionRunner
) -> None:
    other = Desk(replace(desk.ledger, workspace_id=uuid4()), runner)
    theirs = other.tell(room(), *lines(1, "Theirs"))
    label = other.labels.create("theirs")
    ids = desk.tell(room(), *lines(1))
    for name in ("theirs", label):
        with pytest.raises(LabelNotFoundError):
            desk.labels.add(name, *ids)
        with pytest.raises(LabelNotFoundError):
            desk.labels.rename(name, "mine")
        with pytest.raises(LabelNotFoundError):
            desk.labels.delete(name)
    desk.labels.create("theirs")  # names are those of a workspace
    with pytest.raises(TargetNotFoundError, match=f"no message {theirs[0]}"):
        desk.labels.add("theirs", *ids, *theirs)
    with pytest.raises(TargetNotFoundError, match="no conversation"):
        desk.labels.add("theirs", *ids, rooms=[other.history.conversation("Theirs")])
    assert desk.recorded() == other.recorded() == 0


def test_a_command_is_about_one_target_at_least_and_a_thousand_at_most(desk: Desk) -> None:
    ids = desk.tell(*lines(1_001))
    desk.labels.create("all")
    with pytest.raises(LabelTargetsRefusedError):
        desk.labels.add("all")
    with pytest.raises(LabelTargetsRefusedError):
        desk.labels.add("all", *ids)
    assert desk.labels.add("all", *ids[:1_000], *ids[:7]).result["changed"] == 1_000
    assert desk.recorded() == 1
    desk.advance()
    assert len(desk.labels.texts("all")) == 1_000


def test_people_who_label_at_the_same_time_do_not_lose_anything(desk: Desk) -> None:
    """In one conversation they are retried; in different ones they do not even meet."""
    ids = desk.tell(*lines(16), *lines(8, "Other"))
    where = [desk.history.conversation(name) for name in ("Room", "Other")]

    def label(number: int) -> None:
        desk.labels.add("busy", *ids[number * 3 : number * 3 + 3], rooms=where)

    desk.labels.create("busy")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(label, range(8)))
    desk.advance()
    assert len(desk.labels.texts("busy")) == 24
    assert len(recorded_in(desk.ledger, desk.ledger.workspace_id, Labelling.Begun)) == 2


def test_only_one_of_those_who_make_the_same_label_at_once_succeeds(desk: Desk) -> None:
    def make(name: str) -> bool:
        try:
            desk.labels.create(name)
        except LabelNameTakenError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(make, ["same", "SAME", "Same", " same "])) == 1
    assert len(recorded_in(desk.ledger, desk.ledger.workspace_id, LabelBook.Created)) == 1


def test_a_label_that_is_deleted_is_on_nothing_and_its_name_is_another_label(desk: Desk) -> None:
    ids = desk.tell(room(), *lines(2))
    old = desk.labels.create("a")
    desk.labels.add("a", *ids, rooms=[desk.history.conversation()])
    desk.labels.delete("a")
    with pytest.raises(LabelNotFoundError):
        desk.labels.remove(old, *ids)
    new = desk.labels.create("A")
    assert new != old
    desk.advance()
    assert desk.labels.texts("A") == desk.labels.titles("A") == []
    assert desk.labels.add("a", ids[0]).result["changed"] == 1


def test_who_labels_while_the_label_is_deleted_labels_nothing(desk: Desk) -> None:
    ids = desk.tell(room(), *lines(2))
    label = LabelFacts(desk.labels.create("a"), "a")
    desk.labels.delete("a")
    targets = PostgresLabelTargets(desk.ledger.pool).messages(desk.ledger.workspace_id, ids)
    late = Labelling.begin(
        label,
        desk.history.conversation(),
        [target.message for target in targets.values()],
        is_on_conversation=True,
    )
    desk.ledger.record(late)
    with projected(desk.ledger, LabelsReadModel()) as tables:
        assert tables.everything(*TABLES) == {table: [] for table in TABLES}


def test_a_renamed_label_stays_on_what_it_is_on(desk: Desk) -> None:
    ids = desk.tell(room(), *lines(2))
    label = desk.labels.create("befor")
    desk.labels.add("befor", *ids)
    desk.labels.rename("befor", "before")
    desk.labels.rename(label, "after")
    desk.advance()
    assert desk.labels.texts("before") == []
    assert len(desk.labels.texts("after")) == 2
    assert desk.labels.add("after", *ids).result["changed"] == 0


def test_built_from_the_log_it_is_the_same_however_the_pages_are_cut(desk: Desk) -> None:
    ids = desk.tell(room(), *lines(6), *lines(2, "Other"))
    where = desk.history.conversation()
    desk.labels.create("a", colour="#abcdef", description="for what")
    desk.labels.create("b")
    desk.labels.create("gone")
    desk.labels.add("a", *ids, rooms=[where])
    desk.labels.add("b", *ids[2:4])
    desk.labels.add("gone", *ids, rooms=[where])
    desk.labels.remove("a", *ids[:2], rooms=[where])
    desk.labels.add("a", ids[0])
    desk.labels.rename("b", "c")
    desk.labels.delete("gone")
    events = events_of(desk.ledger, LabelsReadModel())
    found = []
    for page in (1, 3, 1_000):
        with projected(desk.ledger, LabelsReadModel(), events, page=page) as tables:
            found.append(tables.everything(*TABLES))
    assert found[0] == found[1] == found[2]
    assert [len(found[0][table]) for table in TABLES] == [2, 7 + 2, 0]


def test_read_models_that_are_built_anew_show_the_same_labels(
    desk: Desk, runner: ProjectionRunner
) -> None:
    """Beside those that are read, and swapped in; whichever is rebuilt first."""
    ids = desk.tell(room(), *lines(4))
    first = desk.history.uploads[0]
    desk.tell(room(), *lines(2))
    desk.labels.create("a")
    desk.labels.add("a", *ids[:3], rooms=[desk.history.conversation()])
    withdraw(desk, first)  # two of the three are in the other upload, too
    desk.advance()
    expected = ["Room line 0000", "Room line 0001"]
    assert desk.labels.texts("a") == expected
    for name in ("labels", "messages"):
        ProjectionRebuilder(runner).rebuild(name)
        desk.advance()
        assert desk.labels.texts("a") == expected
        assert desk.labels.titles("a") == ["Room"]
        assert desk.labels.add("a", *desk.labels.ids(*expected)).result["changed"] == 0


def test_counts_are_of_what_is_there(desk: Desk) -> None:
    ids = desk.tell(room(), *lines(3))
    label = desk.labels.create("a")
    desk.labels.add("a", *ids, rooms=[desk.history.conversation()])
    key = (desk.ledger.workspace_id, label)

    def counts() -> tuple[int, int]:
        desk.advance()
        with desk.ledger.pool.connection() as connection:
            found = label_counts(connection, [key])[key]
        return found.messages, found.conversations

    assert counts() == (3, 1)
    withdraw(desk, desk.history.uploads[0])
    assert counts() == (0, 0)
    desk.tell(room(), *lines(2))
    assert counts() == (2, 1)


def test_erasure_takes_keys_along_and_leaves_the_label(desk: Desk) -> None:
    """Rebuilt, messages of an erased author are known by where the log told them."""
    ids = desk.tell(room(), *lines(2), message(5, "Bob was here", author="Bob"))
    bob = desk.labels.ids("Bob was here")
    desk.labels.create("a")
    desk.labels.add("a", *ids)
    [event] = recorded_in(desk.ledger, desk.ledger.workspace_id, Labelling.Begun)
    assert str(desk.history.author("Bob")) in event.event.keys
    desk.ledger.keyring.destroy(desk.history.author("Bob"))
    [event] = recorded_in(desk.ledger, desk.ledger.workspace_id, Labelling.Begun)
    assert str(desk.history.author("Bob")) not in event.event.keys
    assert bob[0] in event.event.message_ids

    with projected(desk.ledger, MessagesReadModel()) as tables:
        erased = dict(tables.rows("message", "message_id, message_key"))[bob[0]]
    with projected(desk.ledger, LabelsReadModel()) as tables:
        keys = [row[0] for row in tables.rows("labelled_message", "message_key")]
    assert erased in keys
    assert len(keys) == 3
    # Nothing that is known of Bob is needed to take it off.
    book = desk.ledger.archive.load(LabelBook, LabelBook.create_id(desk.ledger.workspace_id))
    stream = Labelling.create_id(book.find("a").id, desk.history.conversation())
    assert erased in desk.ledger.archive.load(Labelling, stream).keys


def withdraw(desk: Desk, upload_id: UUID) -> None:
    upload = desk.ledger.archive.load(Upload, upload_id)
    upload.withdraw()
    desk.ledger.record(upload)
