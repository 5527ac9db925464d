"""What has an id of its own and can be asked for again by it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import strawberry
from strawberry.types.lazy_type import LazyType

from interfaces.graphql.connections import Connection


@strawberry.interface(description="Whatever has an id by which `node` finds it again.")
class Node:
    id: strawberry.ID = strawberry.field(
        description="Names one thing of the archive, and its type, for example "
        "`Upload:5b1f0d3c-6a55-5d0e-9f43-0f6a2c1f1d4e`. Take it as a "
        "whole; nothing else will ever have it."
    )


def later(name: str, module: str) -> Any:
    """A type that is declared in a module which itself needs the caller's."""
    return LazyType(name, f"interfaces.graphql.{module}")


def later_connection(name: str, module: str) -> Any:
    """The same, a page of them."""
    generic: Any = Connection
    return generic[later(name, module)]


def type_of(name: str, module: str) -> Any:
    """The class itself, once every module is loaded."""
    return getattr(import_module(f"interfaces.graphql.{module}"), name)
