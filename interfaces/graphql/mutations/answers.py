"""What mutations have in common: the command id, what was done, and why something was not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar
from uuid import UUID

import strawberry

from application.archive import Accepted, CommandIdReusedError, NotFoundError
from application.context import Context
from application.labels import LabelTargetsRefusedError, TargetNotFoundError
from application.ports.jobs import (
    JobAlreadyQueuedError,
    JobMovedError,
    JobNotFailedError,
    UnknownJobError,
)
from application.ports.projections import NothingToRollBackToError, UnknownProjectionError
from application.ports.search import EmptyQueryError
from application.saved_searches import SavedSearchNotFoundError
from application.searches import QueryRefusedError
from application.uploads import UploadOptionsError
from domain.label import LabelNameTakenError, LabelNotFoundError, LabelRefusedError
from domain.projection import OperationRunningError
from domain.saved_search import SavedSearchNameError, TooManySavedSearchesError
from domain.upload import (
    NothingToConfirmError,
    NothingToRetryError,
    OptionsSettledError,
    UnansweredError,
    UploadWithdrawnError,
)
from domain.workspace import UnknownWorkspaceError, WorkspaceNameError
from interfaces.graphql.context import Ask
from interfaces.graphql.refusals import (
    ArgumentRefused,
    QueryRefused,
    Refusal,
    SavedSearchNameRefused,
    SavedSearchNotFound,
    TooManySavedSearches,
    UnknownWorkspace,
    UploadNotFound,
)
from interfaces.graphql.scalars import BigInt

T = TypeVar("T")

COMMAND_ID = (
    "A UUID that you make for this very command, for example "
    "`019ab0c2-7d4e-7c31-9a3f-2b6f1c5d8e90`. Repeating the command under it is harmless: you get "
    "the first answer."
)


@strawberry.interface(description="A command was carried out, now or when it was first given.")
class MutationSuccess:
    command_id: strawberry.ID = strawberry.field(
        description="The one that you gave, for example `019ab0c2-7d4e-7c31-9a3f-2b6f1c5d8e90`."
    )
    position: BigInt = strawberry.field(
        description="Where the log has recorded it, for example 1024: give it to a query as "
        "`minPosition` to see its effect."
    )


@strawberry.type(description="A workspace's name is 1 to 100 printable characters.")
class WorkspaceNameRefused(Refusal):
    pass


@strawberry.type(description="The upload is searchable and has not failed.")
class NothingToRetry(Refusal):
    pass


@strawberry.type(
    description="The upload's bytes were not accepted, and nothing of them is kept. Send the file "
    "again."
)
class UploadRefused(Refusal):
    pass


@strawberry.type(
    description="The upload was withdrawn, for good. The same file sent again is a new upload."
)
class UploadWithdrawn(Refusal):
    pass


@strawberry.type(description="What you say about the file cannot be meant; the message says why.")
class OptionsRefused(Refusal):
    pass


@strawberry.type(
    description="Part of the upload is recorded as it was read with other options. Retry it "
    "without options, or withdraw it and send the file again."
)
class OptionsSettled(Refusal):
    pass


@strawberry.type(
    description="The file does not decide how it is to be read, and you did not say it; the "
    "message says what is missing."
)
class QuestionOpen(Refusal):
    pass


@strawberry.type(description="The upload was rejected as it is. Inspect it with other options.")
class NothingToConfirm(Refusal):
    pass


@strawberry.type(description="There is no read model of this name.")
class ProjectionNotFound(Refusal):
    pass


@strawberry.type(description="The read model is being rebuilt or rolled back already.")
class RebuildRunning(Refusal):
    pass


@strawberry.type(description="No earlier version is kept that could be read again.")
class NothingToRollBackTo(Refusal):
    pass


@strawberry.type(description="There is no such job. One that succeeded leaves nothing behind.")
class JobNotFound(Refusal):
    pass


@strawberry.type(description="Only a failed job can be tried again.")
class JobNotFailed(Refusal):
    pass


@strawberry.type(description="The same work is waiting in the queue already.")
class JobAlreadyQueued(Refusal):
    pass


@strawberry.type(description="The job began or ended at this very moment. Ask again.")
class JobMoved(Refusal):
    pass


@strawberry.type(description="The workspace has no such label.")
class LabelNotFound(Refusal):
    pass


@strawberry.type(
    description="The label's name, colour or description, or the number of labels, is outside its "
    "limits; the message says which."
)
class LabelRefused(Refusal):
    pass


@strawberry.type(description="Another label of the workspace is called so, whatever the case.")
class LabelNameTaken(Refusal):
    pass


@strawberry.type(description="The workspace has no such message or conversation. Nothing was done.")
class TargetNotFound(Refusal):
    pass


@strawberry.type(description="There is nothing to be labelled, or too much at once.")
class TargetsRefused(Refusal):
    pass


@strawberry.type(
    description="The command id was used for something else. Take a new one for each command."
)
class CommandIdReused(Refusal):
    pass


REFUSALS: Mapping[type[Exception], tuple[type[Refusal], str]] = {
    WorkspaceNameError: (WorkspaceNameRefused, "WORKSPACE_NAME_REFUSED"),
    UnknownWorkspaceError: (UnknownWorkspace, "UNKNOWN_WORKSPACE"),
    SavedSearchNotFoundError: (SavedSearchNotFound, "SAVED_SEARCH_NOT_FOUND"),
    SavedSearchNameError: (SavedSearchNameRefused, "SAVED_SEARCH_NAME_REFUSED"),
    TooManySavedSearchesError: (TooManySavedSearches, "TOO_MANY_SAVED_SEARCHES"),
    EmptyQueryError: (QueryRefused, "EMPTY_QUERY"),
    QueryRefusedError: (QueryRefused, "QUERY_REFUSED"),
    NotFoundError: (UploadNotFound, "UPLOAD_NOT_FOUND"),
    NothingToConfirmError: (NothingToConfirm, "NOTHING_TO_CONFIRM"),
    UnansweredError: (QuestionOpen, "QUESTION_OPEN"),
    NothingToRetryError: (NothingToRetry, "NOTHING_TO_RETRY"),
    UploadWithdrawnError: (UploadWithdrawn, "UPLOAD_WITHDRAWN"),
    UploadOptionsError: (OptionsRefused, "OPTIONS_REFUSED"),
    OptionsSettledError: (OptionsSettled, "OPTIONS_SETTLED"),
    UnknownProjectionError: (ProjectionNotFound, "PROJECTION_NOT_FOUND"),
    OperationRunningError: (RebuildRunning, "REBUILD_RUNNING"),
    NothingToRollBackToError: (NothingToRollBackTo, "NOTHING_TO_ROLL_BACK_TO"),
    UnknownJobError: (JobNotFound, "JOB_NOT_FOUND"),
    JobNotFailedError: (JobNotFailed, "JOB_NOT_FAILED"),
    JobAlreadyQueuedError: (JobAlreadyQueued, "JOB_ALREADY_QUEUED"),
    JobMovedError: (JobMoved, "JOB_MOVED"),
    LabelNotFoundError: (LabelNotFound, "LABEL_NOT_FOUND"),
    LabelRefusedError: (LabelRefused, "LABEL_REFUSED"),
    LabelNameTakenError: (LabelNameTaken, "LABEL_NAME_TAKEN"),
    TargetNotFoundError: (TargetNotFound, "TARGET_NOT_FOUND"),
    LabelTargetsRefusedError: (TargetsRefused, "TARGETS_REFUSED"),
    CommandIdReusedError: (CommandIdReused, "COMMAND_ID_REUSED"),
}


def refusal_of(error: Exception) -> Refusal | None:
    """None: it is not one that a client can expect."""
    for kind, (refusal, code) in REFUSALS.items():
        if isinstance(error, kind):
            return refusal(code=code, message=str(error))
    return None


async def carry_out(
    info: Ask,
    command_id: str,
    handle: Callable[[Context], Accepted],
    workspace_id: UUID | None = None,
) -> Accepted | Any:
    """
    Hand a command to its handler, in a thread. Returns what was accepted, or a refusal.

    Args:
        workspace_id: None: the command is the instance's.
    """
    try:
        id_ = UUID(command_id)
    except ValueError:
        return ArgumentRefused(
            code="ARGUMENT_REFUSED",
            message="`commandId` is a UUID that you make, a new one for each command",
        )
    context = replace(info.context.actor, workspace_id=workspace_id, command_id=id_)
    try:
        return await info.context.run(lambda: handle(context))
    except tuple(REFUSALS) as error:
        return refusal_of(error)


def no_upload() -> UploadNotFound:
    return UploadNotFound(code="UPLOAD_NOT_FOUND", message="there is no such upload")
