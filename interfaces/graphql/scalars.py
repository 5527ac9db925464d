"""Scalars of our own."""

from __future__ import annotations

from typing import NewType

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

BIGGEST = 2**53 - 1  # beyond, readers of JSON round

# A position or a size: GraphQL's Int ends at 2,147,483,647, a file of 2 GiB or a busy log does not.
BigInt = NewType("BigInt", int)


def whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > BIGGEST:
        raise GraphQLError(f"a BigInt is a whole number between -{BIGGEST} and {BIGGEST}")
    return value


BIG_INT: ScalarDefinition = strawberry.scalar(
    name="BigInt",
    description="A whole number of up to 53 bits, written as a JSON number.",
    serialize=whole,
    parse_value=whole,
)
