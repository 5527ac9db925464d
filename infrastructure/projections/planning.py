"""Which version a rebuild or a roll-back is to lead to, and whether it still can."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from application.ports.projections import NothingToRollBackToError, SwapRefusedError
from domain.projection import Swap
from infrastructure.projections import registry
from infrastructure.projections.registry import Version
from projections.contract import ReadModel


def plan_rebuild(connection: Connection[Any], model: ReadModel) -> Swap:
    """
    A new version, or the one that a killed rebuild left behind.

    Raises:
        UnknownProjectionError
    """
    read = registry.read_version(connection, model.name)
    for version in registry.versions(connection, model.name):
        if version.status == "building" and version.code_version == model.code_version:
            return Swap(version=version.version, replaces=read.version)
    number = registry.next_number(connection, model.name)
    return Swap(version=number, replaces=read.version)


def plan_roll_back(connection: Connection[Any], model: ReadModel) -> Swap:
    """
    Raises:
        NothingToRollBackToError, UnknownProjectionError
    """
    name = model.name
    read = registry.read_version(connection, name)
    kept = [v for v in registry.versions(connection, name) if v.status == "retired"]
    if not kept:
        raise NothingToRollBackToError(f"no earlier version of {name} is kept")
    require_sound(kept[0], model)
    return Swap(version=kept[0].version, replaces=read.version)


def version_to_build(connection: Connection[Any], model: ReadModel, number: int) -> Version:
    """
    The version of this number: new and empty, or as far as a killed rebuild got.

    Raises:
        SwapRefusedError: if it was read meanwhile and is no longer.
    """
    for version in registry.versions(connection, model.name):
        is_same = (version.version, version.code_version) == (number, model.code_version)
        if version.status == "building" and not is_same:
            with connection.transaction():
                registry.drop_version(connection, model.name, version.version)
    found = find(connection, model.name, number)
    if found is None:
        with connection.transaction():
            registry.create_version(connection, model, "building", number)
        found = find(connection, model.name, number)
    if found is None or found.status != "building":
        raise SwapRefusedError(
            f"version {number} of {model.name} was built and replaced meanwhile; ask again"
        )
    return found


def version_to_roll_back_to(connection: Connection[Any], model: ReadModel, number: int) -> Version:
    """
    Raises:
        NothingToRollBackToError: if it is kept no more, or cannot be brought up to date.
    """
    found = find(connection, model.name, number)
    if found is None or found.status != "retired":
        raise NothingToRollBackToError(f"version {number} of {model.name} is kept no more")
    require_sound(found, model)
    return found


def require_sound(kept: Version, model: ReadModel) -> None:
    if kept.has_failed:
        raise NothingToRollBackToError(f"version {kept.version} of {model.name} is halted")
    if kept.code_version != model.code_version:
        raise NothingToRollBackToError(
            f"version {kept.version} of {model.name} was made by definition "
            f"{kept.code_version}: run this command of the release that has it"
        )


def find(connection: Connection[Any], name: str, number: int) -> Version | None:
    found = [v for v in registry.versions(connection, name) if v.version == number]
    return found[0] if found else None
