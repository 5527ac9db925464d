"""What an operation may cost before it is carried out: rows first, then every field of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLArgument,
    GraphQLCompositeType,
    GraphQLField,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Undefined,
    ValueNode,
    VariableNode,
    get_named_type,
    is_composite_type,
    is_enum_type,
    is_list_type,
    is_non_null_type,
)

from interfaces.graphql.shape import fragments_of

BUDGET = 10_000.0
FIELD = 0.1  # a value that is resolved and written down; takes some 10 microseconds
ITEM = 1.0  # a row that is read and held
MAX_PAGE = 100  # items; resolvers refuse to give more
DEFAULT_PAGE = 50  # where the request names no size
UNSIZED = 10  # items of a list of which the request does not say how long it may get

# What costs more than a field, by its name.
WEIGHTS: Mapping[str, float] = {
    "Query.search": 50.0,
    "Query.runSavedSearch": 50.0,
    "Query.replaySearch": 100.0,  # it searches twice
    "Message.similar": 500.0,  # a search, of each message of a list
}
MUTATION = 10.0  # an event is appended
# Items, of lists of which more is known.
SIZES: Mapping[str, float] = {
    "Hit.highlights": 3,
    "Query.projections": 20,
    "ReplayComparison.hits": MAX_PAGE,
    "ReplayComparison.gone": MAX_PAGE,
}
# Arguments that say how many items there may be, or which.
SIZED_BY = ("first", "last", "limit", "ids")


class Costing:
    """
    Of one operation, with its variables. A fragment is reckoned once for each size of page.

    The document must be valid.
    """

    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]
    ) -> None:
        self._schema = schema
        self._fragments = fragments_of(document)
        self._given = variables
        self._defaults: dict[str, ValueNode | None] = {}
        self._reckoned: dict[tuple[str, int], float] = {}
        self._sizes = {**SIZES, **introspected(schema)}

    def of(self, operation: OperationDefinitionNode) -> float:
        root = self._schema.get_root_type(operation.operation)
        if root is None:
            return 0.0  # executing it says so
        self._defaults = {
            definition.variable.name.value: definition.default_value
            for definition in operation.variable_definitions or ()
        }
        return self._of_set(root, operation.selection_set, 1)

    def _of_set(
        self, parent: GraphQLCompositeType, selection_set: SelectionSetNode, page: int
    ) -> float:
        """`page`: items of the page that `parent` is, if it is one."""
        total = 0.0
        for selection in selection_set.selections:
            if isinstance(selection, FieldNode):
                total += self._of_field(parent, selection, page)
            elif isinstance(selection, FragmentSpreadNode):
                total += self._of_fragment(selection.name.value, page)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                kind = self._named(condition.name.value) if condition else parent
                total += self._of_set(kind, selection.selection_set, page)
        return total

    def _of_fragment(self, name: str, page: int) -> float:
        key = (name, page)
        if key not in self._reckoned:
            fragment = self._fragments[name]
            kind = self._named(fragment.type_condition.name.value)
            self._reckoned[key] = self._of_set(kind, fragment.selection_set, page)
        return self._reckoned[key]

    def _of_field(self, parent: GraphQLCompositeType, node: FieldNode, page: int) -> float:
        definition = self._schema.get_field(parent, node.name.value)
        if definition is None or node.selection_set is None:
            return FIELD
        kind = get_named_type(definition.type)
        if not is_composite_type(kind):
            return FIELD
        name = f"{parent.name}.{node.name.value}"
        weight = WEIGHTS.get(name, FIELD)
        if parent is self._schema.mutation_type:
            weight = MUTATION
        if not is_list(definition):
            # A page is read as a whole; its items multiply what is asked of each.
            items = self._size(definition, node)
            return weight + self._of_set(kind, node.selection_set, 1 if items is None else items)
        is_page = parent.name.endswith("Connection") or name == "SearchResult.hits"
        size: float | None = page if is_page else self._size(definition, node)
        if size is None:
            size = self._sizes.get(name, UNSIZED)
        return weight + size * (ITEM + self._of_set(kind, node.selection_set, 1))

    def _size(self, definition: GraphQLField, node: FieldNode) -> int | None:
        """Items at most, as the arguments say. None: none of them says."""
        sizing = [name for name in SIZED_BY if name in definition.args]
        if not sizing:
            return None
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        sizes = []
        for name in sizing:
            if name in given:
                sizes.append(self._length(given[name]))
            else:
                sizes.append(self._default(definition.args[name]))
        known = [size for size in sizes if size is not None]
        return max(0, min(max(known, default=DEFAULT_PAGE), MAX_PAGE))

    def _default(self, argument: GraphQLArgument) -> int | None:
        if argument.default is not None and argument.default.literal:
            return self._length(argument.default.literal)
        value = argument.default.value if argument.default else argument.default_value
        return value if isinstance(value, int) else None

    def _length(self, node: ValueNode | None) -> int | None:
        """Of a list, or the number itself. None: null, or not known."""
        if isinstance(node, VariableNode):
            name = node.name.value
            value = self._given.get(name, Undefined)
            if value is Undefined:
                return self._length(self._defaults.get(name))
            if isinstance(value, list):
                return len(value)
            return value if isinstance(value, int) else None
        if isinstance(node, ListValueNode):
            return len(node.values)
        return int(node.value) if isinstance(node, IntValueNode) else None

    def _named(self, name: str) -> GraphQLCompositeType:
        kind = self._schema.get_type(name)
        if not is_composite_type(kind):
            raise TypeError(f"{name} has no fields")
        return kind


def is_list(definition: GraphQLField) -> bool:
    kind = definition.type
    return is_list_type(kind.of_type if is_non_null_type(kind) else kind)


@lru_cache(maxsize=8)
def introspected(schema: GraphQLSchema) -> Mapping[str, float]:
    """Items of the lists that describe the schema itself, on average."""
    types = schema.type_map.values()
    fields = [field for kind in types for field in getattr(kind, "fields", {}).values()]
    values = sum(len(kind.values) for kind in types if is_enum_type(kind))
    return {
        "__Schema.types": len(types),
        "__Schema.directives": len(schema.directives),
        "__Type.fields": len(fields) / len(types),
        "__Type.inputFields": 1,
        "__Type.enumValues": values / len(types),
        "__Type.interfaces": 1,
        "__Type.possibleTypes": 1,
        "__Field.args": sum(len(getattr(field, "args", ())) for field in fields) / len(fields),
        "__Directive.args": 1,
    }
