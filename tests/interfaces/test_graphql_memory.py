"""What one GraphQL operation made goes with its answer, not when garbage is collected."""

from __future__ import annotations

import gc
from typing import Any
from weakref import ref

import pytest
from graphql import GraphQLResolveInfo

from interfaces.graphql import executing
from tests.support.graphql_archive import container, ingested, site
from tests.support.graphql_site import Site

__all__ = ["container", "ingested", "site"]

MANY = "{workspaces(first: 5) {nodes {id name}} uploads(first: 5) {nodes {id filename stage}}}"


@pytest.fixture
def executions(monkeypatch: pytest.MonkeyPatch) -> list[ref[executing.Execution]]:
    """Of every operation that is carried out from now on."""
    made: list[ref[executing.Execution]] = []
    begin = executing.Execution.__init__

    def noted(self: executing.Execution, *args: Any, **kwargs: Any) -> None:
        begin(self, *args, **kwargs)
        made.append(ref(self))

    monkeypatch.setattr(executing.Execution, "__init__", noted)
    return made


@pytest.mark.parametrize("document", ["{__typename}", MANY])
def test_an_operation_leaves_nothing_for_a_collection_of_garbage(
    site: Site, executions: list[ref[executing.Execution]], document: str
) -> None:
    """A collection makes every client of the process wait."""
    site.data(document)
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        for _ in range(3):
            site.data(document)
        assert len(executions) == 4
        assert [one for one in executions[1:] if one() is not None] == []
    finally:
        if was_enabled:
            gc.enable()


def test_a_resolver_can_use_the_librarys_helpers_while_its_operation_runs() -> None:
    class Owner:
        def double(self, number: int) -> int:
            return 2 * number

    owner = Owner()
    call = executing.weakly(owner.double)
    assert call(4) == 8
    del owner
    with pytest.raises(ReferenceError, match="over"):
        call(4)
    assert "async_helpers" in GraphQLResolveInfo._fields
