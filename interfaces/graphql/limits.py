"""How much one GraphQL request may ask for. All of it is settled before anything is resolved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    NameNode,
    Node,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    get_operation_ast,
    parse,
    specified_rules,
    validate,
)
from graphql.language.ast import QUERY_DOCUMENT_KEYS
from strawberry.extensions import SchemaExtension
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from interfaces.graphql.choosing import check_choice
from interfaces.graphql.cost import BUDGET, Costing
from interfaces.graphql.errors import is_production
from interfaces.graphql.shape import Measuring, Shape, pairs_to_merge, selecting
from interfaces.graphql.values import refused_literal, refused_variable

MAX_LENGTH = 20_000  # characters of a document
MAX_TOKENS = 1_000
MAX_COMMENTS = 200
MAX_NAME = 100  # characters
MAX_FIELDS = 500  # as they are written
MAX_OPERATIONS = 10
MAX_FRAGMENTS = 50
MAX_VARIABLES = 50  # of one operation
MAX_DIRECTIVES = 20
MAX_DIRECTIVES_AT_ONCE = 4  # on one field, fragment or operation
MAX_SELECTIONS = 2_000  # with every fragment written out
MAX_DEPTH = 15
MAX_INTROSPECTION_DEPTH = 18  # what explorers begin with goes 14 deep
MAX_NESTING = 40  # levels of braces: clients put each part of a page in a fragment
MAX_ALIASES = 15
MAX_TYPENAMES = 100  # clients add one to each object
MAX_INTROSPECTIONS = 3  # fields `__schema` and `__type`
MAX_PAIRS = 2_000  # of fields that validation has to compare with each other
MAX_ERRORS = 10  # of one validation
MAX_DOCUMENTS = 128  # that are kept parsed and checked
MAX_COSTS = 1_024  # of operations with variables of certain sizes

RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)
RULES_IN_PRODUCTION = (*RULES, NoSchemaIntrospectionCustomRule)


VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"


class TooMuchError(GraphQLError):
    """The request breaks a limit; the message says which."""

    def __init__(self, message: str) -> None:
        super().__init__(message, extensions={"code": "LIMIT_EXCEEDED"})


class ValueRefusedError(GraphQLError):
    """A value can be neither stored nor looked for, or is too large."""

    def __init__(self, message: str, node: Node | None = None) -> None:
        super().__init__(message, node, extensions={"code": "ARGUMENT_REFUSED"})


@dataclass(frozen=True, slots=True)
class Checked:
    document: DocumentNode
    errors: tuple[GraphQLError, ...]  # what validation found


class RequestLimits(SchemaExtension):
    """
    Parses, measures and validates, in this order: what would occupy the process is refused
    before the step that it would occupy. Repeated documents are found in a cache.
    """

    _checked: Checked | None = None

    def on_parse(self) -> Iterator[None]:
        asked = self.execution_context
        if asked.query:
            graphql_schema = asked.schema._schema  # noqa: SLF001 - every extension needs it
            self._checked = check(graphql_schema, asked.query, is_production(asked.context))
            asked.graphql_document = self._checked.document
            check_choice(asked)
        yield

    def on_validate(self) -> Iterator[None]:
        asked = self.execution_context
        if self._checked is not None:
            asked.pre_execution_errors = list(self._checked.errors)
            if not self._checked.errors:
                check_values(asked.variables)
                check_cost(asked)
        yield


@lru_cache(maxsize=MAX_DOCUMENTS)
def check(schema: GraphQLSchema, text: str, is_production: bool) -> Checked:  # noqa: FBT001 - a key
    """
    Raises:
        GraphQLError: if it cannot be parsed.
        TooMuchError, ValueRefusedError
    """
    if len(text) > MAX_LENGTH:
        raise TooMuchError(f"A document has at most {MAX_LENGTH:,} characters.")
    document = parse(
        text,
        max_lexical_tokens=MAX_TOKENS,
        max_comments=MAX_COMMENTS,
        allow_empty_selection_sets=False,
    )
    check_parts(document)
    check_shape(document)
    errors = validate(
        schema,
        document,
        RULES_IN_PRODUCTION if is_production else RULES,
        max_errors=MAX_ERRORS,
        hide_suggestions=is_production,
    )
    for error in errors:
        error.extensions = {"code": VALIDATION_FAILED}
    return Checked(document, tuple(errors))


def check_parts(document: DocumentNode) -> None:
    """
    Looks at each node once.

    Raises:
        TooMuchError, ValueRefusedError
    """
    definitions = selecting(document)
    operations = [part for part in definitions if isinstance(part, OperationDefinitionNode)]
    at_most(MAX_OPERATIONS, len(operations), "operations")
    at_most(MAX_FRAGMENTS, len(definitions) - len(operations), "fragments")
    for operation in operations:
        at_most(MAX_VARIABLES, len(operation.variable_definitions or ()), "variables")
    fields = directives = 0
    waiting: list[Node] = [document]
    while waiting:
        node = waiting.pop()
        if isinstance(node, NameNode) and len(node.value) > MAX_NAME:
            raise TooMuchError(f"A name has at most {MAX_NAME} characters.")
        if reason := refused_literal(node):
            raise ValueRefusedError(reason, node)
        fields += isinstance(node, FieldNode)
        directives += isinstance(node, DirectiveNode)
        at_once = len(getattr(node, "directives", None) or ())
        at_most(MAX_DIRECTIVES_AT_ONCE, at_once, "directives in one place")
        waiting += inside(node)
    at_most(MAX_FIELDS, fields, "fields")
    at_most(MAX_DIRECTIVES, directives, "directives")


def inside(node: Node) -> Iterator[Node]:
    for key in QUERY_DOCUMENT_KEYS.get(node.kind, ()):
        found = getattr(node, key, None)
        if isinstance(found, Node):
            yield found
        elif found:
            yield from found


def check_shape(document: DocumentNode) -> None:
    """
    Raises:
        GraphQLError: if a fragment is missing or uses itself, which must not be walked.
        TooMuchError
    """
    measuring = Measuring(document)
    total = Shape()
    for definition in selecting(document):
        shape = measuring.of(definition.selection_set)
        check_size(shape)
        if isinstance(definition, FragmentDefinitionNode):
            continue  # it is counted where it is used
        total.add(shape)
    check_size(total)
    if pairs_to_merge(document, MAX_PAIRS) > MAX_PAIRS:
        raise TooMuchError("The document selects the same fields too often.")


def check_size(shape: Shape) -> None:
    at_most(MAX_SELECTIONS, shape.fields, "fields, fragments written out")
    at_most(MAX_ALIASES, shape.aliases, "aliases, fragments written out")
    at_most(MAX_TYPENAMES, shape.typenames, "fields `__typename`, fragments written out")
    at_most(MAX_INTROSPECTIONS, shape.introspections, "introspections, fragments written out")
    at_most(MAX_DEPTH, shape.depth, "levels of fields")
    at_most(MAX_NESTING, shape.nesting, "levels of braces")
    at_most(MAX_INTROSPECTION_DEPTH, shape.introspection_depth, "levels of introspection")


def at_most(limit: int, count: int, what: str) -> None:
    if count > limit:
        raise TooMuchError(f"A document has at most {limit:,} {what}.")


def check_values(variables: dict[str, Any] | None) -> None:
    """
    Raises:
        ValueRefusedError
    """
    if reason := refused_variable(variables):
        raise ValueRefusedError(reason)


def check_cost(asked: Any) -> None:
    """
    Raises:
        TooMuchError
    """
    sizes = tuple((name, size_of(value)) for name, value in (asked.variables or {}).items())
    graphql_schema = asked.schema._schema  # noqa: SLF001 - every extension needs it
    production = is_production(asked.context)
    cost = cost_of(graphql_schema, asked.query, production, asked.operation_name, sizes)
    if cost > BUDGET:
        raise TooMuchError(
            f"The operation would cost {cost:,.0f}, and may cost {BUDGET:,.0f}: ask for fewer "
            "items a page, for fewer fields, or in several requests."
        )


def size_of(value: object) -> int | None:
    """All of a variable that can make an operation cost more or less."""
    if isinstance(value, list):
        return len(value)
    return value if isinstance(value, int) else None


@lru_cache(maxsize=MAX_COSTS)
def cost_of(
    schema: GraphQLSchema,
    text: str,
    is_production: bool,  # noqa: FBT001 - a key
    name: str | None,
    sizes: tuple[tuple[str, int | None], ...],
) -> float:
    """Of an operation of a document that was checked; 0 if it has none of this name."""
    document = check(schema, text, is_production).document
    operation = get_operation_ast(document, name)
    if operation is None:
        return 0.0  # executing it says so
    return Costing(schema, document, dict(sizes)).of(operation)


def limits() -> Sequence[Callable[[], SchemaExtension]]:
    """Made anew for each operation, as Strawberry wants them."""
    return [RequestLimits]
