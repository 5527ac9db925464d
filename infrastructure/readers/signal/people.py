"""Who and what a backup announces before it is spoken of: people, groups and chats."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, NamedTuple

from domain.message import Author, Conversation, ConversationKind
from infrastructure.readers.signal.values import number, phone_number, service_id, text_of

_REMEMBERED = 50_000  # recipients, and as many chats and members of groups
_NAME_LIMIT = 300  # characters
UNNAMED = "You"
OWN_ID = "self"  # the export does not say the id of the account it is of


class Recipient(NamedTuple):
    """Somebody who writes, and the conversation with them; or a group."""

    author: Author
    conversation: Conversation


class People:
    """
    The numbers by which a file refers to recipients and chats mean nothing outside it, so ids
    are made from what stays: ACI, PNI or telephone number, and the hash of a group's master key.
    """

    def __init__(self) -> None:
        self.own = Author(OWN_ID, UNNAMED)
        self.is_full = False  # something was not remembered
        self._recipients: dict[str, Recipient] = {}
        self._chats: dict[str, Recipient] = {}
        self._by_service_id: dict[str, Author] = {}
        self._members: set[str] = set()

    @property
    def named_owner(self) -> str | None:
        """Whose backup it is, as far as it says so."""
        return self.own.name if self.own.name != UNNAMED else None

    def add_account(self, raw: dict[str, Any]) -> None:
        name = _joined(raw, "givenName", "familyName") or text_of(raw, "username")
        if name:
            self.own = Author(OWN_ID, name[:_NAME_LIMIT])

    def add_recipient(self, raw: dict[str, Any]) -> None:
        """
        Raises:
            one of reading.MALFORMED: if it is not what Signal writes.
        """
        key = str(number(raw["id"]))
        if len(self._recipients) >= _REMEMBERED:
            self.is_full = True
            return
        if "self" in raw:
            self._recipients[key] = self._recipient(self.own, "Note to Self", "direct")
        elif "releaseNotes" in raw:
            signal = Author("release-notes", "Signal")
            self._recipients[key] = self._recipient(signal, "Signal", "channel")
        elif isinstance(contact := raw.get("contact"), dict):
            self._recipients[key] = self._contact(contact, key)
        elif isinstance(group := raw.get("group"), dict):
            self._recipients[key] = self._group(group, key)

    def add_chat(self, raw: dict[str, Any]) -> None:
        """
        Raises:
            one of reading.MALFORMED: if it is not what Signal writes.
        """
        if len(self._chats) >= _REMEMBERED:
            self.is_full = True
            return
        self._chats[str(number(raw["id"]))] = self.recipient(raw["recipientId"])

    def recipient(self, reference: Any) -> Recipient:
        """
        Raises:
            ValueError, TypeError: if the reference is no number.
        """
        found = self._recipients.get(reference) if isinstance(reference, str) else None
        return found or self._recipients.get(str(number(reference))) or _unknown("", reference)

    def chat(self, reference: Any) -> Recipient:
        """As `recipient`."""
        found = self._chats.get(reference) if isinstance(reference, str) else None
        return found or self._chats.get(str(number(reference))) or _unknown("chat-", reference)

    def by_service_id(self, value: Any) -> Author | None:
        """
        The account's own id is not in the file. Everybody else in a group is a recipient, so a
        member who is none is the account itself.
        """
        known = service_id(value)
        if known is None:
            return None
        author = self._by_service_id.get(known)
        return self.own if author is None and known in self._members else author

    def name_of(self, value: Any) -> str:
        author = self.by_service_id(value)
        return "somebody" if author is None else author.name

    def _contact(self, raw: dict[str, Any], key: str) -> Recipient:
        aci, pni = service_id(raw.get("aci")), service_id(raw.get("pni"))
        phone = phone_number(raw.get("e164"))
        known = aci or (f"PNI:{pni.removeprefix('PNI:')}" if pni else None) or phone
        name = (
            _joined(raw.get("nickname"), "given", "family")
            or _joined(raw, "systemGivenName", "systemFamilyName")
            or _joined(raw, "profileGivenName", "profileFamilyName")
            or phone
            or text_of(raw, "username")
            or "Unknown"
        )
        author = Author(known or f"recipient-{key}", name[:_NAME_LIMIT])
        for one in (aci, known):
            if one is not None:
                self._by_service_id[one] = author
        return self._recipient(author, author.name, "direct")

    def _group(self, raw: dict[str, Any], key: str) -> Recipient:
        snapshot = raw.get("snapshot")
        snapshot = snapshot if isinstance(snapshot, dict) else {}
        title = text_of(snapshot.get("title"), "title")[:_NAME_LIMIT] or "Unnamed group"
        members = snapshot.get("members")
        for member in members if isinstance(members, list) else ():
            known = service_id(text_of(member, "userId"))
            if known is not None and len(self._members) < _REMEMBERED:
                self._members.add(known)
        # The key itself opens the group's state on the server: it must not become an id.
        secret = text_of(raw, "masterKey")
        digest = sha256(secret.encode("utf-8", "replace")).hexdigest()[:32] if secret else key
        return self._recipient(Author(f"group-{digest}", title), title, "group")

    @staticmethod
    def _recipient(author: Author, title: str, kind: ConversationKind) -> Recipient:
        return Recipient(author, Conversation(author.id, title, kind))


def _unknown(prefix: str, reference: Any) -> Recipient:
    """Somebody, or a chat, that was never announced."""
    known = f"{prefix or 'recipient-'}{reference}"
    title = f"Chat {reference}" if prefix else "Unknown"
    return Recipient(Author(known, "Unknown"), Conversation(known, title, "unknown"))


def _joined(raw: Any, *keys: str) -> str:
    return " ".join(part for key in keys if (part := text_of(raw, key).strip()))
