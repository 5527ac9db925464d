"""Mutations about labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any, NamedTuple, Protocol
from uuid import UUID

import strawberry

from application.archive import Accepted
from application.commands.add_label import AddLabel
from application.commands.create_label import CreateLabel
from application.commands.delete_label import DeleteLabel
from application.commands.remove_label import RemoveLabel
from application.commands.rename_label import RenameLabel
from application.context import Context
from application.labels import MOST_TARGETS, TargetNotFoundError
from domain.workspace import UnknownWorkspaceError
from infrastructure.labels.handlers import LabelHandlers
from interfaces.graphql.context import Ask
from interfaces.graphql.label import MODELS, Label, find_labels
from interfaces.graphql.mutations.answers import (
    COMMAND_ID,
    CommandIdReused,
    LabelNameTaken,
    LabelNotFound,
    LabelRefused,
    MutationSuccess,
    TargetNotFound,
    TargetsRefused,
    carry_out,
    refusal_of,
)
from interfaces.graphql.node_ids import parse_id, parse_number
from interfaces.graphql.reading import among
from interfaces.graphql.refusals import ArgumentRefused, UnknownWorkspace
from interfaces.graphql.scalars import BigInt

LABEL = (
    "The label's id or name, for example `Label:5b1f0d3c-6a55-5d0e-9f43-0f6a2c1f1d4e` or "
    "`to check`. Case makes no difference."
)
WORKSPACE = "Its workspace's name or id, for example `default`."
TARGETS = (
    f"Ids of messages and conversations of the workspace, {MOST_TARGETS:,} at most, for example "
    '`["Message:52224", "Conversation:6a1d6c1e-77a5-8f2b-8a51-c0a1b2c3d4e5"]`.'
)
NAME = (
    "1 to 100 printable characters, for example `to check`. No two labels of a workspace differ "
    "only in case."
)
SHOWN = "As it is now; null: it is recorded, and will be shown in a moment."


@strawberry.input(description="What `createLabel` needs.")
class CreateLabelInput:
    command_id: strawberry.ID = strawberry.field(description=COMMAND_ID)
    workspace: str = strawberry.field(default="default", description=WORKSPACE)
    name: str = strawberry.field(description=NAME)
    colour: str | None = strawberry.field(
        default=None, description="To show it in, for example `#3366cc`."
    )
    description: str | None = strawberry.field(
        default=None, description="What it is for, for example `Somebody has to look at it`."
    )


@strawberry.input(description="What `renameLabel` needs.")
class RenameLabelInput:
    command_id: strawberry.ID = strawberry.field(description=COMMAND_ID)
    workspace: str = strawberry.field(default="default", description=WORKSPACE)
    label: str = strawberry.field(description=LABEL)
    name: str = strawberry.field(description=NAME)


@strawberry.input(description="What `deleteLabel` needs.")
class DeleteLabelInput:
    command_id: strawberry.ID = strawberry.field(description=COMMAND_ID)
    workspace: str = strawberry.field(default="default", description=WORKSPACE)
    label: str = strawberry.field(description=LABEL)


@strawberry.input(description="What `addLabel` needs.")
class AddLabelInput:
    command_id: strawberry.ID = strawberry.field(description=COMMAND_ID)
    workspace: str = strawberry.field(default="default", description=WORKSPACE)
    label: str = strawberry.field(description=LABEL)
    ids: list[strawberry.ID] = strawberry.field(description=TARGETS)


@strawberry.input(description="What `removeLabel` needs.")
class RemoveLabelInput:
    command_id: strawberry.ID = strawberry.field(description=COMMAND_ID)
    workspace: str = strawberry.field(default="default", description=WORKSPACE)
    label: str = strawberry.field(description=LABEL)
    ids: list[strawberry.ID] = strawberry.field(description=TARGETS)


@strawberry.type(description="There is a new label.")
class CreateLabelSuccess(MutationSuccess):
    label: Label | None = strawberry.field(description=SHOWN)


@strawberry.type(description="The label is called so now.")
class RenameLabelSuccess(MutationSuccess):
    label: Label | None = strawberry.field(description=SHOWN)


@strawberry.type(description="The label is gone, and on nothing any more.")
class DeleteLabelSuccess(MutationSuccess):
    label_id: strawberry.ID = strawberry.field(
        description="Of the label that is gone, for example "
        "`Label:5b1f0d3c-6a55-5d0e-9f43-0f6a2c1f1d4e`."
    )


@strawberry.type(description="All of them have the label now.")
class AddLabelSuccess(MutationSuccess):
    label: Label | None = strawberry.field(description=SHOWN)
    changed: int = strawberry.field(description="So many did not have it before, for example 3.")


@strawberry.type(description="None of them has the label any more.")
class RemoveLabelSuccess(MutationSuccess):
    label: Label | None = strawberry.field(description=SHOWN)
    changed: int = strawberry.field(description="So many had it before, for example 3.")


CreateLabelAnswer = Annotated[
    CreateLabelSuccess
    | LabelRefused
    | LabelNameTaken
    | UnknownWorkspace
    | CommandIdReused
    | ArgumentRefused,
    strawberry.union("CreateLabelAnswer", description="The label, or why there is none."),
]
RenameLabelAnswer = Annotated[
    RenameLabelSuccess
    | LabelNotFound
    | LabelRefused
    | LabelNameTaken
    | UnknownWorkspace
    | CommandIdReused
    | ArgumentRefused,
    strawberry.union("RenameLabelAnswer", description="The label, or why it keeps its name."),
]
DeleteLabelAnswer = Annotated[
    DeleteLabelSuccess | LabelNotFound | UnknownWorkspace | CommandIdReused | ArgumentRefused,
    strawberry.union("DeleteLabelAnswer", description="That it is gone, or why it stays."),
]
AddLabelAnswer = Annotated[
    AddLabelSuccess
    | LabelNotFound
    | TargetNotFound
    | TargetsRefused
    | UnknownWorkspace
    | CommandIdReused
    | ArgumentRefused,
    strawberry.union("AddLabelAnswer", description="On how many it is new, or why on none."),
]
RemoveLabelAnswer = Annotated[
    RemoveLabelSuccess
    | LabelNotFound
    | TargetNotFound
    | TargetsRefused
    | UnknownWorkspace
    | CommandIdReused
    | ArgumentRefused,
    strawberry.union("RemoveLabelAnswer", description="Off how many it is, or why off none."),
]


class Targets(NamedTuple):
    messages: tuple[int, ...]
    conversations: tuple[UUID, ...]


async def create_label(
    info: Ask,
    input: Annotated[CreateLabelInput, strawberry.argument(description="What it is called.")],
) -> Any:
    command = CreateLabel(name=input.name, colour=input.colour, description=input.description)
    return await change(
        info,
        input,
        lambda labels, context: labels.create(command, context),
        lambda label, _: partial(CreateLabelSuccess, label=label),
    )


async def rename_label(
    info: Ask,
    input: Annotated[RenameLabelInput, strawberry.argument(description="Which one, and how.")],
) -> Any:
    command = RenameLabel(label=named(input.label), name=input.name)
    return await change(
        info,
        input,
        lambda labels, context: labels.rename(command, context),
        lambda label, _: partial(RenameLabelSuccess, label=label),
    )


async def delete_label(
    info: Ask,
    input: Annotated[DeleteLabelInput, strawberry.argument(description="Which one.")],
) -> Any:
    command = DeleteLabel(label=named(input.label))
    return await change(
        info,
        input,
        lambda labels, context: labels.delete(command, context),
        lambda _, result: partial(
            DeleteLabelSuccess, label_id=strawberry.ID(f"Label:{result['label_id']}")
        ),
    )


async def add_label(
    info: Ask,
    input: Annotated[AddLabelInput, strawberry.argument(description="Which one, on what.")],
) -> Any:
    return await relabel(info, input, AddLabel, lambda labels: labels.add, AddLabelSuccess)


async def remove_label(
    info: Ask,
    input: Annotated[RemoveLabelInput, strawberry.argument(description="Which one, off what.")],
) -> Any:
    return await relabel(info, input, RemoveLabel, lambda labels: labels.remove, RemoveLabelSuccess)


async def relabel(
    info: Ask,
    input: AddLabelInput | RemoveLabelInput,
    command: type[AddLabel | RemoveLabel],
    handler: Callable[[LabelHandlers], Callable[[Any, Context], Accepted]],
    success: type[AddLabelSuccess | RemoveLabelSuccess],
) -> Any:
    """Put a label on what the input names, or take it off."""
    info.context.spend(len(input.ids))
    try:
        targets = targets_of(input.ids)
    except TargetNotFoundError as error:
        return refusal_of(error)
    wanted = command(
        label=named(input.label),
        message_ids=targets.messages,
        conversation_ids=targets.conversations,
    )
    return await change(
        info,
        input,
        lambda labels, context: handler(labels)(wanted, context),
        lambda label, result: partial(success, label=label, changed=result["changed"]),
    )


class InWorkspace(Protocol):
    """What every input of these mutations has."""

    command_id: strawberry.ID
    workspace: str


async def change(
    info: Ask,
    input: InWorkspace,
    handle: Callable[[LabelHandlers, Context], Accepted],
    success: Callable[[Label | None, Any], Callable[..., MutationSuccess]],
) -> Any:
    """Carry out in the input's workspace, and show the label as it is then."""
    try:
        workspace_id = await info.context.known_workspace(info, input.workspace)
    except UnknownWorkspaceError as error:
        return refusal_of(error)
    accepted = await carry_out(
        info,
        input.command_id,
        lambda context: handle(info.context.container.labels, context),
        workspace_id,
    )
    if not isinstance(accepted, Accepted):
        return accepted
    await info.context.caught_up(info, MODELS, accepted.position)
    id_ = UUID(accepted.result["label_id"])
    found = await info.context.read(partial(among, info, find_labels, [id_]))
    return success(found.get(id_), accepted.result)(
        command_id=input.command_id, position=BigInt(accepted.position)
    )


def named(label: str) -> str | UUID:
    """By its id, if it is one; else by its name."""
    found = parse_id("Label", label) if label.startswith("Label:") else None
    return found or label


def targets_of(ids: Sequence[str]) -> Targets:
    """
    Raises:
        TargetNotFoundError: one is no id of a message or a conversation.
    """
    messages: list[int] = []
    conversations: list[UUID] = []
    for text in dict.fromkeys(ids):
        number = parse_number("Message", text) if text.startswith("Message:") else None
        id_ = parse_id("Conversation", text) if text.startswith("Conversation:") else None
        if number is not None:
            messages.append(number)
        elif id_ is not None:
            conversations.append(id_)
        else:
            raise TargetNotFoundError(f"there is no message or conversation {text[:100]!r}")
    return Targets(tuple(messages), tuple(conversations))
