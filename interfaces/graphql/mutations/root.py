"""Every mutation by name."""

from __future__ import annotations

import strawberry

from interfaces.graphql.mutations.confirming import (
    ConfirmUploadAnswer,
    InspectUploadAnswer,
    confirm_upload,
    inspect_upload,
)
from interfaces.graphql.mutations.jobs import (
    DiscardJobAnswer,
    RetryJobAnswer,
    discard_job,
    retry_job,
)
from interfaces.graphql.mutations.labels import (
    AddLabelAnswer,
    CreateLabelAnswer,
    DeleteLabelAnswer,
    RemoveLabelAnswer,
    RenameLabelAnswer,
    add_label,
    create_label,
    delete_label,
    remove_label,
    rename_label,
)
from interfaces.graphql.mutations.projections import (
    RebuildProjectionAnswer,
    RollBackProjectionAnswer,
    rebuild_projection,
    roll_back_projection,
)
from interfaces.graphql.mutations.saved_searches import (
    DeleteSavedSearchAnswer,
    RenameSavedSearchAnswer,
    SaveSearchAnswer,
    delete_saved_search,
    rename_saved_search,
    save_search,
)
from interfaces.graphql.mutations.uploads import (
    RetryUploadAnswer,
    WithdrawUploadAnswer,
    retry_upload,
    withdraw_upload,
)
from interfaces.graphql.mutations.workspaces import CreateWorkspaceAnswer, create_workspace


@strawberry.type(
    description="What can be changed. Each answer is what was done, or one of the refusals that "
    "can be expected: ask for `... on Refusal { code message }`."
)
class Mutation:
    create_workspace: CreateWorkspaceAnswer | None = strawberry.field(
        resolver=create_workspace, description="Make an archive of its own, or find it."
    )
    inspect_upload: InspectUploadAnswer | None = strawberry.field(
        resolver=inspect_upload,
        description="Look again at what an upload holds, perhaps with other options. It is not "
        "read before it is confirmed.",
    )
    confirm_upload: ConfirmUploadAnswer | None = strawberry.field(
        resolver=confirm_upload,
        description="Have an upload read that waits, and say what its file leaves open.",
    )
    retry_upload: RetryUploadAnswer | None = strawberry.field(
        resolver=retry_upload,
        description="Try an upload again that failed or was rejected, perhaps with other options.",
    )
    withdraw_upload: WithdrawUploadAnswer | None = strawberry.field(
        resolver=withdraw_upload,
        description="Take an upload back, for good: its messages, its vectors and its bytes.",
    )
    save_search: SaveSearchAnswer | None = strawberry.field(
        resolver=save_search,
        description="Keep a search under a name, for yourself: to run it again, and to be told of "
        "what it will find.",
    )
    rename_saved_search: RenameSavedSearchAnswer | None = strawberry.field(
        resolver=rename_saved_search, description="Give a saved search another name."
    )
    delete_saved_search: DeleteSavedSearchAnswer | None = strawberry.field(
        resolver=delete_saved_search,
        description="Delete a saved search. What it has found stays in the log.",
    )
    create_label: CreateLabelAnswer | None = strawberry.field(
        resolver=create_label, description="Make a label for messages and conversations."
    )
    rename_label: RenameLabelAnswer | None = strawberry.field(
        resolver=rename_label, description="Call a label otherwise. It stays on what it is on."
    )
    delete_label: DeleteLabelAnswer | None = strawberry.field(
        resolver=delete_label,
        description="Delete a label, for good, and take it off whatever it is on.",
    )
    add_label: AddLabelAnswer | None = strawberry.field(
        resolver=add_label,
        description="Put a label on messages and conversations. On those that have it, nothing "
        "changes.",
    )
    remove_label: RemoveLabelAnswer | None = strawberry.field(
        resolver=remove_label,
        description="Take a label off messages and conversations. A message keeps what its "
        "conversation has.",
    )
    rebuild_projection: RebuildProjectionAnswer | None = strawberry.field(
        resolver=rebuild_projection, description="Build a read model anew from the log."
    )
    roll_back_projection: RollBackProjectionAnswer | None = strawberry.field(
        resolver=roll_back_projection,
        description="Let readers see a read model's version before again.",
    )
    retry_job: RetryJobAnswer | None = strawberry.field(
        resolver=retry_job, description="Try a failed job again."
    )
    discard_job: DiscardJobAnswer | None = strawberry.field(
        resolver=discard_job, description="Take a job out of the queue, or stop it."
    )
