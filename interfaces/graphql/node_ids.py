"""Ids that say of what they are: `Upload:0190…` for an upload, `Message:1024` for a message."""

from __future__ import annotations

import re
from uuid import UUID

import strawberry

MAX_ID = 100  # characters; what is longer is no id of ours
BIGGEST_NUMBER = 2**63 - 1  # PostgreSQL's bigint
# One way to write each: what a client keeps under an id must not be there twice.
IS_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
IS_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


def node_id(kind: str, key: UUID | int | str) -> strawberry.ID:
    """
    Args:
        kind: the name of the GraphQL type.
    """
    return strawberry.ID(f"{kind}:{key}")


def kind_of(text: str) -> str:
    """The type that an id names; empty for a bare one."""
    return text[:MAX_ID].rpartition(":")[0]


def parse_id(kind: str, text: str) -> UUID | None:
    """From `<kind>:<uuid>`, or the bare UUID. None: nothing of this kind has such an id."""
    bare = key_of(kind, text)
    return None if bare is None or not IS_UUID.fullmatch(bare) else UUID(bare)


def parse_number(kind: str, text: str) -> int | None:
    """From `<kind>:<number>`, or the bare number. None: nothing of this kind has such an id."""
    bare = key_of(kind, text)
    if bare is None or not IS_NUMBER.fullmatch(bare) or int(bare) > BIGGEST_NUMBER:
        return None
    return int(bare)


def key_of(kind: str, text: str) -> str | None:
    """What follows the kind. None: it is of another kind, or no id at all."""
    if len(text) > MAX_ID:
        return None
    named, _, bare = text.rpartition(":")
    return bare if named in ("", kind) and bare else None
