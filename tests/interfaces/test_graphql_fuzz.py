"""Ten thousand requests that nobody should send: each is answered soon, and breaks nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from functools import partial
from random import Random
from urllib.parse import quote_from_bytes

import pytest
from structlog.testing import capture_logs

from infrastructure.container import Container
from interfaces.graphql.accept import GRAPHQL_RESPONSE
from interfaces.graphql.schema import schema
from tests.support.asgi import Caller
from tests.support.graphql_faults import faults
from tests.support.graphql_site import application
from tests.support.malformed import Bodies, Documents, headers
from tests.support.projected_container import container

__all__ = ["container"]

SEED = 20_240_301
BODIES = 6_500
DOCUMENTS = 1_000  # each is executed, which takes ten times as long as to refuse a body
URLS = 500
LONG = [pytest.mark.long, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def caller(container: Container) -> Iterator[Caller]:
    caller = Caller(application(container))
    yield caller
    caller.close()


@pytest.mark.parametrize("count", [DOCUMENTS, pytest.param(10_000, marks=LONG)])
def test_documents_that_are_nearly_right(caller: Caller, count: int) -> None:
    documents = Documents(schema._schema, Random(SEED))
    statuses: Counter[bool] = Counter()
    broken = []
    with capture_logs() as logs:
        for _ in range(count):
            payload = documents.next()
            body = json.dumps(payload).encode()
            found, status = faults(partial(caller.post, body, accept=GRAPHQL_RESPONSE))
            statuses[status == 200] += 1
            if found:
                broken.append((found, payload))
    errors = [entry for entry in logs if entry["log_level"] in {"error", "critical"}]
    assert broken == []
    assert errors == []
    # Else only the first check of many would have been tried.
    assert min(statuses[True], statuses[False]) > count / 10, statuses


def test_bodies_that_are_damaged(caller: Caller) -> None:
    random = Random(SEED + 1)
    bodies = Bodies(Documents(schema._schema, random), random)
    broken = []
    with capture_logs() as logs:
        for number in range(BODIES):
            body = bodies.next()
            parts = [body] if number % 5 else [body[:7], body[7:], b""]
            found, _ = faults(partial(caller.post, parts, **dict(headers(random))))
            if found:
                broken.append((found, body))
    assert broken == []
    assert [entry for entry in logs if entry["log_level"] in {"error", "critical"}] == []


def test_urls_that_are_damaged(caller: Caller) -> None:
    random = Random(SEED + 2)
    documents = Documents(schema._schema, random)
    bodies = Bodies(documents, random)
    broken = []
    for _ in range(URLS):
        payload = documents.next()
        parts = [
            b"query=" + quote_from_bytes(payload["query"].encode("utf-8", "replace")).encode(),
            b"variables=" + quote_from_bytes(bodies.next()).encode(),
            b"extensions=" + random.choice([b"", b"{}", b"[]", bodies.next()[:50]]),
            bodies.next()[:200],
        ]
        query = b"&".join(random.sample(parts, random.randint(1, len(parts))))
        found, _ = faults(partial(caller.send, "GET", query=query, headers={"accept": "*/*"}))
        if found:
            broken.append((found, query))
    assert broken == []
