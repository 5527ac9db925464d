"""Refusals that a client can expect: members of an answer's union, each with a code."""

from __future__ import annotations

import strawberry


@strawberry.interface(
    description="Why something was not done. The request itself was in order, and other parts of "
    "it have their answers."
)
class Refusal:
    code: str = strawberry.field(
        description="For programs, for example `UNKNOWN_WORKSPACE`; it stays the same for ever."
    )
    message: str = strawberry.field(
        description="A sentence for people, for example `there is no such upload`; it may change."
    )


@strawberry.type(description="There is no such workspace, or it is not yours.")
class UnknownWorkspace(Refusal):
    pass


@strawberry.type(description="There is no such upload, or it is not yours.")
class UploadNotFound(Refusal):
    pass


@strawberry.type(description="An argument is outside its limits; the message says which.")
class ArgumentRefused(Refusal):
    pass


@strawberry.type(description="What was asked for cannot be searched for; the message says why.")
class QueryRefused(Refusal):
    pass


@strawberry.type(description="You have made no such search in this workspace.")
class SearchNotFound(Refusal):
    pass


@strawberry.type(description="You have no such saved search in this workspace.")
class SavedSearchNotFound(Refusal):
    pass


@strawberry.type(description="A saved search's name is 1 to 100 printable characters.")
class SavedSearchNameRefused(Refusal):
    pass


@strawberry.type(
    description="You keep as many saved searches in this workspace as you may: delete one that you "
    "do not need any more."
)
class TooManySavedSearches(Refusal):
    pass


@strawberry.type(
    description="What was searched for is not known any more: the key that it was sealed with was "
    "destroyed."
)
class SearchErased(Refusal):
    pass


@strawberry.type(description="The search was given up. Ask again, or more narrowly.")
class SearchTimedOut(Refusal):
    pass
