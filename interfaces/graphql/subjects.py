"""What an event or a job is about, as something that can be asked for by its id."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import groupby
from typing import Any
from uuid import UUID

import strawberry
from psycopg import Connection as Database

from domain.projection import Projection as ProjectionStream
from domain.topics import EVENTS
from infrastructure.projections import registry
from infrastructure.projections.registry import VersionStatus
from interfaces.graphql.context import Ask
from interfaces.graphql.node import type_of
from interfaces.graphql.node_ids import node_id, parse_id
from projections.uploads.queries import UploadRow, uploads_among, uploads_by_id
from projections.workspaces.queries import workspaces_by_id

# An aggregate whose streams are nodes -> the GraphQL type.
NODES: Mapping[str, str] = {
    "Upload": "Upload",
    "RefusedUpload": "Upload",
    "Workspace": "Workspace",
    "Projection": "Projection",
}
KIND_BY_TOPIC: Mapping[str, str | None] = {
    topic: NODES.get(event.__qualname__.partition(".")[0]) for topic, event in EVENTS.items()
}
SUBJECT_ID = (
    "What it is about, for example `Upload:019ab0c2-7d4e-7c31-9a3f-2b6f1c5d8e90`; a bare UUID if "
    "that is nothing that `node` finds, such as a search."
)
SUBJECT = (
    "What it is about, if that is an upload, a workspace or a read model and still there; else "
    "null."
)


@cache
def read_models_by_stream() -> Mapping[UUID, str]:
    # Not before it is needed: it brings every adapter with it, and printing the schema needs none.
    from infrastructure.container import read_models

    return {ProjectionStream.create_id(model.name): model.name for model in read_models()}


def key_of_subject(topic: str, stream_id: UUID) -> tuple[str, UUID | str] | None:
    """The type and the key of the node. None: it is none."""
    kind = KIND_BY_TOPIC.get(topic)
    if kind != "Projection":
        return None if kind is None else (kind, stream_id)
    name = read_models_by_stream().get(stream_id)
    return None if name is None else (kind, name)


def subject_id(topic: str, stream_id: UUID) -> strawberry.ID:
    found = key_of_subject(topic, stream_id)
    return strawberry.ID(str(stream_id)) if found is None else node_id(*found)


async def subject(info: Ask, topic: str, workspace_id: UUID | None, stream_id: UUID) -> Any:
    """The node. All that one operation shows are found by one statement a type."""
    load = info.context.load
    match key_of_subject(topic, stream_id):
        case ("Upload", _) if workspace_id is not None:
            key = (workspace_id, stream_id)
            return made("Upload", "upload", await load(uploads_by_id, key))
        case ("Workspace", _):
            return made("Workspace", "workspace", await load(workspaces_by_id, stream_id))
        case ("Projection", str() as name):
            return made("Projection", "projection", await load(versions_by_name, name))
    return None


async def upload_of_job(info: Ask, arguments: Mapping[str, Any]) -> Any:
    """The upload that a job works on, if the actor may read it."""
    upload_id = parse_id("Upload", str(arguments.get("upload_id", "")))
    if upload_id is None:
        return None
    readable = info.context.readable
    row = await info.context.load(readable_uploads, upload_id, readable=readable)
    return made("Upload", "upload", row)


def made(kind: str, module: str, row: Any) -> Any:
    return None if row is None else type_of(kind, module).of(row)


def readable_uploads(
    database: Database[Any],
    keys: Sequence[UUID],
    readable: Callable[[Database[Any]], Sequence[UUID]],
) -> Mapping[UUID, UploadRow]:
    return uploads_among(database, readable(database), keys)


def versions_by_name(
    database: Database[Any], keys: Sequence[str]
) -> Mapping[str, list[VersionStatus]]:
    """Of read models that have a version that is read."""
    groups = groupby(registry.status(database), key=lambda version: version.name)
    found = {name: list(versions) for name, versions in groups if name in keys}
    return {
        name: versions
        for name, versions in found.items()
        if any(version.is_read for version in versions)
    }
