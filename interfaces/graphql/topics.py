"""The topics of events: what the log can tell."""

from __future__ import annotations

import strawberry

from domain.topics import EVENTS


@strawberry.type(
    description="A kind of event. Not an enum: an older client must bear topics that came later."
)
class EventTopic:
    name: str = strawberry.field(
        description="For `topics` and `actions`, for example `upload.read`."
    )
    sealed_fields: list[str] = strawberry.field(
        description='Its personal fields, which no event of it shows, for example `["filename"]`.'
    )


def event_topics() -> list[EventTopic]:
    return [
        EventTopic(name=topic, sealed_fields=[*event.personal, *event.personal_by_subject])
        for topic, event in EVENTS.items()
    ]
