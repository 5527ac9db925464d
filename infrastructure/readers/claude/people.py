"""Who speaks in a conversation."""

from __future__ import annotations

from domain.message import Author
from infrastructure.readers.ai_conversations.accounts import AccountList, Accounts

LISTED_AS = AccountList("users.json", "uuid", ("full_name", "email_address"), nameless="Human")
ASSISTANT = Author("assistant", "Claude")


def human(accounts: Accounts, account: object, file: str) -> Author:
    """
    Who wrote as the human of a conversation: its account; where it names none, the only one that
    the export lists; else whoever is "human".

    Args:
        account: the conversation's `account`.
        file: the path of the file that it is in.
    """
    known = account.get("uuid") if isinstance(account, dict) else None
    if isinstance(known, str) and known:
        return accounts.author(known)
    return accounts.owner(file) or Author("human", LISTED_AS.nameless)
