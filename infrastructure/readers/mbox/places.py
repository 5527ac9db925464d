"""Which conversation a mail belongs to: that of its list, else that of the file it lies in."""

from __future__ import annotations

import re

from domain.message import Conversation

_LIST = re.compile(r"<\s*([^<>\s]{1,200})\s*>")
_ENDINGS = (".mbox", ".mbx", ".txt", ".eml", ".gz", ".zip", ".tgz", ".tar")
_MONTHS = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    "|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
# Archives of lists are cut into months or quarters: “2015-November”, “name_2016_april”, “2015q4”.
_PERIOD = re.compile(
    rf"[-_. ]*(?:(?:19|20)\d\d[-_. ]?(?:{_MONTHS}|q[1-4]|0[1-9]|1[0-2])"
    rf"|(?:{_MONTHS})[-_. ]?(?:19|20)\d\d)$",
    re.IGNORECASE,
)
_MAILDIR = ("cur", "new", "tmp")
_NAMELESS = ("mbox", "inbox.mbox", "mbox.mbox")


def place_of_list(list_id: str) -> Conversation | None:
    """Of a header such as `Talk of metrics <metrics.lists.example.com>`; None if it has no id."""
    match = _LIST.search(list_id)
    id = match[1] if match else list_id.strip()
    if not id or " " in id:
        return None
    title = list_id[: match.start()].strip(" \"'") if match else ""
    return Conversation(id.lower(), title or id, "channel")


def place_of_file(name: str, export: str, *, is_single: bool) -> Conversation:
    """
    Args:
        name: the file's, with the folders it lies in.
        export: of all of it, where the file has no name of its own.
        is_single: whether the file is one mail; then its folder is the conversation.
    """
    *folders, last = name.split("/")
    folders = [folder for folder in folders if folder not in _MAILDIR]
    titles = [*(_title(folder) for folder in folders)]
    if not is_single:
        titles.append("" if last.lower() in _NAMELESS else _title(last))
    elif not folders and name == export:
        titles.append(_title(last))
    title = next((title for title in reversed(titles) if title), "") or _title(export) or "Mail"
    return Conversation(title, title, "unknown")


def _title(name: str) -> str:
    """Without what says how it is packed, and without the month."""
    stem = name.rpartition("/")[2]
    while stem.lower().endswith(_ENDINGS):
        stem = stem.rpartition(".")[0]
    return _PERIOD.sub("", stem).strip(" -_.")
