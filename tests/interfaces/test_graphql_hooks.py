"""The hooks of extensions: each once, in order, and out again in reverse, whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from strawberry.extensions import SchemaExtension

from interfaces.graphql.hooks import Hooks, hook_of
from interfaces.graphql.schema import schema

STAGES = ("on_operation", "on_parse", "on_validate", "on_execute")


class Outer(SchemaExtension):
    def __init__(self, seen: list[str]) -> None:
        self.seen = seen

    def on_operation(self) -> Iterator[None]:
        self.seen.append("outer begins")
        try:
            yield
        except ValueError as error:
            self.seen.append(f"outer saw {error}")
            raise
        finally:
            self.seen.append("outer ends")


class Inner(Outer):
    def on_operation(self) -> Iterator[None]:
        self.seen.append("inner begins")
        yield
        self.seen.append("inner ends")


class Broken(Outer):
    def on_operation(self) -> Iterator[None]:
        raise ValueError("at once")
        yield


async def pass_through(*extensions: SchemaExtension, error: Exception | None = None) -> None:
    async with Hooks(extensions, "on_operation"):
        if error is not None:
            raise error


def test_hooks_are_entered_in_order_and_left_in_reverse() -> None:
    seen: list[str] = []
    asyncio.run(pass_through(Outer(seen), SchemaExtension(), Inner(seen)))
    assert seen == ["outer begins", "inner begins", "inner ends", "outer ends"]


def test_an_exception_passes_every_hook() -> None:
    seen: list[str] = []
    with pytest.raises(ValueError, match="here"):
        asyncio.run(pass_through(Outer(seen), Inner(seen), error=ValueError("here")))
    assert seen == ["outer begins", "inner begins", "outer saw here", "outer ends"]


def test_a_hook_that_breaks_lets_those_before_it_end() -> None:
    seen: list[str] = []
    with pytest.raises(ValueError, match="at once"):
        asyncio.run(pass_through(Outer(seen), Broken(seen), Inner(seen)))
    assert seen == ["outer begins", "outer saw at once", "outer ends"]


def test_a_hook_of_another_kind_is_refused() -> None:
    class Plain(SchemaExtension):
        def on_parse(self) -> None:  # type: ignore[override]
            """No generator."""

    with pytest.raises(TypeError, match=r"Plain\.on_parse"):
        hook_of(Plain, "on_parse")


def test_every_extension_of_the_schema_has_hooks_of_the_known_kind() -> None:
    kinds = [type(extension) for extension in schema.get_extensions()]
    found = [hook_of(kind, stage) for kind in kinds for stage in STAGES]
    assert sum(hook is not None for hook in found) >= len(kinds)
