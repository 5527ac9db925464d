"""HTML of chat systems as plain text."""

from __future__ import annotations

import html
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infrastructure.readers.html_text import HtmlText, Image, plain_text
from infrastructure.readers.html_tokens import attributes, tokens, unescape


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("hello", "hello"),
        ("<p>hello</p>", "hello"),
        ("<p>one</p><p>two</p>", "one\ntwo"),
        ("<p>one</p>\n<p>two</p>\n", "one\ntwo"),
        ("<p>one</p><p>&nbsp;</p><p>two</p>", "one\n\ntwo"),
        ("one<br>two<br/>three<br />four", "one\ntwo\nthree\nfour"),
        ("<div>one<br></div><div>two</div>", "one\ntwo"),
        ("<div><div><p>one</p></div></div>", "one"),
        ("a\n  b\t c", "a b c"),
        ("<b>bold</b> and <i>slanted</i>", "bold and slanted"),
        ("<h1>Title</h1>text<hr>more", "Title\ntext\nmore"),
        (
            "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>",
            "a | b\nc | d",
        ),
        ("", ""),
    ],
)
def test_blocks_and_breaks_are_lines(source: str, text: str) -> None:
    assert plain_text(source) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<ul><li>milk</li><li>eggs</li></ul>", "- milk\n- eggs"),
        ("<ol><li>first</li><li>second</li></ol>", "1. first\n2. second"),
        ("<ol><li>first<li>second</ol>after", "1. first\n2. second\nafter"),
        (
            "before<ul>\n<li>fruit\n<ul>\n<li>apples</li><li>pears</li></ul>\n</li><li>ham</li></ul>",
            "before\n- fruit\n  - apples\n  - pears\n- ham",
        ),
        ("<ul><li>one<br>more</li></ul>", "- one\n  more"),
        ("<ol><li>a<ul><li>b</li></ul></li></ol>", "1. a\n   - b"),
        ("<blockquote><p>one</p><p>two</p></blockquote><p>answer</p>", "> one\n> two\nanswer"),
        ("<blockquote>a<br><br>b</blockquote>", "> a\n>\n> b"),
        ("<blockquote>a<blockquote>b</blockquote></blockquote>c", "> a\n> > b\nc"),
        ("<blockquote><ul><li>a</li></ul></blockquote>", "> - a"),
        ("</li></ul></blockquote>a", "a"),
    ],
)
def test_lists_and_quotes_have_their_marks(source: str, text: str) -> None:
    assert plain_text(source) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("&lt;b&gt; &amp;amp; &quot;&apos;&#39;&#x1F600;&eacute;", "<b> &amp; \"''😀é"),
        ("a&nbsp;b", "a b"),
        ("AT&T &copy &unknown; &; &#; &#x; &#xZZ;", "AT&T &copy &unknown; &; &#; &#x; &#xZZ;"),
        ("&#0;&#xD800;&#99999999;", "\ufffd\ufffd\ufffd"),
        ("1 < 2 > 0 <3 a<b <", "1 < 2 > 0 <3 a<b <"),
        ("<p>x <y", "x <y"),
        ("a<!-- no > -->b<!DOCTYPE html>c<?xml x?>d", "abcd"),
        ("<script>if (a < b) x()</script>a<style>p {}</style>b", "ab"),
        ("<b title='a > b'>x</b><i title=\"</i>\">y</i>", "xy"),
        ("<b don't>x</b> it's <i>y</i>", "x it's y"),
    ],
)
def test_what_is_no_markup_stays_as_it_is(source: str, text: str) -> None:
    assert plain_text(source) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('<a href="https://e.org/x?a=1&amp;b=2">here</a>', "here (https://e.org/x?a=1&b=2)"),
        ('<a href="https://e.org/x">https://e.org/x</a>', "https://e.org/x"),
        ('<a href="https://e.org/">e.org</a>', "e.org"),
        ('<a href="mailto:ann@e.org">ann@e.org</a>', "ann@e.org"),
        ('<a href="mailto:ann@e.org">Ann</a>', "Ann (mailto:ann@e.org)"),
        ("<a href='https://e.org'></a>", "https://e.org"),
        ("<a href=https://e.org/>there</a>", "there (https://e.org/)"),
        ("<a>bare</a> <a href='#top'>up</a>", "bare up"),
        ("<a href='https://a.org'>one<a href='https://b.org'>two</a>", "onetwo (https://b.org)"),
        ("<a href='https://e.org'><b>bold</b> label</a>!", "bold label (https://e.org)!"),
    ],
)
def test_links_show_their_address_where_the_label_does_not(source: str, text: str) -> None:
    assert plain_text(source) == text


def test_code_stands_as_it_was_written() -> None:
    source = (
        "<p>see</p><codeblock class='Python'><code>if a &lt; b:\n    c()  # d</code></codeblock>ok"
    )
    assert plain_text(source) == "see\nif a < b:\n    c()  # d\nok"
    assert plain_text("<pre>  a\r\n\r\n  b</pre>") == "  a\n\n  b"
    assert plain_text("use <code>x  y</code>") == "use x y"


def test_emoji_are_shown_and_pictures_are_told_apart() -> None:
    source = (
        '<emoji id="laugh" alt="😆" title="Laugh"></emoji>'
        '<customemoji id="x" alt="cat"></customemoji>'
        '<img itemtype="http://schema.skype.com/Emoji" alt="👍" src="e">'
        '<img alt="a cat" src="u/c.png">'
    )
    found = HtmlText(source)
    assert found.text == "😆:cat:👍"
    assert found.images == [Image("a cat", "u/c.png")]


def test_mentions_are_by_name_and_one_person_s_names_in_a_row_are_one_mention() -> None:
    source = (
        '<p><at id="0">King</at>&nbsp;<at id="1">Hamlet</at>&nbsp;<at id="2">Bob</at> '
        '<at id="2">Bob</at> hi</p>'
    )
    people = {"0": "h", "1": "h", "2": "b"}
    assert HtmlText(source, people=people).text == "@King Hamlet @Bob Bob hi"
    assert HtmlText('<at id="1">@Ann</at> <at id="1">x</at>').text == "@Ann x"
    assert HtmlText('<at id="1">Ann</at> and <at id="1">Ann</at>').text == "@Ann and @Ann"
    assert HtmlText("<at>Ann</at><at>Bob</at>").text == "@Ann@Bob"


def test_white_space_can_be_kept() -> None:
    found = HtmlText("  a <b>b</b>\r\n\n c&nbsp; ", keeps_space=True)
    assert found.text == "  a b\n\n c\xa0 "


def test_attributes_have_names_in_lower_case_and_the_first_counts() -> None:
    assert attributes(' A="1" b=\'2 "\' c=3 d E = "&lt;" a=9 /') == {
        "a": "1",
        "b": '2 "',
        "c": "3",
        "d": "",
        "e": "<",
    }


def test_tokens_give_back_the_whole_text() -> None:
    assert list(tokens("a<B x=1>c</b >d")) == [
        ("", False, "a"),
        ("b", False, " x=1"),
        ("", False, "c"),
        ("b", True, " "),
        ("", False, "d"),
    ]


HOSTILE = {
    "quotes in tags": "<a \"<a '" * 100_000,
    "quotes that hide ends": "<a ='>' " * 100_000,
    "quotes without pairs": "<a =\"><b ='" * 100_000,
    "half quotes": "<b '>' " * 100_000 + "'",
    "comments": "<!--" * 200_000,
    "empty comments": "<!-->" * 200_000,
    "angles": "<" * 500_000,
    "ends": "</" * 300_000,
    "quotations": "<blockquote>" * 100_000 + "x<br>" * 10_000,
    "lists": "<ul><li>" * 100_000 + "x<br>" * 10_000,
    "closed too often": "<ul>" * 100_000 + "</ol>" * 100_000,
    "links": "<a href='x'>y" * 100_000,
    "mentions": "<at>" * 200_000,
    "entities": "&" * 500_000,
    "numbers": "&#" + "9" * 500_000 + ";",
    "attributes": "<a " + "b=" * 300_000 + ">x</a>",
    "muted": "<script>" * 100_000 + "</style>" * 100_000,
    "cells": "<td>" * 100_000 + "x<td>" * 100_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_markup_takes_time_and_room_as_its_length(name: str) -> None:
    source = HOSTILE[name]
    begin = time.process_time()  # which other programs on the machine do not lengthen
    found = HtmlText(source).text
    attributes(source)
    # It is less than one second; in quadratic time it would be hours.
    assert time.process_time() - begin < 60
    assert len(found) < 8 * len(source) + 100


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)


@settings(max_examples=200, deadline=None)
@given(text=texts)
def test_escaped_text_is_read_back(text: str) -> None:
    assert unescape(html.escape(text)) == text
    kept = HtmlText(html.escape(text), keeps_space=True).text
    assert kept == text.replace("\r\n", "\n")


words = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=8)


@settings(max_examples=100, deadline=None)
@given(
    lines=st.lists(st.lists(words, min_size=1, max_size=4).map(" ".join), min_size=1, max_size=5)
)
def test_paragraphs_are_read_back(lines: list[str]) -> None:
    paragraphs = "\n".join(f"<p>{html.escape(line)}</p>" for line in lines)
    assert plain_text(paragraphs) == "\n".join(lines)
    assert plain_text("<br>".join(html.escape(line) for line in lines)) == "\n".join(lines)


@settings(max_examples=300, deadline=None)
@given(source=st.text(st.sampled_from("<>/\"'=&;#!-ab \n") | st.sampled_from("éx"), max_size=60))
def test_any_text_at_all_is_read(source: str) -> None:
    found = plain_text(source)
    assert isinstance(found, str)
    if "<" not in source and "&" not in source:
        assert found == re.sub(r"[ \t\n\r\f]+", " ", source).strip()
