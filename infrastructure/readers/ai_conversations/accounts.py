"""Whose conversations they are: the accounts that an export lists beside them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from application.ports.chat_reader import Export, ReadWarning
from domain.message import Author
from infrastructure.readers.json_buffer import BrokenJsonError
from infrastructure.readers.json_cursor import JsonCursor
from infrastructure.readers.reading import name_of
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.text_stream import as_utf8

_ACCOUNTS_HELD = 100_000
_NAME_LIMIT = 500  # characters; a longer id is none


class AccountList(NamedTuple):
    """How the exports of one AI list accounts: one object, or a list of them."""

    file_name: str  # without folders
    id_key: str
    name_keys: tuple[str, ...]  # the best name first
    nameless: str  # what somebody without a name is called


class Accounts:
    """The listed accounts by id, and who owns the conversations of which folder."""

    def __init__(self, listed_as: AccountList) -> None:
        self._listed_as = listed_as
        self._names: dict[str, str] = {}
        self._owners: dict[str, str | None] = {}  # by folder; None: it may be any of several

    def author(self, id: str) -> Author:
        """An account by its id, listed or not."""
        return Author(id, self._names.get(id, self._listed_as.nameless))

    def owner(self, file: str) -> Author | None:
        """
        Whose conversations a file holds: the only account of the list in its folder, or else in
        the nearest folder above. None if there is no such list, or if it has several accounts.

        Args:
            file: its path inside the export.
        """
        folder = file.rpartition("/")[0]
        while folder and folder not in self._owners:
            folder = folder.rpartition("/")[0]
        known = self._owners.get(folder)
        return None if known is None else self.author(known)

    @property
    def sole_name(self) -> str | None:
        """Of the account, if there is only one, and by a name of its own."""
        accounts = set(self._owners.values())
        only = accounts.pop() if len(accounts) == 1 else None
        return None if only is None else self._names.get(only)

    def read(self, export: Export) -> Iterator[ReadWarning]:
        """Take in all lists of an export; yields what was wrong with them."""
        for file in export.files:
            if not export.is_packed or name_of(file) != self._listed_as.file_name:
                continue
            folder = file.name.rpartition("/")[0]
            repairs = Repairs()
            try:
                with file.open() as stream:
                    cursor = JsonCursor(as_utf8(stream), repairs)
                    is_list = cursor.peek() == b"["
                    for raw in cursor.elements() if is_list else (cursor.value(),):
                        self._add(raw, folder)
            except BrokenJsonError as error:
                self._owners[folder] = None  # others may have followed
                reason = f"{error}; accounts that follow it are not known by their names"
                yield ReadWarning(file.name, None, reason)
            yield from repairs.warnings(file.name)

    def _add(self, raw: Any, folder: str) -> None:
        known = raw.get(self._listed_as.id_key) if isinstance(raw, dict) else None
        if not isinstance(known, str) or not 0 < len(known) <= _NAME_LIMIT:
            return
        is_other = self._owners.setdefault(folder, known) != known
        if is_other:
            self._owners[folder] = None
        names = (raw.get(key) for key in self._listed_as.name_keys)
        name = next((one.strip() for one in names if isinstance(one, str) and one.strip()), None)
        if name is not None and len(self._names) < _ACCOUNTS_HELD:
            self._names[known] = name[:_NAME_LIMIT]
