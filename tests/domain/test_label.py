"""What may be decided about labels, without a database."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from domain.label import (
    MOST_LABELS,
    LabelBook,
    LabelFacts,
    LabelledMessage,
    Labelling,
    LabelNameTakenError,
    LabelNotFoundError,
    LabelRefusedError,
    keys_of,
)

ADA, BOB = uuid4(), uuid4()
LABEL = LabelFacts(uuid4(), "to check")
ROOM = uuid4()


def book(*names: str) -> LabelBook:
    made = LabelBook.open(UUID(int=1))
    for name in names:
        made.create(name, colour=None, description=None)
    made.collect_events()
    return made


def said(number: int, subject: UUID = ADA) -> LabelledMessage:
    return LabelledMessage(number, f"k{number}", subject)


def begun(*messages: LabelledMessage, is_on_conversation: bool = False) -> Labelling:
    made = Labelling.begin(LABEL, ROOM, messages, is_on_conversation=is_on_conversation)
    made.collect_events()
    return made


@pytest.mark.parametrize(
    "name", ["TO CHECK", " to check ", "To Check", "caf\u00e9", "CAFE\u0301", "STRASSE"]
)
def test_a_name_is_taken_whatever_its_case_and_however_its_letters_are_composed(name: str) -> None:
    labels = book("to check", "Café", "straße")
    with pytest.raises(LabelNameTakenError):
        labels.create(name, colour=None, description=None)
    assert labels.find(name).name in {"to check", "Café", "straße"}
    assert not labels.collect_events()


@pytest.mark.parametrize(
    "name", ["", "   ", "a\nb", "a\x00b", "\ud800", "a\u2028b", "\u202eevil", "x" * 101]
)
def test_a_name_is_1_to_100_printable_characters(name: str) -> None:
    labels = book("other")
    with pytest.raises(LabelRefusedError):
        labels.create(name, colour=None, description=None)
    with pytest.raises(LabelRefusedError):
        labels.rename(labels.find("other"), name)
    assert labels.create("x" * 100, colour=None, description=None)


@pytest.mark.parametrize("colour", ["red", "#fff", "#12345g", "#1234567", "#12345\n"])
def test_a_colour_is_six_hexadecimal_digits(colour: str) -> None:
    with pytest.raises(LabelRefusedError):
        book().create("a", colour=colour, description=None)


def test_a_description_is_one_line_of_500_characters() -> None:
    labels = book()
    labels.create("a", colour="#AABBCC", description=" two\n lines ")
    [event] = labels.collect_events()
    assert (event.colour, event.description) == ("#aabbcc", "two lines")
    with pytest.raises(LabelRefusedError):
        labels.create("b", colour=None, description="x" * 501)
    with pytest.raises(LabelRefusedError):
        labels.create("b", colour=None, description="a\x07b")


def test_a_label_may_change_the_case_of_its_name_and_no_other_may_have_it() -> None:
    labels = book("a", "b")
    labels.rename(labels.find("a"), "A")
    labels.rename(labels.find("a"), "A")  # it is called so already
    with pytest.raises(LabelNameTakenError):
        labels.rename(labels.find("b"), "a")
    assert len(labels.collect_events()) == 1
    assert labels.find("a").name == "A"


def test_a_deleted_name_is_free_for_another_label() -> None:
    labels = book("a")
    old = labels.find("a")
    labels.delete(old)
    with pytest.raises(LabelNotFoundError):
        labels.find("a")
    with pytest.raises(LabelNotFoundError):
        labels.find(old.id)
    assert labels.create("a", colour=None, description=None) != old.id


def test_a_workspace_has_a_thousand_labels_at_most() -> None:
    labels = book(*(f"label {n}" for n in range(MOST_LABELS)))
    with pytest.raises(LabelRefusedError):
        labels.create("one more", colour=None, description=None)
    labels.delete(labels.find("label 7"))
    assert labels.create("one more", colour=None, description=None)


def test_only_what_is_new_is_recorded() -> None:
    labelling = begun(said(1))
    assert labelling.put_on(LABEL, [said(1), said(2)], is_on_conversation=True) == 2
    assert labelling.put_on(LABEL, [said(1), said(2)], is_on_conversation=True) == 0
    [event] = labelling.collect_events()
    assert (event.message_ids, event.is_on_conversation) == ([2], True)
    assert event.keys == {str(ADA): [[2, "k2"]]}


def test_only_what_has_it_is_taken_off() -> None:
    labelling = begun(said(1), said(2, BOB), is_on_conversation=True)
    assert labelling.take_off(LABEL, [said(3)], is_on_conversation=False) == 0
    assert labelling.take_off(LABEL, [said(2, BOB), said(3)], is_on_conversation=True) == 2
    [event] = labelling.collect_events()
    assert (event.message_ids, event.is_on_conversation) == ([2], True)
    assert (labelling.keys, labelling.is_on_conversation) == ({"k1"}, False)
    assert labelling.put_on(LABEL, [said(2, BOB)], is_on_conversation=True) == 2


def test_a_message_is_known_by_its_key_and_not_by_its_id() -> None:
    """Told again after a withdrawal, it has another id."""
    labelling = begun(said(1))
    told_again = said(1)._replace(id=99)
    assert labelling.put_on(LABEL, [told_again], is_on_conversation=False) == 0
    assert labelling.take_off(LABEL, [told_again], is_on_conversation=False) == 1


def test_what_an_erased_person_said_is_known_by_its_id() -> None:
    erased = LabelledMessage(7, "erased-7", ADA)
    made = Labelling.begin(LABEL, ROOM, [erased, said(8, BOB)], is_on_conversation=False)
    [event] = made.collect_events()
    assert event.keys == {str(BOB): [[8, "k8"]]}, "nothing is sealed for whoever was erased"
    assert keys_of(event.message_ids, event.keys) == {7: "erased-7", 8: "k8"}
    assert keys_of(event.message_ids, {}) == {7: "erased-7", 8: "erased-8"}
    assert made.put_on(LABEL, [erased], is_on_conversation=False) == 0
