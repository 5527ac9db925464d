"""The tree keeps its shape: few folders, short modules, layers apart, nothing of one machine."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
LAYERS = {"domain", "application", "projections", "interfaces", "infrastructure"}
MAX_LINES = 400
MAX_TEST_LINES = 500
VENDORED = re.compile(r"^interfaces/http/static/.*\.min\.|^interfaces/web/dist/")


def files() -> list[Path]:
    """What is committed, or would be by `git add`: relative to the repository."""
    if not (REPOSITORY / ".git").exists():
        pytest.skip("not a git checkout")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    found = [Path(name) for name in done.stdout.split("\0") if name]
    return [
        path
        for path in found
        if (REPOSITORY / path).is_file() and not VENDORED.match(path.as_posix())
    ]


def python_files() -> list[Path]:
    return [path for path in files() if path.suffix == ".py"]


def lines_of(path: Path) -> int:
    return len((REPOSITORY / path).read_text("utf-8").splitlines())


def test_no_module_is_long() -> None:
    long = {
        str(path): lines
        for path in python_files()
        if (lines := lines_of(path)) > (MAX_TEST_LINES if path.parts[0] == "tests" else MAX_LINES)
    }
    assert not long


@pytest.mark.parametrize("name", sorted(LAYERS))
def test_a_layer_is_found_in_the_repository(name: str) -> None:
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin) == REPOSITORY / name / "__init__.py"


@pytest.mark.parametrize("name", ["alembic", "graphql"])
def test_a_library_is_not_shadowed_by_a_folder_of_ours(name: str) -> None:
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin).parents[1] not in {REPOSITORY, REPOSITORY / "interfaces"}


def test_the_top_level_has_no_other_package() -> None:
    packages = {path.parts[0] for path in python_files() if path.name == "__init__.py"}
    assert packages == LAYERS | {"tests", "benchmarks"}


def test_the_top_level_has_no_loose_module() -> None:
    assert [path for path in python_files() if len(path.parts) == 1] == []


def test_alembic_is_no_package() -> None:
    assert [path for path in files() if path.match("alembic/**/__init__.py")] == []
    assert not (REPOSITORY / "alembic" / "__init__.py").exists()


@pytest.mark.parametrize("top", sorted(LAYERS | {"tests"}))
def test_every_folder_with_modules_is_a_package(top: str) -> None:
    folders = {path.parent for path in python_files() if path.parts[0] == top}
    assert [
        str(folder)
        for folder in sorted(folders)
        if "samples" not in folder.parts and not (REPOSITORY / folder / "__init__.py").is_file()
    ] == []


def test_the_layers_keep_their_contracts() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_no_file_names_a_machine_or_a_package_registry() -> None:
    # Written so that this file does not name them either.
    hosts = [r"pypi\.org", r"pythonhosted\.org", r"npmjs\.(org|com)", r"download\.pytorch\.org"]
    homes = [r"(?<![\w.])/root/[\w.]", r"(?<![\w.])/home/[a-z]\w*/", r"(?<![\w.])/Users/\w+/"]
    here = [rf"(?<![\w.]){re.escape(str(REPOSITORY))}\b"] if len(REPOSITORY.parts) > 2 else []
    unwanted = re.compile("|".join(hosts + homes + here))
    found = []
    for path in files():
        # Samples are what people wrote; they may mention anything.
        if path.parts[:2] == ("tests", "samples"):
            continue
        try:
            text = (REPOSITORY / path).read_text("utf-8")
        except UnicodeDecodeError:
            continue  # an image, say
        found += [f"{path}: {match[0]}" for match in unwanted.finditer(text)]
    assert found == []
