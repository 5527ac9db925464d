"""Any chat at all, as hypothesis draws it, and the forms in which formats write it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

from hypothesis import strategies as st

from application.ports.chat_reader import ReadOptions
from domain.message import Message
from tests.infrastructure.readers.support import MemoryFile, Read

EDITED_AFTER = timedelta(minutes=1)
# What formats write around texts, and what people paste into them.
SNIPPETS = (
    *(
        "\n",
        "\n\n",
        "\t",
        "  ",
        "👋🏽",
        "👨‍👩‍👧‍👦",
        "é",
        "שלום",
        "漢字",
        '"',
        '""',
        "'",
        "“”",
        "`",
        "```",
        "\\",
    ),
    *(
        "\\n",
        "&amp;",
        "&lt;",
        "&",
        "<b>",
        "</p>",
        "<",
        ">",
        "\n> ",
        "*b*",
        "_i_",
        "~s~",
        "||",
        "@Ann",
    ),
    *(
        "#rome",
        ":wave:",
        "https://a.b/c?d=e&f=(g)",
        "[a](b)",
        "{",
        "}",
        "[",
        "]",
        ",",
        ";",
        ":",
        ": ",
    ),
    *(
        "\u2028",
        "\u00a0",
        "\u202e",
        "null",
        "-1",
        "1e9",
        "=1+1",
        '{"text": "x"}',
        "\nAnn: hi",
        "--- ",
        "--",
    ),
    *(
        "\n[2024-01-31 10:00] Ann: hi",
        "\n10:00\tAnn\thi",
        "\nFrom ann@example.org",
        "[deleted]",
        "ok",
    ),
)


class Said(NamedTuple):
    """One message of a chat that is written."""

    author: str
    at: datetime
    text: str
    answers: int | None = None  # the place of an earlier message
    before: str | None = None  # what it said until a minute later

    @property
    def edited_at(self) -> datetime | None:
        return None if self.before is None else self.at + EDITED_AFTER


def texts(*snippets: str, without: str = "") -> st.SearchStrategy[str]:
    """
    Any text, also of such snippets.

    Args:
        without: characters that the format has no way to write.
    """
    known = [one for one in (*SNIPPETS, *snippets) if not set(one) & set(without)]
    others = st.characters(exclude_categories=["Cs"], exclude_characters=f"\0{without}")
    return st.lists(st.sampled_from(known) | st.text(others, max_size=8), max_size=5).map("".join)


def whole_lines(*snippets: str, without: str = "") -> st.SearchStrategy[str]:
    """Of formats whose messages are lines: CRLF is a line's end, too, and the last end is lost."""
    return texts(*snippets, without=f"\r{without}").map(lambda text: text.rstrip("\n"))


NAMES = st.sampled_from(
    ["Ann", "Bob", "李 小龍", "Zoë 🌸", "O'Neil-Smith", "Ann (work)", "+49 170 1"]
)
ANY_NAMES = NAMES | st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cf", "Z", "M"]), min_size=1, max_size=8
)
NICKS = st.from_regex(r"[A-Za-z\[\]\\`_^{|}][A-Za-z0-9\[\]\\`_^{|}-]{0,8}", fullmatch=True)
ANY_TEXTS = texts()
SECONDS = st.datetimes(datetime(2015, 1, 13), datetime(2029, 12, 31)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
MINUTES = SECONDS.map(lambda moment: moment.replace(second=0))


@dataclass(frozen=True)
class Form:
    """How one version of one program writes a chat, and what of a message it has a place for."""

    format: str
    write: Callable[[Sequence[Said]], bytes]
    file_name: str = "export"
    texts: st.SearchStrategy[str] = ANY_TEXTS
    names: st.SearchStrategy[str] = ANY_NAMES
    people: int = 3
    moments: st.SearchStrategy[datetime] = SECONDS
    tick: timedelta = timedelta(0)  # between messages of one moment, where the time is the id
    is_sorted: bool = False  # messages come in the order of their times, whatever the file's
    is_unique: bool = False  # one message a moment: of several nobody could tell the order
    has_replies: bool = False
    has_threads: bool = False  # an answer names the first message of its thread only
    has_edit_times: bool = False
    has_versions: bool = False
    cut_gives: Literal["first", "first or shorter", "last"] = "first"
    is_cut_told: bool = True  # else there are places where the end of the file seems whole
    pack: Callable[[Sequence[Said], bytes], MemoryFile] | None = None
    options: ReadOptions = ReadOptions()  # noqa: RUF009 - it does not change
    who: Callable[[Message], str] = lambda message: message.author.name if message.author else ""

    def file(self, said: Sequence[Said], data: bytes) -> MemoryFile:
        """What is uploaded when the file with the messages holds this."""
        return MemoryFile(data, self.file_name) if self.pack is None else self.pack(said, data)

    def expected(self, said: Sequence[Said]) -> list[Said]:
        """What can be known of these messages from what is written."""
        return [self._kept(said, one) for one in said]

    def found(self, result: Read) -> list[Said]:
        """The messages, those that they answer by their places."""
        places = {message.key: place for place, message in enumerate(result.messages)}
        assert len(places) == len(result.messages), "two messages have one key"
        return [self._said(places, message) for message in result.messages]

    def whole(self, said: Sequence[Said], data: bytes, length: int) -> int:
        """
        How many messages, at least, stand whole in so many bytes of the file: those before the
        first one of which a change would not show.
        """
        order = range(len(said))
        for count, place in enumerate(order[::-1] if self.cut_gives == "last" else order):
            changed = [*said]
            changed[place] = said[place]._replace(text=f"+{said[place].text}")
            if self.write(changed)[:length] == data[:length]:
                return max(0, count - 1)
        return len(said) - 1

    def beginning(self, said: Sequence[Said], count: int) -> list[Said]:
        """What so many messages of the file are, read without the others."""
        left_out = len(said) - count if self.cut_gives == "last" else 0
        kept = self.expected(said)[left_out:][:count]
        return [one._replace(answers=_earlier(one.answers, left_out)) for one in kept]

    def _said(self, places: dict[str, int], message: Message) -> Said:
        answered = message.thread if self.has_threads else message.reply_to
        if answered == message.key or not (self.has_threads or self.has_replies):
            answered = None
        before = None
        if self.has_versions and message.edits:
            before = message.edits[0].text
        elif self.has_edit_times and message.edited_at is not None:
            before = ""
        edited_at = None if before is None else message.sent_at + EDITED_AFTER
        if len(message.edits) > 1 or (self.has_edit_times and message.edited_at != edited_at):
            before = f"({message.edits} of {message.edited_at})"
        who = self.who(message) if message.kind == "message" else f"({message.kind})"
        place = None if answered is None else places.get(answered)
        return Said(who, message.sent_at, message.text, place, before)

    def _kept(self, said: Sequence[Said], one: Said) -> Said:
        answers, before = one.answers, one.before
        if self.has_threads:
            while answers is not None and said[answers].answers is not None:
                answers = said[answers].answers
        elif not self.has_replies:
            answers = None
        if not self.has_versions and before is not None:
            before = "" if self.has_edit_times else None
        return one._replace(answers=answers, before=before)


@dataclass(frozen=True)
class NestedForm(Form):
    """The answers of a thread lie inside of its first message, and are read as they were said."""

    def whole(self, said: Sequence[Said], data: bytes, length: int) -> int:
        """A first message stands whole with its answers, or not at all."""
        threads = self._threads(said)
        for count, (first, *_) in enumerate(threads):
            changed = [*said]
            changed[first] = said[first]._replace(text=f"+{said[first].text}")
            if self.write(changed)[:length] == data[:length]:
                return sum(map(len, threads[: max(0, count - 1)]))
        return sum(map(len, threads[:-1]))

    def beginning(self, said: Sequence[Said], count: int) -> list[Said]:
        places: list[int] = []
        for thread in self._threads(said):
            if len(places) < count:
                places += thread
        assert len(places) == count, "a thread was read in part"
        places.sort()
        known = {place: number for number, place in enumerate(places)}
        kept = [self.expected(said)[place] for place in places]
        return [
            one if one.answers is None else one._replace(answers=known[one.answers]) for one in kept
        ]

    def _threads(self, said: Sequence[Said]) -> list[list[int]]:
        """The places of each first message and its answers."""
        found: dict[int, list[int]] = {}
        for place, one in enumerate(self.expected(said)):
            found.setdefault(place if one.answers is None else one.answers, []).append(place)
        return list(found.values())


def _earlier(place: int | None, by: int) -> int | None:
    return None if place is None or place < by else place - by


@st.composite
def chats(draw: st.DrawFn, form: Form) -> list[Said]:
    """Messages that the form can hold; many of one person, one moment and one text."""
    people = draw(st.lists(form.names, min_size=1, max_size=form.people, unique=True))
    moments = draw(
        st.lists(form.moments, min_size=1, max_size=6, unique=form.is_unique)
        if form.is_unique
        else st.lists(form.moments, min_size=1, max_size=2).flatmap(
            lambda found: st.lists(st.sampled_from(found) | form.moments, min_size=1, max_size=6)
        )
    )
    if form.is_sorted:
        moments.sort()
    pool = draw(st.lists(form.texts, min_size=1, max_size=4))
    said: list[Said] = []
    for place, moment in enumerate(moments):
        answers = draw(st.none() | st.integers(0, place - 1)) if place else None
        before = draw(st.none() | st.sampled_from(pool))
        author, text = draw(st.sampled_from(people)), draw(st.sampled_from(pool))
        said.append(Said(author, moment + place * form.tick, text, answers, before))
    return said


def without_lines(
    found: st.SearchStrategy[str], looks: Callable[[str], object]
) -> st.SearchStrategy[str]:
    """Without texts of which a later line looks like the beginning of a message."""
    return found.filter(lambda text: not any(looks(line) for line in text.split("\n")[1:]))
