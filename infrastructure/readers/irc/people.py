"""Who speaks, as a log writes it: a nick, perhaps with a mode in front and a host behind."""

from __future__ import annotations

from typing import Any, NamedTuple

from domain.message import Author

_MODES = "@+%~&!"
_KEPT = 10_000
_NICKS_KEPT = 10  # earlier ones of one person


class Person(NamedTuple):
    author: Author
    extra: dict[str, Any] | None


class People:
    """
    The people of one file. The nick as written is who they are; that somebody had other nicks
    before is noted beside it as long as the log follows them, which is until they leave.
    """

    def __init__(self) -> None:
        self.known: dict[str, Person] = {}  # by what stands between the angle brackets
        self._written: dict[str, list[str]] = {}  # nick -> how it was written
        self._earlier: dict[str, tuple[str, ...]] = {}

    def person(self, written: str) -> Person:
        """Who it is that a log writes so."""
        found = self.known.get(written)
        if found is None:
            if len(self.known) >= _KEPT:
                self.known.clear()
                self._written.clear()
            found = self.known[written] = self._read(written)
            self._written.setdefault(found.author.id, []).append(written)
        return found

    def _read(self, written: str) -> Person:
        full = written.strip()
        bare = full.lstrip(_MODES)
        nick, _, host = bare.partition("!")
        nick = nick or full or written
        extra: dict[str, Any] = {}
        if len(bare) < len(full) and bare:
            extra["mode"] = full[: len(full) - len(bare)]
        if host:
            extra["host"] = host
        if earlier := self._earlier.get(nick):
            extra["earlier_nicks"] = list(earlier)
        return Person(Author(nick, nick), extra or None)

    def rename(self, nick: str, new_nick: str) -> None:
        earlier = (*self._earlier.pop(nick, ()), nick)
        kept = [name for name in dict.fromkeys(earlier) if name != new_nick]
        if len(self._earlier) >= _KEPT:
            self._earlier.clear()
        self._earlier[new_nick] = tuple(kept[-_NICKS_KEPT:])
        self._read_anew(nick)
        self._read_anew(new_nick)

    def leave(self, nick: str) -> None:
        """Whoever has this nick from now on may be somebody else."""
        if self._earlier.pop(nick, None) is not None:
            self._read_anew(nick)

    def forget(self) -> None:
        """The log was closed or opened: people may have changed unseen."""
        self._earlier.clear()
        self.known.clear()
        self._written.clear()

    def _read_anew(self, nick: str) -> None:
        for written in self._written.pop(nick, ()):
            self.known.pop(written, None)
