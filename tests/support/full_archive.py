"""An archive in which every list of the GraphQL schema has sixty entries, or three at least."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from application.commands.add_label import AddLabel
from application.commands.create_label import CreateLabel
from application.context import LOCAL_OWNER, Context
from domain.message import Attachment, Author, Edit, Reaction
from domain.upload import Upload
from domain.workspace import Workspace
from infrastructure.container import Container
from infrastructure.log.reader import LogReader
from tests.support.archive import Ledger
from tests.support.archive_fixture import advance
from tests.support.chats import NOON, History, message, room, split
from tests.support.searches import some_saved_search, some_search

MANY = 60
NAME = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Full:
    workspace: str
    history: History
    conversations: list[UUID]
    authors: list[UUID]
    messages: list[int]  # of the big conversation, each with everything that a message can have
    uploads: list[UUID]
    workspaces: list[UUID]


def fill(container: Container) -> Full:
    nobody = Context(actor_id=LOCAL_OWNER, workspace_id=None)
    made = [Workspace.create(NAME), *(Workspace.create(f"Other {n}") for n in range(MANY))]
    container.archive.record(nobody, *made)
    history = History(ledger_of(container, made[0].id))
    uploads = [upload(history, *everything("Old")), upload(history, *everything("New"))]
    for number in range(MANY - 2):
        said = message(number, conversation="Small", key=f"s{number}")
        uploads.append(upload(history, room(id="Small"), said))
    history.ledger.record(*(some_search(query=f"where is key {n}") for n in range(MANY)))
    history.ledger.record(*(some_saved_search(made[0].id) for _ in range(MANY)))
    advance(container)
    label(container, history)
    return Full(
        workspace=NAME,
        history=history,
        conversations=[history.conversation(f"R{n}") for n in range(MANY)],
        authors=[history.author(f"A{n}") for n in range(MANY)],
        messages=ids_of(container, history),
        uploads=uploads,
        workspaces=[one.id for one in made],
    )


def label(container: Container, history: History) -> None:
    """Sixty labels, of which three are on every conversation and on every rich message."""
    context = Context(actor_id=LOCAL_OWNER, workspace_id=history.ledger.workspace_id)
    labels = container.labels
    for n in range(MANY):
        labels.create(CreateLabel(name=f"Label {n}"), context)
    messages = tuple(ids_of(container, history))
    rooms = tuple(history.conversation(f"R{n}") for n in range(MANY))
    for n in range(3):
        command = AddLabel(label=f"label {n}", message_ids=messages, conversation_ids=rooms)
        labels.add(command, context)
    advance(container)


def upload(history: History, *items: Any) -> UUID:
    """Received, read, and with every message in the log."""
    made = Upload.receive(
        workspace_id=history.ledger.workspace_id,
        blob=uuid4().hex * 2,
        size=1,
        sha256="0" * 64,
        filename="chat.txt",
        options={},
    )
    transcripts = split(history.ledger, made.id, items, parts=1)
    history.ledger.record(made)
    made.record_read(batches=len(transcripts), messages=len(items))
    history.ledger.record(*transcripts, made)
    return made.id


def everything(prefix: str) -> list[Any]:
    """Sixty conversations, and one in which sixty people begin sixty threads."""
    items: list[Any] = [room("Big", "Big")]
    for n in range(MANY):
        author = Author(f"A{n}", f"{prefix} name {n}")
        items.append(room(f"{prefix} title {n}", f"R{n}"))
        items += [
            message(n * 10 + step, conversation=f"R{n}", author=author, key=f"r{n}-{step}")
            for step in range(3)
        ]
        items.append(rich(n, author))
        items += [
            message(n * 10 + step, conversation="Big", author=author, key=f"b{n}-{step}",
                    thread=f"b{n}", reply_to=f"b{n}")
            for step in (1, 2, 3)
        ]  # fmt: skip
    return items


def rich(n: int, author: Author) -> Any:
    reacting = tuple(f"A{(n + step) % MANY}" for step in range(3))
    return message(
        n * 10,
        f"Rich message {n} about the harbour",
        conversation="Big",
        author=author,
        key=f"b{n}",
        reply_to=f"b{(n + 1) % MANY}",
        edits=tuple(Edit(f"Draft {step}", NOON + timedelta(days=step)) for step in range(3)),
        reactions=tuple(Reaction(value, reacting, 3) for value in ("tada", "eyes")),
        attachments=tuple(Attachment(f"{name}.pdf", None, 7) for name in "ab"),
        extra={"odd": n},
    )


def ids_of(container: Container, history: History) -> list[int]:
    with container.pool.connection() as connection:
        rows = connection.execute(
            "SELECT message_id FROM read.message WHERE conversation_id = %s AND version > 1 "
            "ORDER BY message_id",
            (history.conversation("Big"),),
        ).fetchall()
    return [row[0] for row in rows]


def ledger_of(container: Container, workspace_id: UUID) -> Ledger:
    return Ledger(
        url=container.conninfo,
        pool=container.pool,
        keyring=container.keyring,
        pseudonyms=container.pseudonyms,
        mapper=container.mapper,
        reader=LogReader(container.mapper),
        archive=container.archive,
        hub=container.notifications,
        positions=container.positions,
        workspace_id=workspace_id,
    )
