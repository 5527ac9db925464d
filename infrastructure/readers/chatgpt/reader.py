"""Reader of the conversations in OpenAI's export of ChatGPT."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from application.ports.chat_reader import Export, ReadFacts, ReadItem, ReadOptions, Recognition
from infrastructure.readers.ai_conversations.accounts import AccountList, Accounts
from infrastructure.readers.ai_conversations.choice import best_claim, conversation_files
from infrastructure.readers.ai_conversations.documents import read_conversations
from infrastructure.readers.chatgpt.conversations import PART, conversation_items
from infrastructure.readers.chatgpt.messages import USER
from infrastructure.readers.chatgpt.recognition import claim_of

_LISTED_AS = AccountList("user.json", "id", ("name", "email"), nameless=USER.name)


class ChatGptReader:
    """
    Times are UTC, to the microsecond. The user is known by the account's id, where `user.json`
    lies beside the conversations, so that two people's exports do not become one person's.
    All others, and a user without an account, are known by their role.

    Every message of every branch is read once: first the path that ChatGPT shows, then the
    others. On those `extra["branch"]` is the key of the branch's first message, and that
    message's `reply_to` says where the branch leaves the rest.
    """

    format = "chatgpt"
    version = 1

    def recognise(self, export: Export) -> Recognition | None:
        claim = best_claim(export, claim_of)
        return None if claim is None else Recognition(self.format, *claim)

    def read(self, export: Export, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
        del options  # these times leave nothing to decide
        facts.timezone = "UTC"
        accounts = Accounts(_LISTED_AS)
        yield from accounts.read(export)
        facts.owner = accounts.sole_name
        files = conversation_files(export, claim_of)
        for file in files:
            user = accounts.owner(file.name) or USER
            items_of = partial(conversation_items, file.name, user, facts)
            yield from read_conversations(file, PART, items_of, is_alone=len(files) == 1)
