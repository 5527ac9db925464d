"""Every dependency has a reason that is written down, and a version that is pinned."""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

REPOSITORY = Path(__file__).parents[2]
STATIC = REPOSITORY / "interfaces" / "http" / "static"


def project() -> dict[str, Any]:
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))


def runtime() -> list[Requirement]:
    return [Requirement(line) for line in project()["project"]["dependencies"]]


def tools() -> list[Requirement]:
    return [Requirement(line) for line in project()["dependency-groups"]["dev"]]


def build_tools() -> list[Requirement]:
    return [Requirement(line) for line in project()["build-system"]["requires"]]


def pins(lock: str) -> dict[str, str]:
    lines = (REPOSITORY / lock).read_text("utf-8").splitlines()
    return dict(line.split("==", 1) for line in lines)


def test_every_dependency_has_a_reason_and_every_reason_a_dependency() -> None:
    text = (REPOSITORY / "docs" / "dependencies.md").read_text("utf-8").split("## Copies")[0]
    documented = set(re.findall(r"^\| ([a-z0-9-]+) \| \S", text, re.MULTILINE)) - {"package"}
    assert documented == {found.name for found in runtime() + tools() + build_tools()}


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_file_holds_exact_versions_and_nothing_of_the_machine(lock: str) -> None:
    for line in (REPOSITORY / lock).read_text("utf-8").splitlines():
        # No options, hosts, paths, local versions ("+cpu") or libraries for graphics cards.
        assert re.fullmatch(r"[a-z0-9][a-z0-9.-]*==[0-9][0-9a-z.]*", line), line
        assert not line.startswith(("nvidia-", "cuda-", "triton"))


def test_the_lock_files_pin_every_direct_dependency_at_a_version_it_allows() -> None:
    for lock, requirements in [
        ("requirements.lock", runtime()),
        ("requirements-dev.lock", runtime() + tools()),
    ]:
        pinned = pins(lock)
        for found in requirements:
            assert found.name in pinned, f"{found.name} is not in {lock}: run `make lock`"
            assert found.specifier.contains(pinned[found.name]), f"{lock}: run `make lock`"


def test_tests_run_with_the_versions_that_run() -> None:
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items()


def test_tools_that_build_the_package_are_pinned() -> None:
    for found in build_tools():
        assert [part.operator for part in found.specifier] == ["=="], found


@pytest.mark.parametrize("folder", ["docs", "graphiql"])
def test_the_copies_of_a_page_are_those_that_it_names(folder: str) -> None:
    text = (STATIC / folder / "README.md").read_text("utf-8")
    named = dict(re.findall(r"^\| `([\w.-]+)` \| .* \| `([0-9a-f]{64})` \|$", text, re.MULTILINE))
    kept = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (STATIC / folder).iterdir()
        if ".min." in path.name
    }
    assert named == kept


@pytest.mark.parametrize("folder", ["docs", "graphiql"])
def test_a_page_loads_nothing_from_elsewhere_and_has_no_inline_script(folder: str) -> None:
    page = (STATIC / folder / "index.html").read_text("utf-8")
    sources = re.findall(r'<(?:script|link)\b[^>]*\b(?:src|href)="([^"]+)"', page)
    assert len(sources) == page.count("<script") + page.count("<link")
    assert "<style" not in page
    for source in sources:
        if source != "data:,":  # the icon that is none
            assert (STATIC / source.removeprefix("/static/")).is_file(), source
