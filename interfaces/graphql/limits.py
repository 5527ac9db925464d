"""How much one GraphQL document may ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
)
from strawberry.extensions import (
    AddValidationRules,
    MaxAliasesLimiter,
    MaxTokensLimiter,
    ParserCache,
    QueryDepthLimiter,
    SchemaExtension,
    ValidationCache,
)

MAX_DEPTH = 10
MAX_TOKENS = 1_000
MAX_ALIASES = 15
MAX_SELECTIONS = 2_000  # with every fragment written out
MAX_DOCUMENTS = 128  # that are kept parsed and checked

Selecting = OperationDefinitionNode | FragmentDefinitionNode | FieldNode | InlineFragmentNode


class MaxSelectionsLimiter(SchemaExtension):
    """
    Counts the fields as if every fragment were written out where it is used.

    Must come first: the limiters of depth and aliases do write them out, so that a document of
    1 KB with fragments that use the next one twice would occupy the process for ever, and they
    fail with KeyError where a fragment is missing.
    """

    def on_parse(self) -> Iterator[None]:
        yield
        document = self.execution_context.graphql_document
        if document is not None:
            check_selections(document)


def check_selections(document: DocumentNode) -> None:
    """
    Raises:
        GraphQLError: if there are too many, or if a fragment is missing or uses itself.
    """
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    counted: dict[str, int | None] = {}  # None: being counted

    def count_spread(spread: FragmentSpreadNode) -> int:
        name = spread.name.value
        if name not in counted:
            if name not in fragments:
                raise GraphQLError(f"Unknown fragment '{name}'.", spread)
            counted[name] = None
            counted[name] = count(fragments[name])
        total = counted[name]
        if total is None:
            raise GraphQLError(f"Cannot spread fragment '{name}' within itself.", spread)
        return total

    def count(node: Selecting) -> int:
        selections = node.selection_set.selections if node.selection_set else ()
        total = sum(
            count_spread(selection)
            if isinstance(selection, FragmentSpreadNode)
            else 1 + count(selection)
            for selection in selections
            if isinstance(selection, FragmentSpreadNode | FieldNode | InlineFragmentNode)
        )
        if total > MAX_SELECTIONS:
            raise GraphQLError(
                f"The document selects more than {MAX_SELECTIONS:,} fields, fragments written out."
            )
        return total

    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode):
            count(definition)


# Made once: each call of the library makes other classes, which no cache would recognise.
RULES = (
    *QueryDepthLimiter(max_depth=MAX_DEPTH).validation_rules,
    *MaxAliasesLimiter(max_alias_count=MAX_ALIASES).validation_rules,
)


def limits() -> Sequence[Callable[[], SchemaExtension]]:
    """Made anew for each operation, as Strawberry wants them. The order matters."""
    return [
        MaxSelectionsLimiter,
        lambda: MaxTokensLimiter(max_token_count=MAX_TOKENS),
        lambda: AddValidationRules(list(RULES)),
        # Clients repeat their documents; parsing and checking them takes longer than execution.
        lambda: ParserCache(maxsize=MAX_DOCUMENTS),
        lambda: ValidationCache(maxsize=MAX_DOCUMENTS),
    ]
