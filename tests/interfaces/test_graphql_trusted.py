"""Production: nobody explores the schema, and pages ask only for documents that are known."""

from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.testclient import TestClient

from interfaces.graphql.accept import GRAPHQL_RESPONSE
from interfaces.graphql.app import graphql_app
from interfaces.graphql.decoding import RefusedError
from interfaces.graphql.trusted import ManifestError, TrustedDocuments, manifest_of
from interfaces.http.app import make_app
from tests.support.asgi import Answered, Caller
from tests.support.graphql_site import NoContainer, application
from tests.support.live_client import peer
from tests.support.live_server import live_server

KNOWN = "query Known {\n  __typename\n}"
HASH = hashlib.sha256(KNOWN.encode()).hexdigest()
OTHER = "{__typename}"
BROWSERS: tuple[Mapping[str, str], ...] = (
    {"sec_fetch_site": "same-origin"},
    {"sec_fetch_site": "none"},
    {"origin": "http://127.0.0.1"},
)
DATA = {"data": {"__typename": "Query"}}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trusted") / "manifest.json"
    path.write_text(json.dumps({HASH: KNOWN}), "utf-8")
    return path


@pytest.fixture(scope="module")
def production(manifest: Path) -> Iterator[Caller]:
    container = NoContainer(
        CHATLEDGER_ENVIRONMENT="production", CHATLEDGER_TRUSTED_DOCUMENTS=str(manifest)
    )
    caller = Caller(application(container))
    yield caller
    caller.close()


@pytest.fixture(scope="module")
def development(manifest: Path) -> Iterator[Caller]:
    caller = Caller(application(NoContainer(CHATLEDGER_TRUSTED_DOCUMENTS=str(manifest))))
    yield caller
    caller.close()


def post(caller: Caller, payload: Mapping[str, Any], **headers: str) -> Answered:
    return caller.post(json.dumps(payload).encode(), accept=GRAPHQL_RESPONSE, **headers)


def code(answer: Answered) -> tuple[int, str]:
    [code] = {error["extensions"]["code"] for error in answer.json["errors"]}
    return answer.status, code


def apollo(hash: Any, **more: Any) -> dict[str, Any]:
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash}}, **more}


@pytest.mark.parametrize("headers", BROWSERS)
def test_a_page_may_ask_only_for_what_is_known(
    production: Caller, headers: Mapping[str, str]
) -> None:
    refused = post(production, {"query": OTHER}, **headers)
    assert code(refused) == (400, "TRUSTED_DOCUMENT_REQUIRED")
    unknown = hashlib.sha256(OTHER.encode()).hexdigest()
    for payload in (apollo(unknown), apollo(unknown, query=OTHER)):
        assert code(post(production, payload, **headers)) == (400, "PERSISTED_QUERY_NOT_FOUND")
    for payload in (
        apollo(HASH),
        apollo(HASH.upper()),
        apollo(HASH, query=KNOWN),
        {"documentId": f"sha256:{HASH}"},
        apollo(HASH, documentId=f"sha256:{HASH}", operationName="Known"),
    ):
        assert post(production, payload, **headers).json == DATA


def test_a_page_may_ask_by_a_url_too(production: Caller) -> None:
    """So that its answer can be cached, and its preflight spared."""
    headers = {"sec_fetch_site": "same-origin"}
    answer = production.send("GET", query=f"documentId=sha256:{HASH}".encode(), headers=headers)
    assert answer.json == DATA
    extensions = b'extensions={"persistedQuery":{"version":1,"sha256Hash":"%b"}}' % HASH.encode()
    assert production.send("GET", query=extensions, headers=headers).json == DATA
    plain = production.send("GET", query=b"query={__typename}", headers=headers)
    assert code(plain) == (400, "TRUSTED_DOCUMENT_REQUIRED")


def test_a_program_may_ask_for_anything(production: Caller) -> None:
    assert post(production, {"query": OTHER}).json == DATA
    assert post(production, apollo(HASH)).json == DATA
    unknown = hashlib.sha256(OTHER.encode()).hexdigest()
    assert post(production, apollo(unknown, query=OTHER)).json == DATA
    assert code(post(production, apollo(unknown))) == (400, "PERSISTED_QUERY_NOT_FOUND")


def test_in_development_pages_explore(development: Caller) -> None:
    headers = BROWSERS[0]
    assert post(development, {"query": OTHER}, **headers).json == DATA
    assert post(development, apollo(HASH), **headers).json == DATA
    assert post(development, {"query": "{__schema{queryType{name}}}"}, **headers).status == 200


@pytest.mark.parametrize(
    "payload",
    [
        apollo(None),
        apollo(5),
        apollo(["a"]),
        apollo(""),
        apollo("a" * 63),
        apollo("g" * 64),
        apollo("é" * 64),
        apollo(HASH, query=OTHER),
        apollo(HASH, documentId="sha256:" + "0" * 64),
        {"extensions": {"persistedQuery": 5}},
        {"extensions": {"persistedQuery": []}},
        {"extensions": {"persistedQuery": {"version": 2, "sha256Hash": HASH}}},
        {"extensions": {"persistedQuery": {}}},
        {"documentId": HASH},
        {"documentId": ""},
        {"documentId": 5},
        {"documentId": "sha256:"},
        {"documentId": f"md5:{HASH}"},
    ],
    ids=str,
)
def test_an_id_that_is_none_is_refused_with_400(
    production: Caller, development: Caller, payload: Mapping[str, Any]
) -> None:
    for caller in (production, development):
        assert code(post(caller, payload)) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    "document",
    [
        "{__schema{types{name}}}",
        '{__type(name: "Query"){name}}',
        "{...A} fragment A on Query {__schema{types{name}}}",
    ],
)
def test_nobody_reads_the_schema_in_production(production: Caller, document: str) -> None:
    answer = post(production, {"query": document})
    assert code(answer) == (400, "GRAPHQL_VALIDATION_FAILED")
    assert "introspection" in answer.json["errors"][0]["message"]


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        ("{workspace_}", {}),
        ("{uploads(firs: 1){__typename}}", {}),
        ("{...on Qery{__typename}}", {}),
        ('query($m: SearchMode!){search(query: "x", mode: $m){__typename}}', {"m": "HYBRI"}),
        ('{search(query: "x", mode: HYBRI){__typename}}', {}),
    ],
)
def test_nobody_learns_the_schema_from_guesses_in_production(
    production: Caller, development: Caller, document: str, variables: Mapping[str, Any]
) -> None:
    payload = {"query": document, "variables": variables}
    assert b"Did you mean" in post(development, payload).body
    answer = post(production, payload)
    assert answer.status == 400
    assert b"Did you mean" not in answer.body


def test_the_manifest_of_a_folder_has_a_document_for_each_operation(tmp_path: Path) -> None:
    """With the fragments that it uses, from whichever file."""
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "home.graphql").write_text("query Home {...Name} query Bare {__typename}")
    (tmp_path / "parts.graphql").write_text("fragment Name on Query {__typename}")
    done = subprocess.run(
        [sys.executable, "-m", "interfaces.graphql.trusted", str(tmp_path)],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    found = json.loads(done.stdout)
    assert found == {f"sha256:{hash}": text for hash, text in manifest_of(tmp_path).items()}
    assert sorted(found.values()) == [
        "query Bare {\n  __typename\n}",
        "query Home {\n  ...Name\n}\n\nfragment Name on Query {\n  __typename\n}",
    ]
    path = tmp_path / "manifest.json"
    path.write_text(done.stdout)
    trusted = TrustedDocuments.read(path, is_required=True)
    for id, document in found.items():
        assert trusted.document_of({"origin": "http://x"}, {"documentId": id}) == document


@pytest.mark.parametrize("text", ["query {__typename}", "query A {a} query A {b}"])
def test_every_operation_of_a_manifest_has_a_name_of_its_own(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.graphql").write_text(text)
    with pytest.raises(ManifestError, match="a name of its own"):
        manifest_of(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "[]", '"x"', json.dumps({"0" * 64: KNOWN}), json.dumps({HASH: 5}), "\x00"]
)
def test_a_manifest_that_is_none_is_told_at_the_start(tmp_path: Path, text: str) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(text)
    with pytest.raises(ManifestError, match=str(path)):
        TrustedDocuments.read(path, is_required=True)
    with pytest.raises(ManifestError):
        TrustedDocuments.read(tmp_path / "missing.json", is_required=True)


def test_a_handshake_counts_as_the_request_of_a_page() -> None:
    """A WebSocket's messages have no headers of their own: those of its handshake count."""
    trusted = TrustedDocuments({HASH: KNOWN}, is_required=True)
    handshake = {"origin": "http://127.0.0.1"}
    assert trusted.document_of(handshake, apollo(HASH)) == KNOWN
    with pytest.raises(RefusedError) as refused:
        trusted.document_of(handshake, {"query": OTHER})
    assert refused.value.code == "TRUSTED_DOCUMENT_REQUIRED"
    assert trusted.document_of({}, {"query": OTHER}) == OTHER
    assert trusted.document_of({}, {}) is None


def test_a_websocket_of_a_page_asks_only_for_what_is_known(manifest: Path) -> None:
    graphql = graphql_app(
        NoContainer(  # type: ignore[arg-type]
            CHATLEDGER_ENVIRONMENT="production", CHATLEDGER_TRUSTED_DOCUMENTS=str(manifest)
        )
    )
    app = Starlette(routes=[WebSocketRoute("/graphql", graphql)])

    async def ask(port: int, **options: Any) -> list[Any]:
        answers = []
        async with peer(port, **options) as client:
            await client.init()
            for id, payload in enumerate(({"query": OTHER}, apollo(HASH))):
                await client.say({"id": str(id), "type": "subscribe", "payload": payload})
                answers.append((await client.hear())["payload"])
                if "data" in answers[-1]:
                    assert (await client.hear())["type"] == "complete"
        return answers

    with live_server(app, graphql.live.connections) as running:
        refused, known = asyncio.run(ask(running.port, origin=f"http://127.0.0.1:{running.port}"))
        program = asyncio.run(ask(running.port))
    assert refused[0]["extensions"]["code"] == "TRUSTED_DOCUMENT_REQUIRED"
    assert known == DATA
    assert program == [DATA, DATA]


@pytest.mark.parametrize("path", ["/graphiql", "/static/graphiql/index.html"])
def test_there_is_no_explorer_in_production(path: str) -> None:
    for environment, statuses in (("development", {200, 307}), ("production", {404})):
        app = make_app(NoContainer(CHATLEDGER_ENVIRONMENT=environment))  # type: ignore[arg-type]
        client = TestClient(
            app, base_url="http://127.0.0.1", client=("127.0.0.1", 1), follow_redirects=False
        )
        assert client.get(path).status_code in statuses


@pytest.mark.parametrize(
    ("environment", "place"), [("development", "/graphiql"), ("production", "/docs")]
)
def test_the_first_page_leads_to_what_there_is(environment: str, place: str) -> None:
    app = make_app(NoContainer(CHATLEDGER_ENVIRONMENT=environment))  # type: ignore[arg-type]
    client = TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 1))
    found = client.get("/", follow_redirects=False)
    assert (found.status_code, found.headers["location"]) == (307, place)
