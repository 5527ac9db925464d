"""An upload that is shown before it is read, and one that the file leaves open."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from domain.upload import (
    NothingToConfirmError,
    NothingToRetryError,
    OptionsSettledError,
    UnansweredError,
    Upload,
    UploadWithdrawnError,
)


def received(*, is_confirmed: bool = False, **options: Any) -> Upload:
    return Upload.receive(
        workspace_id=uuid4(),
        blob="b",
        size=1,
        sha256="s",
        filename="chat.txt",
        options=options,
        is_confirmed=is_confirmed,
    )


def inspected(*questions: str, is_confirmed: bool = False, **options: Any) -> Upload:
    upload = received(is_confirmed=is_confirmed, **options)
    upload.record_inspected(
        format="whatsapp",
        reader_version=1,
        reason="so",
        timezone=None,
        date_order="dmy",
        conversations=1,
        messages=2,
        system=1,
        authors=1,
        first_at=None,
        last_at=None,
        unknown_keys={},
        is_complete=True,
        warnings=[],
    )
    upload.hold_back(questions)
    return upload


def state(upload: Upload) -> tuple[Any, ...]:
    return (upload.stage, upload.is_confirmed, upload.questions, upload.options)


def pending(upload: Upload) -> list[str]:
    return [event.TOPIC for event in upload.collect_events()]


def test_one_that_is_not_confirmed_waits_after_its_inspection() -> None:
    upload = inspected()

    assert state(upload) == ("inspected", False, ("confirmation",), {})
    upload.confirm()
    assert state(upload) == ("inspected", True, (), {})


def test_one_that_is_confirmed_and_clear_is_not_held_back() -> None:
    upload = inspected(is_confirmed=True)

    assert not upload.is_held_back
    assert "upload.held_back" not in pending(upload)


@pytest.mark.parametrize("question", ["date_order", "format"])
def test_what_the_file_leaves_open_is_never_guessed(question: str) -> None:
    upload = inspected(question, is_confirmed=True)

    assert upload.questions == (question,)
    with pytest.raises(UnansweredError, match=question.replace("_", " ")):
        upload.confirm({"timezone": "Europe/Rome"})
    assert upload.is_held_back
    upload.confirm({question: "the answer"})
    assert state(upload) == ("received", True, (), {question: "the answer"})


def test_an_answer_given_before_the_question_counts() -> None:
    assert inspected("date_order", date_order="mdy").unanswered({"date_order": "mdy"}) == ()


def test_confirming_twice_is_confirming_once() -> None:
    upload = inspected()
    upload.confirm()
    upload.start_reading(from_batch=0)
    upload.confirm()

    assert pending(upload).count("upload.confirmed") == 1
    with pytest.raises(OptionsSettledError, match="too late"):
        upload.confirm({"timezone": "Europe/Rome"})


def test_looking_again_takes_back_what_was_confirmed() -> None:
    upload = inspected("date_order", is_confirmed=True)
    upload.request_inspection({"date_order": "mdy"})

    assert state(upload) == ("received", False, (), {"date_order": "mdy"})
    upload.hold_back(())
    assert upload.questions == ("confirmation",)


def test_a_rejected_one_can_be_looked_at_otherwise_but_not_confirmed() -> None:
    upload = received()
    upload.reject("no telegram export")
    with pytest.raises(NothingToConfirmError, match="other options"):
        upload.confirm()
    upload.request_inspection({"format": "whatsapp"})

    assert upload.stage == "received"


def test_what_is_recorded_is_not_looked_at_any_more() -> None:
    upload = inspected(is_confirmed=True)
    upload.start_reading(from_batch=0)
    with pytest.raises(OptionsSettledError):
        upload.request_inspection()


def test_one_that_waits_has_not_failed() -> None:
    with pytest.raises(NothingToRetryError, match="confirm"):
        inspected().request_retry()


def test_one_that_failed_while_it_waited_is_looked_at_again() -> None:
    upload = inspected("date_order")
    upload.fail(stage="reading", reason="discarded", attempt=1, is_final=True)
    upload.request_retry()

    assert state(upload) == ("received", False, (), {})


def test_one_that_is_never_confirmed_can_be_withdrawn() -> None:
    upload = inspected()
    upload.withdraw()

    for change in (upload.confirm, upload.request_inspection):
        with pytest.raises(UploadWithdrawnError):
            change()
