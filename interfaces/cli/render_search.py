"""An answer to a search, for people: what was found, why, and what was said around it."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from application.commands.perform_search import Searched
from application.ports.search import (
    Coverage,
    Facets,
    FoundMessage,
    Hit,
    LikeNote,
    SearchAnswer,
    SearchRequest,
)
from interfaces.cli.terminal import clean, clean_line

MATCH = "bold yellow"
MARKS = "**"
AROUND = "dim"
INDENT = 3
MARK = "» "  # tells the hit from its neighbours where there are no colours
UNLIKE: dict[LikeNote, str] = {
    "not_indexed": "it has no vector yet",
    "not_said": "nobody wrote it",
    "no_text": "it has no text",
}
MAX_TEXT = 4_000  # characters of a hit
MAX_AROUND = 200  # characters of a message around it


def render(console: Console, searched: Searched, request: SearchRequest) -> None:
    """Prints it. Colours and wrapped lines only where the console is a terminal."""
    answer = searched.answer
    for rank, hit in enumerate(answer.hits, start=1):
        render_hit(console, rank, hit)
    if not answer.hits:
        line(console, Text(nothing(answer, request)))
    for note in answer.notes:
        line(console, Text(clean_line(note), "yellow"))
    if answer.facets is not None:
        render_facets(console, answer.facets)
    if answer.is_stale:
        line(console, Text("The read models have not caught up: this may be old.", "yellow"))
    line(console, footer(searched))


def nothing(answer: SearchAnswer, request: SearchRequest) -> str:
    if request.like is None:
        return f"Nothing found for {clean(request.query)!r}."
    if answer.like_note is None:
        return f"Nothing found that is like message {request.like}."
    return f"Message {request.like} can be compared with none: {UNLIKE[answer.like_note]}."


def render_hit(console: Console, rank: int, hit: Hit) -> None:
    message = hit.message
    line(console, Text.assemble((f"{rank}.", "bold"), " ", why(hit)))
    line(console, Text(where(message), "cyan"), indent=INDENT)
    for before in hit.before:
        line(console, around(before), indent=INDENT + len(MARK))
    line(
        console,
        Text.assemble(MARK, found(hit, has_colours=console.color_system is not None)),
        indent=INDENT,
    )
    for after in hit.after:
        line(console, around(after), indent=INDENT + len(MARK))
    if hit.duplicates or hit.same_text:
        more = f"{hit.same_text:,} more with the same text"
        if hit.duplicates:
            more = f"{hit.duplicates:,} more that say the same"
        line(console, Text(more, "italic"), indent=INDENT)
        for other in hit.others:
            line(console, Text(where(other), "cyan"), indent=INDENT + len(MARK))
            line(console, around(other), indent=INDENT + len(MARK))
    line(console, Text())


def render_facets(console: Console, facets: Facets) -> None:
    messages = "1 message" if facets.total == 1 else f"{facets.total:,} messages"
    line(console, Text(f"{messages} in all", "bold"))
    for name, values in (
        ("People", facets.authors),
        ("Conversations", facets.conversations),
        ("Months", facets.months),
        ("Formats", facets.formats),
        ("Labels", facets.labels),
    ):
        if values:
            counts = (f"{clean_line(value.name)} {value.count:,}" for value in values)
            line(console, Text(f"{name}: {' · '.join(counts)}"), indent=INDENT)
    line(console, Text())


def why(hit: Hit) -> str:
    if hit.meaning is None and hit.words_rank is None and not hit.score:
        return "listed"
    meaning = words = "–"
    if hit.meaning is not None:
        meaning = f"{hit.meaning:.3f} (#{hit.meaning_rank})"
    if hit.words_rank is not None:
        words = f"#{hit.words_rank}"
    likely = "" if hit.probability is None else f"{hit.probability:.0%} · "
    return f"{likely}score {hit.score:.4f} · meaning {meaning} · words {words}"


def where(message: FoundMessage) -> str:
    """Conversation, author and time; the system has no name."""
    parts = [
        clean_line(message.conversation),
        author(message),
        f"{message.sent_at:%Y-%m-%d %H:%M} UTC",
    ]
    return " · ".join(parts)


def author(message: FoundMessage) -> str:
    return "(system)" if message.author is None else clean_line(message.author)


def found(hit: Hit, *, has_colours: bool) -> Text:
    """Its words that the query has are coloured, or where that cannot be seen in **asterisks**."""
    text = Text(clean(hit.message.text))
    for start, end in hit.highlights:
        text.stylize(MATCH, start, end)
    text = cut(text, MAX_TEXT)
    if has_colours:
        return text
    plain = text.plain
    for start, end in sorted(hit.highlights, reverse=True):  # from the end: places stay right
        if end <= MAX_TEXT:
            plain = f"{plain[:start]}{MARKS}{plain[start:end]}{MARKS}{plain[end:]}"
    return Text(plain)


def around(message: FoundMessage) -> Text:
    """On one line, unlike the hit."""
    said = " ".join(clean(message.text[: MAX_AROUND * 2]).split())
    text = Text(f"{author(message)}: {said}", AROUND)
    return cut(text, MAX_AROUND)


def cut(text: Text, length: int) -> Text:
    more = len(text) - length
    if more > 0:
        text.truncate(length)
        text.append(f"… ({more:,} more characters)" if length == MAX_TEXT else "…", AROUND)
    return text


def footer(searched: Searched) -> Text:
    answer = searched.answer
    parts = [
        counted(answer),
        covered(answer.coverage),
        f"engine {answer.engine}",
        f"{searched.milliseconds:.0f} ms",
        f"recorded at position {searched.position:,}",
    ]
    return Text(" · ".join(parts), "yellow" if answer.coverage.is_partial else "green")


def counted(answer: SearchAnswer) -> str:
    count = len(answer.hits)
    hits = "1 hit" if count == 1 else f"{count:,} hits"
    return f"{hits}, and more" if answer.has_more else hits


def covered(coverage: Coverage) -> str:
    text = f"indexed {coverage.indexed:,} of {coverage.total:,} messages"
    return f"{text}, more to come" if coverage.is_partial else text


def line(console: Console, text: Text, *, indent: int = 0) -> None:
    """Wrapped under its indentation on a terminal; as it is where a program reads it."""
    if console.is_terminal:
        console.print(Padding(text, (0, 0, 0, indent)), highlight=False)
        return
    for part in text.split("\n", allow_blank=True):
        console.print(" " * indent, part, sep="", soft_wrap=True, highlight=False)
