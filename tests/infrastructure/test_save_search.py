"""How many searches somebody may keep, on a real log: whoever is quick, and whatever was before."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest

from application.archive import Accepted
from application.commands.delete_saved_search import DeleteSavedSearch, DeleteSavedSearchHandler
from application.commands.rename_saved_search import RenameSavedSearch, RenameSavedSearchHandler
from application.commands.save_search import SaveSearch, SaveSearchHandler
from domain.saved_search import (
    MOST_SAVED,
    SavedSearch,
    SavedSearchNameError,
    TooManySavedSearchesError,
)
from tests.support.archive import Ledger
from tests.support.shared_ledger import own_ledger, recorded_in, shared_ledger

__all__ = ["own_ledger", "shared_ledger"]

MOST = 3
Save = Callable[..., Accepted]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("application.saved_searches.MOST_SAVED", MOST)


@pytest.fixture
def save(own_ledger: Ledger) -> Save:
    def saved(name: str = "Rain", workspace_id: UUID | None = None, **who: Any) -> Accepted:
        context = replace(own_ledger.context(), **who)
        if workspace_id is not None:
            context = replace(context, workspace_id=workspace_id)
        command = SaveSearch(
            workspace_id=workspace_id or own_ledger.workspace_id, name=name, query="rain"
        )
        return SaveSearchHandler(own_ledger.archive)(command, context)

    return saved


def delete(ledger: Ledger, saved: Accepted) -> None:
    command = DeleteSavedSearch(saved_search_id=UUID(saved.result["saved_search_id"]))
    DeleteSavedSearchHandler(ledger.archive)(command, ledger.context())


def test_one_more_than_may_be_kept_is_refused_and_not_recorded(
    own_ledger: Ledger, save: Save, few: None
) -> None:
    kept = [save() for _ in range(MOST)]
    assert len({one.result["saved_search_id"] for one in kept}) == MOST
    head = own_ledger.head()
    with pytest.raises(TooManySavedSearchesError, match=r"you keep 3 .* delete one"):
        save()
    assert own_ledger.head() == head


def test_the_room_of_a_deleted_one_is_free_again_and_again(
    own_ledger: Ledger, save: Save, few: None
) -> None:
    kept = [save() for _ in range(MOST)]
    ids = {one.result["saved_search_id"] for one in kept}
    for number in range(5):
        delete(own_ledger, kept[number % MOST])
        kept[number % MOST] = save()
        ids.add(kept[number % MOST].result["saved_search_id"])
        with pytest.raises(TooManySavedSearchesError):
            save()
    assert len(ids) == MOST + 5  # never one that was deleted


def test_each_person_and_each_workspace_has_room_of_its_own(
    own_ledger: Ledger, save: Save, few: None
) -> None:
    for _ in range(MOST):
        save()
    save(actor_id=uuid4())
    save(workspace_id=uuid4())


def test_who_repeats_a_command_gets_the_first_answer_though_there_is_no_room_left(
    own_ledger: Ledger, save: Save, few: None
) -> None:
    id = uuid4()
    first = save(command_id=id)
    for _ in range(MOST - 1):
        save()
    assert save(command_id=id) == first
    with pytest.raises(TooManySavedSearchesError):
        save(command_id=uuid4())


def test_what_is_kept_can_be_renamed_though_there_is_no_room_left(
    own_ledger: Ledger, save: Save, few: None
) -> None:
    kept = [save() for _ in range(MOST)]
    id = UUID(kept[0].result["saved_search_id"])
    rename = RenameSavedSearchHandler(own_ledger.archive)
    rename(RenameSavedSearch(saved_search_id=id, name="Snow"), own_ledger.context())
    assert own_ledger.archive.load(SavedSearch, id).name == "Snow"


def test_a_name_that_is_refused_takes_no_room(own_ledger: Ledger, save: Save, few: None) -> None:
    for _ in range(MOST):
        with pytest.raises(SavedSearchNameError):
            save(name="")
    for _ in range(MOST):
        save()


def test_many_who_save_at_once_do_not_get_past_the_limit(
    own_ledger: Ledger, save: Save, few: None
) -> None:
    together = Barrier(12)

    def one(_number: int) -> bool:
        together.wait(timeout=10)
        try:
            save()
        except TooManySavedSearchesError:
            return False
        return True

    with ThreadPoolExecutor(12) as threads:
        is_saved = list(threads.map(one, range(12)))
    assert sum(is_saved) == MOST
    assert len(recorded_in(own_ledger, own_ledger.workspace_id, SavedSearch.Saved)) == MOST


def test_two_hundred_may_be_kept(own_ledger: Ledger, save: Save) -> None:
    for _ in range(MOST_SAVED):
        save()
    with pytest.raises(TooManySavedSearchesError, match="you keep 200"):
        save()
