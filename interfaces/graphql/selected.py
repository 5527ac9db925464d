"""What an operation asks of a search: the rest is not looked up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from strawberry.types.nodes import SelectedField, Selection

from interfaces.graphql.context import Ask


def shown_of_hits(info: Ask) -> set[str]:
    """The fields of hits that the operation asks for: what else a hit has is not looked up."""
    hits = (field for field in fields_within(info.selected_fields) if field.name == "hits")
    return {field.name for field in fields_within(hits)}


def shown_of_result(info: Ask) -> set[str]:
    return {field.name for field in fields_within(info.selected_fields)}


def fields_within(selections: Iterable[Selection]) -> Iterator[SelectedField]:
    """The fields right below these, those in fragments included."""

    def flat(inner: Iterable[Selection]) -> Iterator[SelectedField]:
        for selection in inner:
            if isinstance(selection, SelectedField):
                yield selection
            else:
                yield from flat(selection.selections)

    for selection in selections:
        yield from flat(selection.selections)
