"""Wishes for a rebuild or a roll-back: each is fulfilled once, whoever is at it, killed or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from application.commands.discard_job import DiscardJob
from application.commands.operate_projection import (
    OperateProjection,
    OperateProjectionHandler,
    RecordOperationFailure,
)
from application.commands.rebuild_projection import RebuildProjection, RollBackProjection
from application.context import LOCAL_OWNER, Context
from domain.projection import Projection
from infrastructure.container import Container
from infrastructure.projections import registry
from infrastructure.projections.rebuild import ProjectionRebuilder
from infrastructure.projections.swapping import Swapper
from tests.support.archive_fixture import open_test_container

NAME = "workspaces"
REBUILD, ROLL_BACK = RebuildProjection(name=NAME), RollBackProjection(name=NAME)


@pytest.fixture
def container(database_url: str, tmp_path: Path) -> Iterator[Container]:
    with open_test_container(database_url, tmp_path) as container:
        yield container


class KilledError(BaseException):
    """No handler of exceptions runs in a killed process."""


def context() -> Context:
    return Context(actor_id=LOCAL_OWNER, workspace_id=None, command_id=uuid4())


def ask(container: Container, command: RebuildProjection | RollBackProjection) -> int:
    accepted = container.rebuild_projection(command, context())
    return int(accepted.result["wish"])


def operate(container: Container, wish: int) -> None:
    container.operate_projection(OperateProjection(name=NAME, wish=wish), should_stop=lambda: False)


def versions(container: Container) -> dict[int, str]:
    with container.pool.connection() as connection:
        found = registry.versions(connection, NAME)
    return {each.version: each.status for each in sorted(found, key=lambda each: each.version)}


def outcomes(container: Container) -> list[str]:
    """What is recorded of the read model, in order, without its registration."""
    events = container.archive.events.get(Projection.create_id(NAME))
    return [
        f"{event.TOPIC.removeprefix('projection.')} {event.wish}"
        for event in events
        if hasattr(event, "wish")
    ]


def projection(container: Container) -> Projection:
    return container.archive.load(Projection, Projection.create_id(NAME))


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Run a wish in a process that is killed as it is to do this."""

    def run(container: Container, wish: int, owner: type, method: str) -> None:
        def die(*args: Any, **options: Any) -> Any:
            raise KilledError

        with monkeypatch.context() as patch:
            patch.setattr(owner, method, die)
            with pytest.raises(KilledError):
                operate(container, wish)

    return run


@pytest.mark.parametrize(
    ("owner", "method"), [(OperateProjectionHandler, "_amend"), (Swapper, "drop_older")]
)
def test_a_roll_back_that_is_killed_after_its_swap_is_recorded_and_not_undone(
    container: Container, killed: Callable[..., None], owner: type, method: str
) -> None:
    operate(container, ask(container, REBUILD))
    wish = ask(container, ROLL_BACK)
    killed(container, wish, owner, method)
    assert versions(container) == {1: "live", 2: "retired"}
    operate(container, wish)
    operate(container, wish)

    assert versions(container) == {1: "live", 2: "retired"}
    assert outcomes(container)[2:] == ["roll_back_requested 2", "switched_over 2"]
    assert projection(container).running is None


@pytest.mark.parametrize(
    ("owner", "method"), [(OperateProjectionHandler, "_amend"), (Swapper, "drop_older")]
)
def test_a_rebuild_that_is_killed_after_its_swap_is_not_built_again(
    container: Container, killed: Callable[..., None], owner: type, method: str
) -> None:
    operate(container, ask(container, REBUILD))
    wish = ask(container, REBUILD)
    killed(container, wish, owner, method)
    operate(container, wish)

    assert versions(container) == {2: "retired", 3: "live"}
    assert outcomes(container)[2:] == ["rebuild_requested 2", "switched_over 2"]


@pytest.mark.parametrize("command", [REBUILD, ROLL_BACK])
def test_several_that_see_to_the_same_wish_do_it_once(
    container: Container, command: RebuildProjection | RollBackProjection
) -> None:
    operate(container, ask(container, REBUILD))
    wish = ask(container, command)
    with ThreadPoolExecutor(4) as threads:
        for working in [threads.submit(operate, container, wish) for _ in range(4)]:
            working.result()

    read = {REBUILD: {2: "retired", 3: "live"}, ROLL_BACK: {1: "live", 2: "retired"}}
    assert versions(container) == read[command]
    assert [each for each in outcomes(container) if each.endswith(" 2")][1:] == ["switched_over 2"]


def test_who_looked_before_another_had_done_it_looks_again_under_the_lock(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one has read the wish; the other fulfils it, and has it undone by the next wish."""
    operate(container, ask(container, REBUILD))
    wish = ask(container, ROLL_BACK)
    roll_back = ProjectionRebuilder.roll_back

    def later(self: ProjectionRebuilder, *args: Any, **options: Any) -> Any:
        monkeypatch.setattr(ProjectionRebuilder, "roll_back", roll_back)
        operate(container, wish)
        operate(container, ask(container, ROLL_BACK))
        return roll_back(self, *args, **options)

    monkeypatch.setattr(ProjectionRebuilder, "roll_back", later)
    operate(container, wish)

    assert versions(container) == {1: "retired", 2: "live"}
    assert outcomes(container)[-2:] == ["roll_back_requested 3", "switched_over 3"]


def test_a_rebuild_that_was_given_up_too_late_does_not_end_the_next_wish(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    operate(container, ask(container, REBUILD))
    wish = ask(container, REBUILD)
    with container.pool.connection() as connection:
        [(job,)] = connection.execute(
            "UPDATE jobs.procrastinate_jobs SET status = 'doing' "
            "WHERE (args ->> 'wish')::int = %s RETURNING id",
            (wish,),
        ).fetchall()
    rebuild = ProjectionRebuilder.rebuild

    def given_up(self: ProjectionRebuilder, *args: Any, **options: Any) -> Any:
        done = rebuild(self, *args, **options)
        container.discard_job(DiscardJob(job_id=job), context())
        ask(container, ROLL_BACK)
        return done

    monkeypatch.setattr(ProjectionRebuilder, "rebuild", given_up)
    operate(container, wish)
    assert projection(container).is_wanted(3)
    operate(container, 3)

    assert versions(container) == {2: "live", 3: "retired"}
    assert outcomes(container)[2:] == [
        "rebuild_requested 2",
        "operation_failed 2",
        "roll_back_requested 3",
        "switched_over 2",
        "switched_over 3",
    ]


def test_what_was_given_up_while_it_was_built_is_not_swapped(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    wish = ask(container, REBUILD)
    swap = Swapper.swap

    def given_up(self: Swapper, *args: Any) -> Any:
        failure = RecordOperationFailure(name=NAME, wish=wish, reason="its job was discarded")
        container.operate_projection.fail(failure)
        return swap(self, *args)

    monkeypatch.setattr(Swapper, "swap", given_up)
    operate(container, wish)

    assert versions(container) == {1: "live", 2: "building"}
    assert outcomes(container) == ["rebuild_requested 1", "operation_failed 1"]


def test_a_failure_of_a_job_of_before_is_not_the_next_wish_s(container: Container) -> None:
    wish = ask(container, REBUILD)
    operate(container, wish)
    ask(container, ROLL_BACK)
    container.operate_projection.fail(
        RecordOperationFailure(name=NAME, wish=wish, reason="the worker was killed")
    )

    assert projection(container).is_wanted(2)


def test_what_was_to_be_rolled_back_to_may_be_gone(container: Container) -> None:
    operate(container, ask(container, REBUILD))
    wish = ask(container, ROLL_BACK)
    container.rebuilder.forget(NAME)
    operate(container, wish)

    assert versions(container) == {2: "live"}
    [failed] = [
        event
        for event in container.archive.events.get(Projection.create_id(NAME))
        if isinstance(event, Projection.OperationFailed)
    ]
    assert failed.reason == "version 1 of workspaces is kept no more"


def test_a_number_that_was_planned_is_built_although_it_became_free(container: Container) -> None:
    """Version 2 was the highest; forgetting it does not make the wish for 3 another one."""
    operate(container, ask(container, REBUILD))
    operate(container, ask(container, ROLL_BACK))
    wish = ask(container, REBUILD)
    assert container.rebuilder.forget(NAME) == [2]
    operate(container, wish)

    assert versions(container) == {1: "retired", 3: "live"}
