"""What no answer of the GraphQL endpoint may be, whatever it was asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.support.asgi import Answered

MAX_SECONDS = 2.0
EXPECTED = {200, 400, 403, 405, 406, 413, 415}
FAILED = {"INTERNAL", "UNAVAILABLE", "OVERLOADED", "DEADLINE_EXCEEDED"}


def faults(ask: Callable[[], Answered]) -> tuple[list[str], int]:
    """What is wrong with the answer, whatever the question was; and its status."""
    answer = ask()
    if answer.seconds > MAX_SECONDS:
        answer = ask()  # not if something else kept the machine busy
    return faults_of(answer), answer.status


def faults_of(answer: Answered) -> list[str]:
    found = faulty_payload(answer.json)
    if answer.status not in EXPECTED:
        found.append(f"status {answer.status}")
    if answer.seconds > MAX_SECONDS:
        found.append(f"it took {answer.seconds:.1f} s")
    return found


def faulty_payload(payload: Any) -> list[str]:
    if not isinstance(payload, Mapping) or not {"data", "errors"} & set(payload):
        return ["no answer of GraphQL's"]
    found = []
    if "errors" in payload and not payload["errors"]:
        found.append("no error among the errors")
    for error in payload.get("errors", []):
        code = error.get("extensions", {}).get("code")
        if not code or not error["message"]:
            found.append("an error without a code or a message")
        if code in FAILED:
            found.append(f"{code} at {error.get('path')}")
    return found
