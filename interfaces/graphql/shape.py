"""The shape of one GraphQL document: how large and how deep it is, with fragments written out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

INTROSPECTION = frozenset({"__schema", "__type"})


@dataclass(slots=True)
class Shape:
    """
    Of one selection set.

    Attributes:
        fields: selected, with each fragment written out wherever it is used.
        aliases: of these, how many have a name of their own.
        typenames: of these, how many ask for `__typename`.
        introspections: of these, how many ask for the schema or a type of it.
        depth: levels of fields, leaves included.
        introspection_depth: the same below `__schema` and `__type`, which count once in `depth`.
        nesting: levels of braces, those of fragments included.
    """

    fields: int = 0
    aliases: int = 0
    typenames: int = 0
    introspections: int = 0
    depth: int = 0
    introspection_depth: int = 0
    nesting: int = 0

    def add(self, other: Shape) -> None:
        """What stands beside it."""
        self.fields += other.fields
        self.aliases += other.aliases
        self.typenames += other.typenames
        self.introspections += other.introspections
        self.depth = max(self.depth, other.depth)
        self.introspection_depth = max(self.introspection_depth, other.introspection_depth)
        self.nesting = max(self.nesting, other.nesting)


class Measuring:
    """
    Each fragment is measured once, however often it is used, so the time is linear in the text.

    Raises:
        GraphQLError: from its methods, if a fragment is missing or uses itself.
    """

    def __init__(self, document: DocumentNode) -> None:
        self._fragments = fragments_of(document)
        self._measured: dict[str, Shape | None] = {}  # None: being measured

    def of(self, selection_set: SelectionSetNode | None) -> Shape:
        total = Shape()
        for selection in selection_set.selections if selection_set else ():
            if isinstance(selection, FieldNode):
                self._add_field(total, selection)
            elif isinstance(selection, FragmentSpreadNode):
                total.add(self._of_spread(selection))
            elif isinstance(selection, InlineFragmentNode):
                total.add(self.of(selection.selection_set))
        total.nesting += 1
        return total

    def _add_field(self, total: Shape, field: FieldNode) -> None:
        name = field.name.value
        total.fields += 1
        total.aliases += field.alias is not None
        total.typenames += name == "__typename"
        total.introspections += name in INTROSPECTION
        total.depth = max(total.depth, 1)
        if field.selection_set is None:
            return
        inner = self.of(field.selection_set)
        if name in INTROSPECTION:
            inner.introspection_depth, inner.depth = inner.depth, 0
        inner.depth += 1
        total.add(inner)

    def _of_spread(self, spread: FragmentSpreadNode) -> Shape:
        name = spread.name.value
        if name not in self._measured:
            if name not in self._fragments:
                raise GraphQLError(f"Unknown fragment '{name}'.", spread)
            self._measured[name] = None
            self._measured[name] = self.of(self._fragments[name].selection_set)
        shape = self._measured[name]
        if shape is None:
            raise GraphQLError(f"Cannot spread fragment '{name}' within itself.", spread)
        return shape


def fragments_of(document: DocumentNode) -> Mapping[str, FragmentDefinitionNode]:
    return {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }


def selecting(document: DocumentNode) -> list[OperationDefinitionNode | FragmentDefinitionNode]:
    return [
        definition
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode)
    ]


def pairs_to_merge(document: DocumentNode, most: int) -> int:
    """
    How many pairs of fields have the same name in the same place: validation compares each.

    Stops counting beyond `most`. Costs a step for each field with fragments written out.
    """
    fragments = fragments_of(document)
    pairs = 0
    waiting = [[definition.selection_set] for definition in selecting(document)]
    while waiting and pairs <= most:
        merged: dict[str, list[FieldNode]] = {}
        for field in written_out(waiting.pop(), fragments):
            name = field.alias or field.name
            merged.setdefault(name.value, []).append(field)
        for fields in merged.values():
            pairs += len(fields) * (len(fields) - 1) // 2
            inner = [field.selection_set for field in fields if field.selection_set]
            if inner:
                waiting.append(inner)
    return pairs


def written_out(
    selection_sets: Iterable[SelectionSetNode], fragments: Mapping[str, FragmentDefinitionNode]
) -> Iterable[FieldNode]:
    waiting = list(selection_sets)
    while waiting:
        for selection in waiting.pop().selections:
            if isinstance(selection, FieldNode):
                yield selection
            elif isinstance(selection, InlineFragmentNode):
                waiting.append(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode):
                waiting.append(fragments[selection.name.value].selection_set)
