"""Which of the two media types of “GraphQL over HTTP” a client gets."""

from __future__ import annotations

from http import HTTPStatus

from cross_web import HTTPException

JSON = "application/json"
GRAPHQL_RESPONSE = "application/graphql-response+json"
WILDCARDS = ("application/*", "*/*")


def answer_type(accept: str | None) -> str:
    """
    The one named with more weight; of equal ones the newer, whose status codes tell more.
    Who names neither but takes anything, or says nothing, gets what older clients expect.

    Raises:
        HTTPException: 406, if the client accepts neither.
    """
    if not (accept or "").strip():
        return JSON
    weights = weighed(accept or "")
    named = {kind: weights.get(kind, 0.0) for kind in (GRAPHQL_RESPONSE, JSON)}
    best = max(named, key=lambda kind: named[kind])
    if named[best] > 0:
        return best
    if JSON not in weights and any(weights.get(kind, 0.0) > 0 for kind in WILDCARDS):
        return JSON
    raise HTTPException(
        HTTPStatus.NOT_ACCEPTABLE, f"The answer is {GRAPHQL_RESPONSE} or {JSON}; accept one."
    )


def weighed(accept: str) -> dict[str, float]:
    """Media type -> weight, 0 to 1. A weight that is no number counts as 1."""
    weights = {}
    for part in accept.split(","):
        kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                weight = number(value.strip())
        weights[kind] = weight
    return weights


def number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0
