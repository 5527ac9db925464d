"""Which subscribers get the same bytes: those who select the same, with the same variables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    OperationDefinitionNode,
    Visitor,
    print_ast,
    visit,
)
from graphql.language import VariableNode, ast


def group_of(
    document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> bytes:
    """
    Equal for operations whose payload of an item is equal. What the root field is asked for, such
    as the position to begin after, decides which items there are, not how each looks.

    Args:
        document: valid, so that a subscription has one root field.
        variables: as the client sent them.
    """
    shaping = [
        shape(operation),
        *(node for node in document.definitions if isinstance(node, FragmentDefinitionNode)),
    ]
    names = Names()
    for node in shaping:
        visit(node, names)
    defaults = {
        definition.variable.name.value: print_ast(definition.default_value)
        for definition in operation.variable_definitions or ()
        if definition.default_value is not None
    }
    values = [
        (name, name in variables, variables.get(name), defaults.get(name))
        for name in sorted(names.found)
    ]
    text = "\n".join([*map(print_ast, shaping), json.dumps(values, sort_keys=True)])
    return sha256(text.encode(errors="surrogatepass")).digest()


def shape(operation: OperationDefinitionNode) -> ast.Node:
    """What it selects, without the root field's arguments."""
    selected = operation.selection_set
    root = selected.selections[0]
    if len(selected.selections) > 1 or not isinstance(root, FieldNode):
        return selected  # the root field stands in a fragment: its arguments count, harmlessly
    return FieldNode(
        alias=root.alias,
        name=root.name,
        directives=root.directives,
        selection_set=root.selection_set,
        arguments=(),
    )


class Names(Visitor):
    """Collects the names of the variables that are used."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.found.add(node.name.value)
