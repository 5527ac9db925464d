"""What the GraphQL endpoint makes of requests, good and bad. Nothing here needs a database."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from interfaces.graphql.accept import GRAPHQL_RESPONSE, JSON
from interfaces.graphql.decoding import MAX_BODY, MAX_NESTING
from interfaces.graphql.schema import schema
from tests.support.graphql_site import SECRET, URL, NoContainer, Site, application
from tests.support.http_server import serve

REPOSITORY = Path(__file__).parents[2]
COMMITTED = REPOSITORY / "interfaces" / "graphql" / "schema.graphql"
AUDIT = Path(__file__).parent / "graphql_audit"
AUDITS = 61

TYPENAME = '{"query": "{__typename}"}'


@pytest.fixture(scope="module")
def site() -> Site:
    return Site(NoContainer())


def nested(levels: int) -> bytes:
    return b'{"query": "{__typename}", "x": ' + b"[" * levels + b"]" * levels + b"}"


def test_the_committed_schema_is_the_schema() -> None:
    assert COMMITTED.read_text("utf-8") == schema.as_str() + "\n", (
        "the schema changed; to refresh its copy: "
        ".venv/bin/python -m interfaces.graphql.schema > interfaces/graphql/schema.graphql"
    )


def test_everything_in_the_schema_is_described() -> None:
    introspected: Any = schema.introspect()
    undescribed = []
    for kind in introspected["__schema"]["types"]:
        if kind["name"].startswith("__"):
            continue
        parts = [*(kind["fields"] or []), *(kind["enumValues"] or [])]
        arguments = [argument for part in parts for argument in part.get("args", [])]
        undescribed += [
            f"{kind['name']}.{part['name']}"
            for part in [kind, *parts, *arguments]
            if not part["description"]
        ]
    assert undescribed == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'[{"query": "{__typename}"}]',
        b"1",
        b"null",
        b'"{__typename}"',
        b"{",
        b"NaN",
        b'{"query": NaN}',
        b'{"query": "\xff"}',
        b'{"query": "\\ud800"}',
        b'\xef\xbb\xbf{"query": "{__typename}"}',
        '{"query": "{__typename}"}'.encode("utf-16"),
        b'{"query": "{__typename}"}\x00',
        b"\x00",
        b'{"query": "{__\x00typename}"}',
        nested(MAX_NESTING),
        nested(100_000),
        b'{"a":' * 40_000 + b"1" + b"}" * 40_000,
        b'{"query": 1}',
        b'{"query": ["{__typename}"]}',
        b'{"query": "{__typename}", "variables": []}',
        b'{"query": "{__typename}", "variables": "{}"}',
        b'{"query": "{__typename}", "operationName": 5}',
        b'{"query": "{__typename}", "operationName": ["a"]}',
        b'{"query": "{__typename}", "extensions": 1}',
        b'{"query": "query A {__typename}", "operationName": "B"}',
        b'{"query": "fragment A on Query {__typename}"}',
        b"{}",
        b'{"query": ""}',
        b'{"query": null}',
    ],
    ids=lambda body: repr(body[:40]),
)
def test_a_malformed_request_is_refused_with_400_and_a_reason(site: Site, body: bytes) -> None:
    with capture_logs() as logs:
        answer = site.post(body, accept=GRAPHQL_RESPONSE)
    assert answer.status_code == 400, answer.text
    assert set(answer.json()) == {"errors"}
    assert answer.json()["errors"][0]["message"]
    assert answer.headers["content-type"] == f"{GRAPHQL_RESPONSE}; charset=utf-8"
    assert logs == []


def test_json_may_be_nested_as_far_as_anybody_needs(site: Site) -> None:
    assert site.post(nested(MAX_NESTING - 2)).json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize("name", ["variables", "extensions"])
@pytest.mark.parametrize("value", ["[]", "1", "{", '"x"', "\x00", "[" * 1000])
def test_a_malformed_part_of_a_url_is_refused_with_400(site: Site, name: str, value: str) -> None:
    answer = site.send("GET", params={"query": "{__typename}", name: value})
    assert answer.status_code == 400


def test_a_body_that_is_too_large_is_refused_unread(site: Site) -> None:
    assert site.post(b" " * (MAX_BODY + 1)).status_code == 413


@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data; boundary=x", ""])
def test_what_a_web_form_could_send_is_refused(site: Site, content_type: str) -> None:
    headers = {"content-type": content_type}
    assert site.send(content=TYPENAME, headers=headers).status_code == 415


@pytest.mark.parametrize("accept", [JSON, "*/*", GRAPHQL_RESPONSE])
def test_a_request_without_a_document_is_refused_with_400(site: Site, accept: str) -> None:
    answer = site.send("GET", headers={"accept": accept})
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]) == (
        400,
        {"code": "BAD_REQUEST"},
    )


def test_a_page_of_another_site_may_not_even_read(site: Site) -> None:
    """A search leaves an event behind, so an image of another page must not search."""
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "http://elsewhere.example"}):
        answer = site.send("GET", params={"query": "{__typename}"}, headers=headers)
        assert answer.status_code == 403


def test_other_methods_are_told_which_ones_there_are(site: Site) -> None:
    answer = site.send("PUT", content=TYPENAME)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL_RESPONSE, GRAPHQL_RESPONSE),
        (f"{GRAPHQL_RESPONSE}, {JSON};q=0.9", GRAPHQL_RESPONSE),
        (f"{JSON}, {GRAPHQL_RESPONSE}", GRAPHQL_RESPONSE),
        (f"{GRAPHQL_RESPONSE};q=0.5, {JSON}", JSON),
        (f"Application/GraphQL-Response+JSON;charset=utf-8, {JSON};q=x", GRAPHQL_RESPONSE),
        (f"{JSON};q=0, */*", None),
        ("text/html", None),
    ],
)
def test_the_client_gets_the_media_type_that_it_prefers(
    site: Site, accept: str, media_type: str | None
) -> None:
    answer = site.post(TYPENAME, accept=accept)
    if media_type is None:
        assert answer.status_code == 406
    else:
        assert answer.headers["content-type"] == f"{media_type}; charset=utf-8"
        assert answer.json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize(
    "query",
    [
        "{",
        "{unknown}",
        "{...Missing}",
        "{...A} fragment A on Query {...A}",
        "{...A} fragment A on Query {...B} fragment B on Query {...A ...A}",
        'query($limit: Int!) {search(query: "x", limit: $limit) {__typename}}',
        '{search(query: "x", minPosition: "1") {__typename}}',
        '{search(query: "x", minPosition: 9007199254740992) {__typename}}',
        '{search(query: "x", limit: 2147483648) {__typename}}',
    ],
    ids=lambda query: query[:40],
)
def test_a_document_that_cannot_or_must_not_run_is_refused_with_400(site: Site, query: str) -> None:
    with capture_logs() as logs:
        answer = site.post(json.dumps({"query": query}), accept=GRAPHQL_RESPONSE)
    assert answer.status_code == 400, answer.text
    assert set(answer.json()) == {"errors"}
    assert "Something unexpected" not in answer.text
    assert logs == []


def test_an_unexpected_error_is_logged_under_a_reference_and_says_nothing_else(
    site: Site,
) -> None:
    with capture_logs() as logs:
        answer = site.ask("{workspaces {__typename}}")
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "INTERNAL"
    assert "secret" not in json.dumps(answer)
    [entry] = logs
    assert entry["reference"] == error["extensions"]["reference"]
    assert entry["reference"] in error["message"]
    assert SECRET not in entry["traceback"]


def test_what_blocks_does_not_keep_other_requests_waiting() -> None:
    """A query that waits for the database occupies a thread, never the event loop."""
    is_answered = Event()

    class Slow(NoContainer):
        @property
        def pool(self) -> Any:
            assert is_answered.wait(timeout=10), "the loop was blocked"
            raise RuntimeError("answered meanwhile")

    async def ask_both() -> None:
        transport = httpx.ASGITransport(application(Slow()))
        async with httpx.AsyncClient(transport=transport) as client:
            slow = asyncio.create_task(
                client.post(URL, json={"query": "{workspaces {__typename}}"})
            )
            await asyncio.sleep(0.05)
            quick = await client.post(URL, json={"query": "{__typename}"})
            assert not slow.done()
            assert quick.json() == {"data": {"__typename": "Query"}}
            is_answered.set()
            await slow

    with capture_logs() as logs:
        asyncio.run(ask_both())
    assert "RuntimeError" in logs[0]["traceback"]


def test_one_request_may_not_ask_for_more_than_an_answer_can_hold(site: Site) -> None:
    searches = " ".join(
        f's{n}: search(query: "x", limit: 100, context: 20) {{__typename}}' for n in range(3)
    )
    with capture_logs():  # the others fail: there is nothing to search in
        errors = site.ask(f"{{{searches}}}")["errors"]
    assert [error["extensions"]["code"] for error in errors].count("ANSWER_TOO_LARGE") == 1


@pytest.mark.parametrize("first", [0, -1, 101])
def test_a_page_has_a_size(site: Site, first: int) -> None:
    [error] = site.ask("query($first: Int!) {uploads(first: $first) {__typename}}", first=first)[
        "errors"
    ]
    assert error["extensions"]["code"] == "ARGUMENT_REFUSED"


def test_the_endpoint_passes_every_audit_of_graphql_over_http() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    if not (AUDIT / "node_modules" / "graphql-http").is_dir():
        pytest.skip(f"run `npm ci` in {AUDIT.relative_to(REPOSITORY)} to audit the endpoint")
    with serve(application(NoContainer())) as port:
        done = subprocess.run(
            [node, "audit.mjs", f"http://127.0.0.1:{port}/graphql"],
            cwd=AUDIT,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
    outcomes = json.loads(done.stdout)
    assert [outcome for outcome in outcomes if outcome["status"] != "ok"] == []
    assert len(outcomes) == AUDITS
