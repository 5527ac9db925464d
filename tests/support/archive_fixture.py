"""A small archive, ingested by the real commands, with vectors that cost nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from application.commands.create_workspace import CreateWorkspace
from application.commands.embed_upload import EmbedUpload
from application.commands.read_upload import ReadUpload
from application.commands.receive_upload import ReceiveUpload
from application.context import LOCAL_OWNER, Context
from infrastructure.bootstrap import open_container
from infrastructure.container import Container
from infrastructure.settings import Settings
from tests.support.fake_embedder import HashEmbedder

MASTER_KEY = base64.b64encode(bytes(range(32))).decode()  # no secret: for tests
STARTED = datetime(2024, 3, 1, 9, 0, tzinfo=UTC)

# Conversation, author, text: one a minute.
Line = tuple[str, str, str]
CHAT: Sequence[Line] = (
    ("Boat trip", "Ada", "Who brings the life jackets on Saturday?"),
    ("Boat trip", "Bob", "I do, five of them."),
    ("Boat trip", "Ada", "The weather forecast promises rain ☔ in the harbour."),
    ("Boat trip", "Cem", "Then we sail on Sunday instead."),
    ("Boat trip", "Bob", "😀😀 sailing on Sunday suits me"),
    ("Kitchen", "Dee", "The dishwasher leaks again."),
    ("Kitchen", "Ada", "A plumber comes on Monday."),
    ("Kitchen", "Dee", "ok"),
    ("Kitchen", "Bob", "ok"),
    *(("Standup", f"Person {n % 5}", f"Report number {n}: nothing is blocked.") for n in range(30)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingested:
    workspace: str
    workspace_id: UUID
    upload_id: UUID
    position: int  # of the last event


def settings_for(url: str, folder: Path) -> Settings:
    return Settings.from_env(
        {
            "DATABASE_URL": url,
            "CHATLEDGER_DATA_DIR": str(folder),
            "CHATLEDGER_MASTER_KEY": MASTER_KEY,
        }
    )


@contextmanager
def open_test_container(url: str, folder: Path) -> Iterator[Container]:
    """On a migrated database. Its embedder sees words, not meaning."""
    with open_container(
        settings_for(url, folder), make_embedder=lambda _: HashEmbedder()
    ) as container:
        yield container


def export(lines: Sequence[Line]) -> bytes:
    """JSON lines."""
    return b"".join(
        json.dumps(
            {
                "id": f"m{number}",
                "conversation": conversation,
                "author": author,
                "timestamp": (STARTED + timedelta(minutes=number)).isoformat(),
                "text": text,
            }
        ).encode()
        + b"\n"
        for number, (conversation, author, text) in enumerate(lines)
    )


def ingest(
    container: Container,
    workspace: str = "default",
    lines: Sequence[Line] = CHAT,
    *,
    has_vectors: bool = True,
) -> Ingested:
    """Receive, read and embed, as the jobs would; then all read models are up to date."""
    return ingest_file(container, workspace, "chat.jsonl", export(lines), has_vectors=has_vectors)


def ingest_file(
    container: Container, workspace: str, name: str, content: bytes, *, has_vectors: bool = False
) -> Ingested:
    """The same of any export."""
    nobody_yet = Context(actor_id=LOCAL_OWNER, workspace_id=None, origin={"channel": "test"})
    created = container.create_workspace(CreateWorkspace(name=workspace), nobody_yet)
    workspace_id = UUID(str(created.result["workspace_id"]))
    context = Context(actor_id=LOCAL_OWNER, workspace_id=workspace_id, origin={"channel": "test"})
    received = container.receive_upload(ReceiveUpload(filename=name), [content], context)
    upload_id = UUID(str(received.result["upload_id"]))
    container.read_upload(ReadUpload(upload_id=upload_id), should_stop=lambda: False)
    advance(container)
    if has_vectors:
        container.embed_upload(EmbedUpload(upload_id=upload_id), should_stop=lambda: False)
        advance(container)
    return Ingested(
        workspace=workspace,
        workspace_id=workspace_id,
        upload_id=upload_id,
        position=container.archive.event_log.head(),
    )


def advance(container: Container) -> None:
    """Bring every read model up to date."""
    for name in container.runner.names:
        assert not container.runner.advance(name), f"{name} did not catch up"
