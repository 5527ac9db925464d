"""A preview for people: the same object that programs get as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from interfaces.cli.terminal import clean_line

CONVERSATIONS_SHOWN = 30
WARNINGS_SHOWN = 20
KEYS_SHOWN = 500  # characters
ORDERS = {"ymd": "year, month, day", "dmy": "day, month, year", "mdy": "month, day, year"}
Found = Mapping[str, Any]


def render(console: Console, preview: Found) -> None:
    """
    Args:
        preview: as `Preview.as_json` gives it.
    """
    say = Sayer(console)
    name = f"[bold]{shown(preview['file'])}[/bold]"
    if preview["candidates"]:
        say(f"{name} could be any of these; say which with --format:")
        for one in preview["candidates"]:
            say(f"  {one['format']}: {shown(one['reason'])}")
        return
    say(f"{name}: {preview['format']} ({shown(preview['reason'])})")
    if preview["owner"]:
        say(f"The export of {shown(preview['owner'])}")
    say(
        f"{preview['messages']} messages by {preview['authors']} people "
        f"in {preview['conversation_count']} conversations; {preview['system']} system notices, "
        f"{preview['attachments']} attachments"
    )
    if preview["first"] is not None:
        say(f"From {preview['first']} to {preview['last']}")
    say(zone_in_words(preview))
    if preview["dates"] is not None:
        say(dates_in_words(preview["dates"]))
    if preview["columns"]:
        pairs = ", ".join(f"{ours}={theirs}" for ours, theirs in preview["columns"].items())
        say(f"Columns {shown(pairs)}")
    if preview["samples"]:
        console.print(samples_table(preview["samples"]))
    console.print(conversations_table(preview))
    if (more := preview["conversation_count"] - CONVERSATIONS_SHOWN) > 0:
        say(f"… and {more} more conversations")
    if preview["comparison"] is not None:
        say(comparison_in_words(preview["comparison"]))
    if preview["unknown_keys"]:
        keys = ", ".join(f"{key} ({count})" for key, count in preview["unknown_keys"].items())
        say(f"Kept, but not understood: {shown(keys[:KEYS_SHOWN])}")
    render_warnings(say, preview["warnings"])


class Sayer:
    """Whole lines: a terminal that is too narrow breaks them itself, at any place."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __call__(self, text: str) -> None:
        self._console.print(text, highlight=False, soft_wrap=True)


def zone_in_words(preview: Found) -> str:
    zones = preview["zones"]
    how = {
        "stated": "stated",
        "derived": "derived from the file",
        "assumed": "assumed: the file states none, --timezone does",
    }
    said = "; ".join(
        how[zone] + (f" ({count})" if len(zones) > 1 else "") for zone, count in zones.items()
    )
    return f"Time zone {shown(preview['timezone'] or 'unknown')}" + (f", {said}" if said else "")


def dates_in_words(dates: Found) -> str:
    order = ORDERS[dates["chosen"]]
    if dates["decided_by"] == "file":
        return f"Dates are {order}: the file decides it"
    if dates["decided_by"] == "person":
        return f"Dates are {order}, as you say"
    either = " or ".join(ORDERS[one] for one in dates["possible"])
    files = ", ".join(shown(file) for file in dates["files"])
    return (
        f"[yellow]Dates can be {either}[/yellow]: {files} does not decide it "
        f"({order} is likely: {shown(dates['doubt'])}); say which with --date-order "
        f"{' or --date-order '.join(dates['possible'])}"
    )


def samples_table(samples: list[Found]) -> Table:
    orders = [reading["order"] for reading in samples[0]["readings"]]
    table = Table(*(order or "Sent" for order in orders), "By", "Message")
    for line in samples:
        times = [reading["at"] or "no such date" for reading in line["readings"]]
        table.add_row(*times, shown(line["author"] or ""), shown(line["text"]))
    return table


def conversations_table(preview: Found) -> Table:
    compared = {}
    if preview["comparison"] is not None:
        compared = {one["id"]: one for one in preview["comparison"]["conversations"]}
    names = ("New", "Edited", "Vanished", "Known") if compared else ()
    table = Table("Conversation", "Kind", "Messages", *names)
    for column in table.columns[2:]:
        column.justify = "right"
    for one in preview["conversations"][:CONVERSATIONS_SHOWN]:
        counts = compared.get(one["id"], {})
        numbers = [str(counts.get(n, "")) for n in ("fresh", "edited", "vanished", "known")]
        table.add_row(
            shown(one["title"]), one["kind"], str(one["messages"]), *numbers[: len(names)]
        )
    return table


def comparison_in_words(comparison: Found) -> str:
    text = (
        f"For the archive: {comparison['fresh']} new, {comparison['edited']} edited, "
        f"{comparison['vanished']} vanished, {comparison['known']} known, notices included"
    )
    for one in comparison["conversations"][:CONVERSATIONS_SHOWN]:
        if one["merges_into"] is not None:
            text += f"\n  {shown(one['title'])}: {shown(one['rule'])}"
    if not comparison["is_current"]:
        text += "\n  The archive still takes in what was uploaded before: the numbers may change"
    return text


def render_warnings(say: Sayer, warnings: list[Found]) -> None:
    for warning in warnings[:WARNINGS_SHOWN]:
        place = warning["file"]
        if warning["line"] is not None:
            place += f", line {warning['line']}"
        say(f"[yellow]Warning[/yellow] {shown(place)}: {shown(warning['reason'])}")
    if (more := len(warnings) - WARNINGS_SHOWN) > 0:
        say(f"… and {more} more warnings")


def shown(text: str) -> str:
    """What a file says, in a text where brackets are markup."""
    return escape(clean_line(text))
