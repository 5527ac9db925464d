"""Any chat, written in the form of any format, is read back; so are its first messages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.ports.chat_reader import UnreadableExportError
from infrastructure.readers.registry import Readers
from tests.infrastructure.readers import service_forms, text_forms
from tests.infrastructure.readers.any_chat import Form, chats
from tests.infrastructure.readers.support import MemoryFile, Read, read

READERS = Readers()
FORMS = {**service_forms.FORMS, **text_forms.FORMS}
SETTINGS = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)


def opened(form: Form, file: MemoryFile, **options: Any) -> Read:
    given = replace(form.options, **options)
    return read(file, given, reader=READERS.by_format(form.format))


@pytest.mark.parametrize("name", FORMS)
@SETTINGS
@given(data=st.data())
def test_what_is_written_is_read_back(name: str, data: st.DataObject) -> None:
    form = FORMS[name]
    said = data.draw(chats(form))
    result = opened(form, form.file(said, form.write(said)))
    assert form.found(result) == form.expected(said)
    assert result.warnings == []


@pytest.mark.parametrize("name", FORMS)
@SETTINGS
@given(data=st.data())
def test_the_beginning_of_a_file_gives_its_first_messages_and_one_warning(
    name: str, data: st.DataObject
) -> None:
    form = FORMS[name]
    said = data.draw(chats(form))
    raw = form.write(said)
    cut = raw[: data.draw(st.integers(1, len(raw) - 1))]
    whole = form.whole(said, raw, len(cut))
    columns = opened(form, form.file(said, raw)).facts.columns  # which all rows together show
    try:
        result = opened(form, form.file(said, cut), columns=columns)
    except UnreadableExportError:
        assert whole == 0
        return
    found = form.found(result)
    assert whole <= len(found) <= len(said)
    # Where a text can end anywhere, the last message may be shorter than it was.
    sure = len(found) if form.cut_gives != "first or shorter" else max(0, len(found) - 1)
    assert found[:sure] == form.beginning(said, len(found))[:sure]
    # A character of which a part is missing is told of, too.
    warnings = [one.reason for one in result.warnings if "Windows-1252" not in one.reason]
    assert len(warnings) == 1 if form.is_cut_told else len(warnings) <= 1


def test_no_format_is_left_out() -> None:
    assert {form.format for form in FORMS.values()} == set(READERS.formats)
