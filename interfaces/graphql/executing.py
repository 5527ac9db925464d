"""Executes as the library does, with a shorter way for fields that are nothing but an attribute."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any
from weakref import WeakMethod

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLID,
    GraphQLObjectType,
    GraphQLString,
    get_nullable_type,
    is_leaf_type,
    is_non_null_type,
)
from graphql.type.definition import GraphQLResolveInfoHelpers
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.schema.schema_converter import GraphQLCoreConverter

Read = Callable[[Any], Any]

AS_THEY_ARE: Mapping[Any, type] = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool}
MAX_TYPES = 1_000  # there are less than a hundred


class Execution(StrawberryGraphQLCoreExecutionContext):
    """
    Most fields of an answer are attributes with a scalar in them. For these there is no resolver
    to be told of the operation, and nothing to wait for: they are read in a row. What is not as
    it should be is left to the library, which finds the same and says what is wrong with it.

    It goes as soon as its answer has: the library's helpers for resolvers would hold it in a
    circle, and with it all that was loaded, until a collection of garbage that every client waits
    for.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.async_helpers = GraphQLResolveInfoHelpers(
            gather=weakly(self.gather_async_work), track=weakly(self.track_async_work)
        )

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Any,
        grouped_field_set: Any,
        position_context: Any,
    ) -> Any:
        readers = readers_of(parent_type)
        results: dict[str, Any] = {}
        others: dict[str, Any] = {}
        for key, fields in grouped_field_set.items():
            read = readers.get(fields[0].node.name.value)
            # Assigned in any case: an answer has the order of its document.
            results[key] = None
            if read is not None:
                try:
                    results[key] = read(source_value)
                except Exception:  # noqa: BLE001 - it is met again, and then told
                    others[key] = fields
            else:
                others[key] = fields
        if not others:
            return results
        found: Any = super().execute_fields(
            parent_type, source_value, path, others, position_context
        )
        if self.is_awaitable(found):
            return joined(results, found)
        results.update(found)
        return results


def weakly(method: Callable[..., Any]) -> Callable[..., Any]:
    """Called as the method itself, as long as there is what it belongs to."""
    found = WeakMethod(method)

    def call(*args: Any) -> Any:
        bound = found()
        if bound is None:
            raise ReferenceError("the operation is over")
        return bound(*args)

    return call


async def joined(results: dict[str, Any], others: Any) -> dict[str, Any]:
    results.update(await others)
    return results


@lru_cache(maxsize=MAX_TYPES)
def readers_of(parent: GraphQLObjectType) -> Mapping[str, Read]:
    """From a field's name to what reads it from the object; without those that take more."""
    found = {name: reader_of(field) for name, field in parent.fields.items()}
    name = parent.name
    return {
        **{key: read for key, read in found.items() if read is not None},
        "__typename": lambda _source: name,
    }


def reader_of(field: GraphQLField) -> Read | None:
    """
    None unless the field is an attribute with one scalar or enum value. What is read raises
    an exception where the attribute is missing or has a value that the type does not allow.
    """
    kind = get_nullable_type(field.type)
    if field.args or not getattr(field.resolve, "_is_default", False) or not is_leaf_type(kind):
        return None
    attribute: str = field.extensions[GraphQLCoreConverter.DEFINITION_BACKREF].python_name
    if kind in AS_THEY_ARE:
        written = plainly(AS_THEY_ARE[kind], kind.coerce_output_value)
    elif isinstance(kind, GraphQLEnumType):
        written = enum_names(kind).__getitem__
    else:
        written = kind.coerce_output_value
    is_nullable = not is_non_null_type(field.type)

    def read(source: Any) -> Any:
        value = getattr(source, attribute)
        if value is None and is_nullable:
            return None
        found = written(value)
        if found is None:
            raise TypeError(attribute)
        return found

    return read


def plainly(expected: type, written: Read) -> Read:
    return lambda value: value if type(value) is expected else written(value)


def enum_names(kind: GraphQLEnumType) -> dict[Any, str]:
    """By the members of Python's enum, which resolvers return."""
    definition = kind.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
    names = {value.value: name for name, value in kind.values.items()}
    return {member: names[member.value] for member in definition.wrapped_cls}
