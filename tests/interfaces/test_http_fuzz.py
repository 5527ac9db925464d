"""
What nobody would send, made from the description: no answer is a fault of ours, none takes long,
and each is one that the description promises.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from interfaces.http import export_answers
from interfaces.http.app import routes_to_describe
from interfaces.http.openapi_document import document
from tests.support.rest_fixture import site
from tests.support.rest_site import RestSite

__all__ = ["site"]

# It looks whether a strategy has used `random`, and finds that a thread of the server has.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Do not use the `random` module:hypothesis.errors.HypothesisDeprecationWarning"
)

SLOWEST_SECONDS = 2.0
# No description says which positions, time zones and versions there are.
EXCLUDED = [positive_data_acceptance]
EXAMPLES = 5  # a variant and operation; `make test-long` tries 500
PATHS = document(routes_to_describe())["paths"]
VARIANTS = {
    "of what is there": (GenerationMode.POSITIVE, True),
    "as described": (GenerationMode.POSITIVE, False),
    "against the description": (GenerationMode.NEGATIVE, False),
}
# What takes neither parameters nor a body cannot be asked against its description.
TAKING = [
    pytest.param((method.upper(), path), variant, id=f"{method.upper()} {path} {variant}")
    for path, methods in PATHS.items()
    for method, operation in methods.items()
    for variant in VARIANTS
    if variant != "against the description"
    or "requestBody" in operation
    or any(parameter.get("in") == "query" for parameter in operation["parameters"])
]


@pytest.fixture(scope="module", autouse=True)
def up_to_date(site: RestSite) -> Iterator[None]:
    """As workers keep the read models: exports are facts, too."""
    stopping = threading.Event()

    def keep() -> None:
        while not stopping.wait(0.2):
            site.advance()

    thread = threading.Thread(target=keep)
    thread.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export_answers, "CATCH_UP_SECONDS", 0.05)
        patch.setattr(export_answers, "WAIT_SECONDS", 0.05)
        yield
    stopping.set()
    thread.join()


@pytest.fixture(scope="module")
def api(site: RestSite) -> Any:
    return schemathesis.openapi.from_url(f"http://127.0.0.1:{site.port}/openapi.json")


def real(site: RestSite, path: str) -> Mapping[str, Any]:
    """Ids and names of what is there, so that not everything is unknown."""
    ids = {
        "upload_id": str(site.archive.upload_id),
        "conversation_id": str(site.conversation_id("Boat trip")),
    }
    named = {name: value for name, value in ids.items() if f"{{{name}}}" in path}
    has_workspace = path.startswith("/api/")
    return {
        "path_parameters": named or None,
        "query": {"workspace": site.archive.workspace} if has_workspace else None,
    }


def run(api: Any, site: RestSite, operation: tuple[str, str], variant: str, examples: int) -> int:
    """Returns how many requests were answered."""
    method, path = operation
    mode, is_real = VARIANTS[variant]
    fixed = real(site, path) if is_real else {}
    answered = 0

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=api[path][method].as_strategy(generation_mode=mode, **fixed))
    def ask(case: Any) -> None:
        nonlocal answered
        answer = case.call(timeout=SLOWEST_SECONDS * 5)
        answered += 1
        case.validate_response(answer, excluded_checks=EXCLUDED)
        assert answer.headers["x-request-id"]
        assert answer.headers["x-content-type-options"] == ["nosniff"]
        assert answer.elapsed < SLOWEST_SECONDS

    ask()
    return answered


@pytest.mark.parametrize(("operation", "variant"), TAKING)
def test_every_answer_is_as_described(
    api: Any, site: RestSite, operation: tuple[str, str], variant: str
) -> None:
    assert run(api, site, operation, variant, EXAMPLES) > 0


@pytest.mark.long
@pytest.mark.parametrize(("operation", "variant"), TAKING)
def test_every_answer_of_many_is_as_described(
    api: Any, site: RestSite, operation: tuple[str, str], variant: str
) -> None:
    assert run(api, site, operation, variant, 500) > 0
