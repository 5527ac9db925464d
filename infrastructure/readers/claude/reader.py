"""Reader of the conversations in Anthropic's export of claude.ai."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from application.ports.chat_reader import Export, ReadFacts, ReadItem, ReadOptions, Recognition
from infrastructure.readers.ai_conversations.accounts import Accounts
from infrastructure.readers.ai_conversations.choice import best_claim, conversation_files
from infrastructure.readers.ai_conversations.documents import read_conversations
from infrastructure.readers.claude.conversations import PART, Source, conversation_items
from infrastructure.readers.claude.people import LISTED_AS
from infrastructure.readers.claude.recognition import claim_of
from infrastructure.readers.local_time import LocalClock


class ClaudeReader:
    """
    Times are UTC. The human is known by the account's id, where the export has one, so that two
    people's exports do not become one person's.

    Projects, memories and design chats, which may lie beside the conversations, are not read.
    """

    format = "claude"
    version = 1

    def recognise(self, export: Export) -> Recognition | None:
        claim = best_claim(export, claim_of)
        return None if claim is None else Recognition(self.format, *claim)

    def read(self, export: Export, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
        clock = LocalClock(options, facts, file=export.name)
        accounts = Accounts(LISTED_AS)
        yield from accounts.read(export)
        facts.owner = accounts.sole_name
        source = Source(accounts, clock, facts)
        files = conversation_files(export, claim_of)
        for file in files:
            items_of = partial(conversation_items, file.name, source)
            yield from read_conversations(file, PART, items_of, is_alone=len(files) == 1)
