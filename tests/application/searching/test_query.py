"""The query language: what people type, what it means, and what they are told where it is wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.searching.filters import KINDS, Choice, Filters
from application.searching.operators import OPERATORS, QueryUnclearError
from application.searching.query import Query, Term, parse

NOW = datetime(2024, 5, 31, 12, tzinfo=UTC)


def terms(text: str) -> list[list[tuple[str, str]]]:
    return [[(term.kind, term.text) for term in group] for group in parse(text).groups]


def filters(text: str, **options: Any) -> Filters:
    return parse(text, now=NOW, **options).filters


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("life jackets", [[("word", "life")], [("word", "jackets")]]),
        ('"life jackets" now', [[("phrase", "life jackets")], [("word", "now")]]),
        ("“life  jackets”", [[("phrase", "life jackets")]]),
        ('"never closed', [[("phrase", "never closed")]]),
        ("sail* s*", [[("beginning", "sail")], [("word", "s*")]]),
        ('pizza or "cold pasta" OR rice', [
            [("word", "pizza"), ("phrase", "cold pasta"), ("word", "rice")],
        ]),
        ("or else or", [[("word", "or")], [("word", "else")]]),
        ('"or"', [[("phrase", "or")]]),
        # What people paste is text.
        ("https://a.example/b?c=d", [[("word", "https://a.example/b?c=d")]]),
        ("at 10:30 C:\\temp std::map", [
            [("word", "at")], [("word", "10:30")], [("word", "C:\\temp")], [("word", "std::map")],
        ]),
        ("todo:milk :-) --force -", [
            [("word", "todo:milk")], [("word", ":-)")], [("word", "--force")], [("word", "-")],
        ]),
        ('"from:ada"', [[("phrase", "from:ada")]]),
        ('"" "?!"', [[("word", "?!")]]),
        ("日本語 чай", [[("word", "日本語")], [("word", "чай")]]),
    ],
)  # fmt: skip
def test_words_phrases_and_what_only_looks_like_an_operator(
    text: str, expected: list[list[tuple[str, str]]]
) -> None:
    assert terms(text) == expected


def test_exclusions_are_no_part_of_what_is_looked_for() -> None:
    query = parse('boat -rain -"bad weather" trip')
    assert query.text == "boat trip"
    assert query.excluded == (Term("rain"), Term("bad weather", "phrase"))


def test_a_model_reads_the_query_without_operators_and_quotes() -> None:
    query = parse('who brings from:Ada "life jackets" or vests? in:"Boat trip" -rain')
    assert query.text == "who brings life jackets or vests?"
    assert parse("from:ada").text == ""


def test_phrases_are_required_unless_a_word_would_do_as_well() -> None:
    assert parse('"a b" c').required == ((Term("a b", "phrase"),),)
    assert parse('"a b" or "c d"').required == ((Term("a b", "phrase"), Term("c d", "phrase")),)
    assert parse('"a b" or c').required == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('from:ada FROM:"Bob B"', Filters(authors=Choice(("ada", "Bob B")))),
        ("-from:bot", Filters(authors=Choice((), ("bot",)))),
        ("in:general -in:“off topic”", Filters(conversations=Choice(("general",), ("off topic",)))),
        ("has:link has:Reaction -has:reply", Filters(has=("link", "reaction"), has_not=("reply",))),
        ("kind:channel -kind:system", Filters(
            conversation_kinds=Choice(("channel",)), message_kinds=Choice((), ("system",)),
        )),
        ("upload:chat.zip", Filters(uploads=Choice(("chat.zip",)))),
        ('label:"to check" -Label:done label:x', Filters(
            labels=Choice(("to check", "x"), ("done",)),
        )),
        ("from:ada from:ada", Filters(authors=Choice(("ada",)))),
    ],
)  # fmt: skip
def test_operators_become_filters(text: str, expected: Filters) -> None:
    assert filters(text) == expected


@pytest.mark.parametrize(
    ("text", "since", "before"),
    [
        ("before:2024-03-05", None, "2024-03-05T00:00"),
        ("after:2024-03-05", "2024-03-06T00:00", None),
        ("after:2024-02", "2024-03-01T00:00", None),
        ("on:2024-02", "2024-02-01T00:00", "2024-03-01T00:00"),
        ("on:2023", "2023-01-01T00:00", "2024-01-01T00:00"),
        ("on:2024-12-31", "2024-12-31T00:00", "2025-01-01T00:00"),
        ("on:2024-12", "2024-12-01T00:00", "2025-01-01T00:00"),
        ("on:today", "2024-05-31T00:00", "2024-06-01T00:00"),
        ("on:Yesterday", "2024-05-30T00:00", "2024-05-31T00:00"),
        ("before:2w", None, "2024-05-17T00:00"),
        ("on:3m", "2024-02-29T00:00", "2024-03-01T00:00"),  # the last day of a shorter month
        ("on:1y", "2023-05-31T00:00", "2023-06-01T00:00"),
        ("before:2024-03-05T10:30+02:00", None, "2024-03-05T08:30"),
        ("after:2024-03-05T10:30:15Z", "2024-03-05T10:30:16", None),
        ("after:2023 before:2024-02 before:2025", "2024-01-01T00:00", "2024-02-01T00:00"),
    ],
)
def test_dates_stand_for_whole_days_months_and_years(
    text: str, since: str | None, before: str | None
) -> None:
    found = filters(text)
    assert (found.sent_from, found.sent_before) == tuple(
        None if at is None else datetime.fromisoformat(at).replace(tzinfo=UTC)
        for at in (since, before)
    )


def test_days_begin_where_the_asker_lives() -> None:
    """The clocks went forward in Berlin on that day, so that it had 23 hours."""
    found = filters("on:2024-03-31", time_zone="Europe/Berlin")
    assert found.sent_from == datetime(2024, 3, 30, 23, tzinfo=UTC)
    assert found.sent_before == datetime(2024, 3, 31, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("form:ada", "did you mean from: in 'form:ada'"),
        ("befor:2024", "did you mean before:"),
        ("beforee:2024", "did you mean before:"),
        ("hsa:link", "did you mean has:"),
        ("knd:ai", "did you mean kind:"),
        ("author:ada", "did you mean from:"),
        ("lable:x", "did you mean label:"),
        ("-tag:x", "did you mean label:"),
        ("label:", "label: needs a value right behind the colon"),
        ("since:2024", "did you mean after:"),
        ("-channel:x", "did you mean in:"),
        ("form:ada", "put it in quotes"),
        ("has:links", "did you mean has:link? There are link, attachment, reaction, reply"),
        ("has:wings", "knows no 'wings'. There are link"),
        ("kind:chanel", "did you mean kind:channel?"),
        ("before:31.12.2024", "'31.12.2024' is no date: write 2024, 2024-03"),
        ("on:2024-13", "is no date"),
        ("on:2024-02-30", "is no date"),
        ("on:9999-12-31", "is no date"),
        ("before:99999y", "is no date"),
        ("from: ada", "from: needs a value right behind the colon"),
        ('in:""', "in: needs a value"),
        ("-on:today", "on: cannot be excluded"),
        ("a " * 201, "at most 200 words"),
    ],
)
def test_what_is_mistyped_is_refused_with_what_is_possible(text: str, said: str) -> None:
    with pytest.raises(QueryUnclearError) as refused:
        parse(text, now=NOW)
    assert said in str(refused.value)


def test_an_unknown_time_zone_is_refused() -> None:
    for name in ("Mars/Olympus", "", "../../etc/passwd", "x" * 300):
        with pytest.raises(QueryUnclearError, match="is no time zone"):
            parse("on:today", time_zone=name)


def test_every_operator_s_own_example_is_understood() -> None:
    for operator in OPERATORS.values():
        assert filters(operator.example), operator.name


@given(
    st.lists(
        st.one_of(
            st.text(max_size=12),
            st.sampled_from(['"', "-", "or", "*", *(f"{name}:" for name in OPERATORS), *KINDS]),
        ),
        max_size=12,
    )
)
def test_any_text_is_understood_or_refused_with_a_sentence(parts: list[str]) -> None:
    query, said = None, ""
    try:
        query = parse(" ".join(parts), now=NOW)
    except QueryUnclearError as error:
        said = str(error)
    if query is None:
        assert len(said) > 20
    else:
        assert isinstance(query, Query)
        assert all(term.text.strip() == term.text != "" for term in query.terms)
        assert Filters.from_dict(query.filters.as_dict()) == query.filters


@given(st.text(st.characters(exclude_characters='"“”„‟«»', exclude_categories=["Cs"]), min_size=1))
def test_whatever_is_quoted_is_text(text: str) -> None:
    query = parse(f'"{text}"')
    assert query.filters == Filters()
    assert [term.text for term in query.terms] == [" ".join(text.split())][: bool(text.split())]
