"""Labels: what a workspace calls things by, and what each label was put on."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from typing import Any, ClassVar, NamedTuple
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.aggregate import CHATLEDGER_NAMESPACE, Aggregate, Creation
from domain.transcript import ERASED_KEY

MAX_NAME = 100  # characters
MAX_DESCRIPTION = 500  # characters
MOST_LABELS = 1_000  # of a workspace
COLOUR = re.compile(r"#[0-9a-f]{6}", re.ASCII)


class LabelNotFoundError(Exception):
    """This workspace has no such label."""


class LabelRefusedError(ValueError):
    """A name, a colour, a description or the number of labels is outside its limits."""


class LabelNameTakenError(Exception):
    """Another label of the workspace has this name, whatever the case of its letters."""


def label_key(name: str) -> str:
    """What tells names apart: neither case nor the space around them does."""
    return unicodedata.normalize("NFC", name.strip()).casefold()


class LabelFacts(NamedTuple):
    id: UUID
    name: str


class LabelBook(Aggregate):
    """All labels of a workspace: together, because no two of them may have the same name."""

    TOPIC = "label_book"

    class Opened(Creation):
        TOPIC = "label_book.opened"
        workspace_id: str

    class Created(Aggregate.Event):
        TOPIC = "label.created"
        label_id: str
        name: str
        colour: str | None  # "#rrggbb"
        description: str | None
        personal: ClassVar[dict[str, str]] = {"description": "label_id"}

    class Renamed(Aggregate.Event):
        TOPIC = "label.renamed"
        label_id: str
        name: str
        before: str  # its name until now

    class Deleted(Aggregate.Event):
        """It is on nothing any more. The same name again is another label."""

        TOPIC = "label.deleted"
        label_id: str
        name: str

    @staticmethod
    def create_id(workspace_id: UUID) -> UUID:
        return uuid5(CHATLEDGER_NAMESPACE, f"labels/{workspace_id}")

    @classmethod
    def open(cls, workspace_id: UUID) -> LabelBook:
        id_ = cls.create_id(workspace_id)
        return cls._create(cls.Opened, id=id_, workspace_id=str(workspace_id))

    @event(Opened)
    def __init__(self, *, workspace_id: str) -> None:
        self.workspace_id = UUID(workspace_id)
        self.names: dict[UUID, str] = {}
        self.created = 0  # deleted ones included

    def find(self, label: str | UUID) -> LabelFacts:
        """
        By its id, or by its name.

        Raises:
            LabelNotFoundError
        """
        if isinstance(label, UUID):
            if label in self.names:
                return LabelFacts(label, self.names[label])
        elif (found := self._named(label)) is not None:
            return LabelFacts(found, self.names[found])
        raise LabelNotFoundError(not_found(label))

    def create(self, name: str, *, colour: str | None, description: str | None) -> UUID:
        """
        Raises:
            LabelRefusedError, LabelNameTakenError
        """
        name = checked_name(name)
        self._require_free(name, None)
        if len(self.names) >= MOST_LABELS:
            raise LabelRefusedError(f"a workspace has at most {MOST_LABELS:,} labels")
        id_ = uuid5(self.id, f"label/{self.created + 1}")
        self.trigger_event(
            self.Created,
            label_id=str(id_),
            name=name,
            colour=checked_colour(colour),
            description=checked_description(description),
        )
        return id_

    def rename(self, label: LabelFacts, name: str) -> None:
        """
        Does nothing where it is called so already.

        Raises:
            LabelRefusedError, LabelNameTakenError
        """
        name = checked_name(name)
        self._require_free(name, label.id)
        if name != label.name:
            self.trigger_event(self.Renamed, label_id=str(label.id), name=name, before=label.name)

    def delete(self, label: LabelFacts) -> None:
        self.trigger_event(self.Deleted, label_id=str(label.id), name=label.name)

    def _named(self, name: str) -> UUID | None:
        key = label_key(name)
        return next((id_ for id_, known in self.names.items() if label_key(known) == key), None)

    def _require_free(self, name: str, own: UUID | None) -> None:
        if (known := self._named(name)) not in (None, own):
            raise LabelNameTakenError(f"there is a label {self.names[known]!r} already")

    @event(Created)
    def _apply_created(self, label_id: str, name: str) -> None:
        self.names[UUID(label_id)] = name
        self.created += 1

    @event(Renamed)
    def _apply_renamed(self, label_id: str, name: str) -> None:
        self.names[UUID(label_id)] = name

    @event(Deleted)
    def _apply_deleted(self, label_id: str) -> None:
        del self.names[UUID(label_id)]


class LabelledMessage(NamedTuple):
    """
    A message as labels know it: by its conversation and its key, which are the same whenever an
    export tells it again. Its id is not: it is the place in the log where it was first told, and
    what is uploaded again after a withdrawal is told in another place.
    """

    id: int
    key: str
    subject: UUID  # whose it is: the author; of the system's notices the conversation

    @property
    def is_erased(self) -> bool:
        return self.key.startswith(ERASED_KEY)


class Labelling(Aggregate):
    """
    One label in one conversation: on the conversation itself, and on messages of it.

    A stream for each of these, so that people who label at the same time rarely wait for each
    other, and none grows with the whole archive.
    """

    TOPIC = "labelling"

    class Begun(Creation):
        """The label was put on something of this conversation for the first time."""

        TOPIC = "labelling.begun"
        label_id: str
        name: str  # of the label, then
        conversation_id: str  # pseudonymous
        is_on_conversation: bool  # on itself, too
        message_ids: list[int]
        # subject id -> [[message id, key]], as transcripts have them; none of erased people
        keys: dict[str, Any]
        personal_by_subject: ClassVar[tuple[str, ...]] = ("keys",)

    class PutOn(Aggregate.Event):
        TOPIC = "labelling.put_on"
        label_id: str
        name: str
        conversation_id: str
        is_on_conversation: bool
        message_ids: list[int]
        keys: dict[str, Any]
        personal_by_subject: ClassVar[tuple[str, ...]] = ("keys",)

    class TakenOff(Aggregate.Event):
        TOPIC = "labelling.taken_off"
        label_id: str
        name: str
        conversation_id: str
        is_on_conversation: bool
        message_ids: list[int]
        keys: dict[str, Any]
        personal_by_subject: ClassVar[tuple[str, ...]] = ("keys",)

    @staticmethod
    def create_id(label_id: UUID, conversation_id: UUID) -> UUID:
        return uuid5(label_id, f"conversation/{conversation_id}")

    @classmethod
    def begin(
        cls,
        label: LabelFacts,
        conversation_id: UUID,
        messages: Collection[LabelledMessage],
        *,
        is_on_conversation: bool,
    ) -> Labelling:
        return cls._create(
            cls.Begun,
            id=cls.create_id(label.id, conversation_id),
            **facts(label, conversation_id, messages, is_on_conversation),
        )

    @event(Begun)
    def __init__(
        self,
        *,
        label_id: str,
        name: str,
        conversation_id: str,
        is_on_conversation: bool,
        message_ids: list[int],
        keys: dict[str, Any],
    ) -> None:
        del name
        self.label_id = UUID(label_id)
        self.conversation_id = UUID(conversation_id)
        self.is_on_conversation = is_on_conversation
        self.keys = set(keys_of(message_ids, keys).values())

    def put_on(
        self,
        label: LabelFacts,
        messages: Iterable[LabelledMessage],
        *,
        is_on_conversation: bool,
    ) -> int:
        """Of what does not have it yet. How many that are."""
        new = [message for message in messages if message.key not in self.keys]
        is_new = is_on_conversation and not self.is_on_conversation
        if new or is_new:
            self.trigger_event(self.PutOn, **facts(label, self.conversation_id, new, is_new))
        return len(new) + is_new

    def take_off(
        self,
        label: LabelFacts,
        messages: Iterable[LabelledMessage],
        *,
        is_on_conversation: bool,
    ) -> int:
        """Of what has it. How many that are."""
        old = [message for message in messages if message.key in self.keys]
        is_old = is_on_conversation and self.is_on_conversation
        if old or is_old:
            self.trigger_event(self.TakenOff, **facts(label, self.conversation_id, old, is_old))
        return len(old) + is_old

    @event(PutOn)
    def _apply_put_on(
        self, *, is_on_conversation: bool, message_ids: list[int], keys: dict[str, Any]
    ) -> None:
        self.is_on_conversation |= is_on_conversation
        self.keys |= set(keys_of(message_ids, keys).values())

    @event(TakenOff)
    def _apply_taken_off(
        self, *, is_on_conversation: bool, message_ids: list[int], keys: dict[str, Any]
    ) -> None:
        self.is_on_conversation &= not is_on_conversation
        self.keys -= set(keys_of(message_ids, keys).values())


def facts(
    label: LabelFacts,
    conversation_id: UUID,
    messages: Collection[LabelledMessage],
    is_on_conversation: bool,  # noqa: FBT001 - named so in the events
) -> dict[str, Any]:
    """The fields that all events of a labelling have."""
    keys: dict[str, list[list[int | str]]] = {}
    for message in messages:
        if not message.is_erased:  # nothing can be sealed for them any more
            keys.setdefault(str(message.subject), []).append([message.id, message.key])
    return {
        "label_id": str(label.id),
        "name": label.name,
        "conversation_id": str(conversation_id),
        "is_on_conversation": is_on_conversation,
        "message_ids": [message.id for message in messages],
        "keys": keys,
    }


def keys_of(message_ids: Iterable[int], keys: Mapping[str, Any]) -> dict[int, str]:
    """From an event's messages to their keys. Who was erased has taken theirs along."""
    told = {id_: key for pairs in keys.values() for id_, key in pairs}
    return {id_: told.get(id_, f"{ERASED_KEY}{id_}") for id_ in message_ids}


def checked_name(name: str) -> str:
    name = unicodedata.normalize("NFC", name.strip())
    if not (0 < len(name) <= MAX_NAME and name.isprintable()):
        raise LabelRefusedError(
            f"a label's name is 1 to {MAX_NAME} printable characters, not {name[:120]!r}"
        )
    return name


def checked_colour(colour: str | None) -> str | None:
    if not colour:
        return None
    if not COLOUR.fullmatch(colour.lower()):
        raise LabelRefusedError(f"a colour is written as #3366cc, not {colour[:20]!r}")
    return colour.lower()


def checked_description(description: str | None) -> str | None:
    text = " ".join((description or "").split())
    if len(text) > MAX_DESCRIPTION or not text.isprintable():
        raise LabelRefusedError(
            f"a label's description is at most {MAX_DESCRIPTION} printable characters"
        )
    return text or None


def not_found(label: str | UUID) -> str:
    return f"there is no label {str(label)[:120]!r}"
