"""What the export of a search takes and answers."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from application.ports.search import Sort
from application.searches import MAX_QUERY
from domain.search import SearchMode
from infrastructure.exports.hits import ALL, HITS_A_PAGE
from infrastructure.search.ranking import DEPTHS
from interfaces.http.describing import Answer, Content, HeaderText, Operation
from interfaces.http.export_description import UNKNOWN_WORKSPACE, Table
from interfaces.http.export_formats import MEDIA_TYPES
from interfaces.http.parameters import MAX_DIGITS, Parameters, WorkspaceName
from interfaces.http.transfers import DISPOSITION

USUAL_HITS = 1_000
RANKED = f"{DEPTHS[-1]:,}"  # of each of meaning and words
LIMIT_SCHEMA = {"oneOf": [{"type": "integer", "minimum": 1}, {"type": "string", "const": ALL}]}


def limit_of(text: object) -> object:
    """None: there is none."""
    if text == ALL:
        return None
    is_number = isinstance(text, int) or (
        isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) < MAX_DIGITS
    )
    if not is_number or int(str(text)) < 1:
        raise PydanticCustomError("limit", f"it must be a whole number from 1 on, or `{ALL}`")
    return text


class SearchParameters(Parameters):
    workspace: WorkspaceName
    query: Annotated[
        str,
        Field(
            description="What to look for, in the query language of docs/search.md: words, "
            "phrases, exclusions and operators such as from: and after:, which are its filters; at "
            f"most {MAX_QUERY:,} characters.",
            examples=["jackets from:Ada"],
            min_length=1,
        ),
    ]
    mode: Annotated[SearchMode, Field(description="What to go by.", examples=["words"])] = "hybrid"
    sort: Annotated[
        Sort, Field(description="What the hits are ordered by.", examples=["newest"])
    ] = "relevance"
    timeZone: Annotated[  # noqa: N815 - as it stands in URLs
        str,
        Field(
            description="In which the days of the query begin, an IANA name.",
            examples=["Europe/Berlin"],
        ),
    ] = "UTC"
    limit: Annotated[
        int | None,
        BeforeValidator(limit_of),
        WithJsonSchema(LIMIT_SCHEMA),
        Field(
            description=f"Hits at most, or `{ALL}`: the whole result. By relevance that is what is "
            f"ranked, of up to {RANKED} of each of meaning and words; by time it is all that "
            "matches.",
            examples=[ALL],
        ),
    ] = USUAL_HITS
    format: Table = "jsonl"


DESCRIPTION = f"""
The hits of a search, the best first or by time, with the score and its parts, the conversation, the
author, the time, the text, the upload and the labels of each: at most `limit`. By relevance a
search ranks up to {RANKED} of each of meaning and words, and with `limit=all` these are exported;
by time it is all that matches, of any number. All of them are of one result, as it was when its
first page was made; labels are as they are when a page is. In CSV, texts that a spreadsheet would
run as a formula, because they begin with `=`, `+`, `-`, `@` or a tab, begin with an apostrophe
instead, and labels are a JSON array.

The search and each further page of {HITS_A_PAGE:,} hits are facts in the audit trail
(`search.performed`), and so is the export (`export.made`), before the first byte leaves. The answer
is made anew each time: there are no ranges, and what was cut off is asked for again as a whole. An
answer that was not cut off ends as HTTP says it should.
"""
CONTENT = {
    MEDIA_TYPES[name].partition(";")[0]: Content(
        schema={"type": "string", "description": "Lines of UTF-8."},
        example=example,
    )
    for name, example in (
        ("jsonl", '{"rank":1,"score":0.83,"author":"Ada","text":"Who brings the life jackets?"}'),
        ("csv", None),
    )
}
facts: dict[str, Any] = {
    "tag": "exports",
    "query": SearchParameters,
    "problems": {
        HTTPStatus.NOT_FOUND: UNKNOWN_WORKSPACE,
        HTTPStatus.SERVICE_UNAVAILABLE: {
            "unavailable": "the database is out of reach: try again",
            "search.unavailable": "the search took too long, or its model is being loaded: try "
            "again",
            "export.timeout": "to read it took too long: try again later",
        },
    },
}
SAVED: dict[str, HeaderText] = {"Content-Disposition": DISPOSITION}
SEARCH = Operation(
    id="exportSearch",
    summary="Export the hits of a search",
    description=DESCRIPTION,
    answers={HTTPStatus.OK: Answer(description="All of them.", content=CONTENT, headers=SAVED)},
    **facts,
)
SEARCH_HEAD = Operation(
    id="describeSearch",
    summary="Ask about it: export the hits of a search",
    description="The headers of the export: nothing is searched, and nothing is recorded.",
    answers={HTTPStatus.OK: Answer(description="It can be asked for.")},
    **facts,
)
