"""
What a lawyer does with RSMF: one custodian's month, the hits of a search with what surrounds them,
whole conversations; and asks whether the same request gives the same bytes, whether anything was
left out, and who has exported what.
"""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from application.context import LOCAL_OWNER, Context
from application.ports.search import SearchRequest
from domain.export import Export
from domain.upload import Upload
from infrastructure.exports import selected
from infrastructure.exports.rsmf import bundle
from tests.interfaces.test_http_export_cost import ends, sleeper
from tests.support.archive_fixture import Ingested, ingest, ingest_file
from tests.support.ids import NOBODYS
from tests.support.rest_fixture import site
from tests.support.rest_site import RestSite
from tests.support.rsmf import manifest_of, schema, texts, unzipped

__all__ = ["site"]

PATH = "/api/rsmf"
MIDNIGHT = datetime(2024, 5, 2, tzinfo=UTC)
SECOND = timedelta(seconds=1)
# Said, and when: around the midnights between three days.
DAYS = {
    "first day's last": MIDNIGHT - timedelta(microseconds=1),
    "second day's first": MIDNIGHT,
    "noon": MIDNIGHT + timedelta(hours=12),
    "second day's last": MIDNIGHT + timedelta(days=1) - timedelta(microseconds=1),
    "third day's first": MIDNIGHT + timedelta(days=1),
}


def jsonl(conversation: str, said: dict[str, datetime]) -> bytes:
    rows = (
        {
            "id": f"{conversation}-{number}",
            "conversation": conversation,
            "author": "Ada",
            "timestamp": at.isoformat(),
            "text": text,
        }
        for number, (text, at) in enumerate(said.items())
    )
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


@pytest.fixture(scope="module")
def days(site: RestSite) -> Ingested:
    """In a workspace of its own: two conversations of three days."""
    ingest_file(site.container, "days", "one.jsonl", jsonl("Deal", DAYS))
    return ingest_file(site.container, "days", "two.jsonl", jsonl("Dogs", DAYS))


def get(site: RestSite, workspace: str = "days", **asked: Any) -> bytes:
    answer = site.get(PATH, workspace=workspace, **asked)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    return answer.content


def conversation_id(site: RestSite, title: str) -> str:
    with site.container.pool.connection() as connection:
        row = connection.execute(
            "SELECT conversation_id FROM read.conversation WHERE title = %s", (title,)
        ).fetchone()
    assert row is not None
    return str(row[0])


def facts(site: RestSite, workspace: Ingested) -> list[Any]:
    container = site.container
    with container.pool.connection() as connection:
        page = container.runner.stepper.reader.page(
            connection,
            after=0,
            up_to=container.archive.event_log.head(),
            topics=[Export.Made.TOPIC],
            limit=10_000,
        )
    return [one.event for one in page.events if one.workspace_id == workspace.workspace_id]


def test_there_is_one_valid_file_for_each_conversation_and_day(
    site: RestSite, days: Ingested
) -> None:
    files = unzipped(get(site))
    assert len(files) == 6
    for name, content in files.items():
        manifest = manifest_of(content)
        (conversation,) = manifest["conversations"]
        assert name.startswith(conversation["display"])
        assert {event["timestamp"][:10] for event in manifest["events"]} == {name[-15:-5]}
        assert not list(schema().iter_errors(manifest))
    assert sorted(texts(get(site))) == sorted([*DAYS, *DAYS])
    assert days.position > 0


def test_a_conversation_may_be_chosen_by_either_id_and_several_at_once(
    site: RestSite, days: Ingested
) -> None:
    deal, dogs = conversation_id(site, "Deal"), conversation_id(site, "Dogs")
    assert texts(get(site, conversation=deal)) == list(DAYS)
    position = days.position
    assert get(site, conversation=f"Conversation:{deal}", upTo=position) == get(
        site, conversation=deal, upTo=position
    )
    both = get(site, conversation=[deal, dogs])
    assert len(unzipped(both)) == 6
    assert texts(get(site, conversation=f"{dogs},{deal}")) == texts(both)


@pytest.mark.parametrize(
    ("since", "until", "found"),
    [
        ("2024-05-02", "2024-05-02", slice(1, 4)),  # that day, the whole of it
        ("2024-05-02T00:00:00Z", None, slice(1, 5)),
        ("2024-05-02T00:00:00.000001Z", None, slice(2, 5)),
        (None, "2024-05-02T00:00:00Z", slice(0, 1)),
        (None, "2024-05-02T00:00:00.000001Z", slice(0, 2)),
        (None, "2024-05-02", slice(0, 4)),
        ("2024-05-02T14:00:00+02:00", "2024-05-02T14:00:01+02:00", slice(2, 3)),
        ("0001-01-01", "9998-12-31", slice(0, 5)),
        ("2024-05-04", None, slice(0, 0)),
    ],
)
def test_the_range_begins_with_its_first_moment_and_ends_before_its_last(
    site: RestSite, days: Ingested, since: str | None, until: str | None, found: slice
) -> None:
    asked = {"from": since, "until": until}
    given = {name: text for name, text in asked.items() if text is not None}
    got = get(site, conversation=conversation_id(site, "Deal"), **given)
    assert texts(got) == list(DAYS)[found]
    if since == "2024-05-04":
        assert unzipped(got) == {}  # a zip all the same: nothing was said, and that can be shown
    fact = facts(site, days)[-1]
    assert (fact.kind, fact.format) == ("rsmf", "rsmf")
    assert fact.selection["conversation_ids"] == [conversation_id(site, "Deal")]
    assert (fact.selection["since"] is None, fact.selection["until"] is None) == (
        since is None,
        until is None,
    )


def search(site: RestSite, archive: Ingested, query: str, limit: int = 10) -> Any:
    context = Context(actor_id=LOCAL_OWNER, workspace_id=archive.workspace_id)
    request = SearchRequest(
        workspace_id=archive.workspace_id, query=query, mode="words", limit=limit, context=0
    )
    return site.container.perform_search(request, context)


def test_the_hits_of_a_search_come_with_what_surrounds_them(site: RestSite) -> None:
    """As they stood, in their own conversation, and no hit twice."""
    archive = site.archive
    plumber = search(site, archive, "plumber").position
    assert texts(get(site, archive.workspace, search=plumber)) == ["A plumber comes on Monday."]
    around = texts(get(site, archive.workspace, search=plumber, context=1))
    assert around == ["The dishwasher leaks again.", "A plumber comes on Monday.", "ok"]
    reports = search(site, archive, "report", limit=7)
    hits = {hit.message.text for hit in reports.answer.hits}
    assert len(hits) == 7
    found = texts(get(site, archive.workspace, search=reports.position))
    assert (set(found), len(found)) == (hits, 7)
    wide = texts(get(site, archive.workspace, search=reports.position, context=20))
    assert hits < set(wide)
    assert len(set(wide)) == len(wide)
    assert all(text.startswith("Report number") for text in wide)


def test_conditions_narrow_each_other_down(site: RestSite) -> None:
    archive, kitchen = site.archive, site.conversation_id("Kitchen")
    monday = search(site, archive, "monday OR sunday OR ok").position
    everywhere = texts(get(site, archive.workspace, search=monday))
    inside = texts(get(site, archive.workspace, search=monday, conversation=kitchen))
    assert set(inside) < set(everywhere)
    late = get(
        site, archive.workspace, search=monday, conversation=kitchen, **{"from": "2025-01-01"}
    )
    assert unzipped(late) == {}
    nothing = search(site, archive, "zeppelin").position
    assert unzipped(get(site, archive.workspace, search=nothing)) == {}


def test_without_a_position_it_leads_to_the_newest(site: RestSite, days: Ingested) -> None:
    deal, dogs = conversation_id(site, "Deal"), conversation_id(site, "Dogs")
    asked = {"workspace": "days", "conversation": [deal, dogs], "from": "2024-05-02"}
    before = len(facts(site, days))
    answer = site.client.get(PATH, params=asked, follow_redirects=False)
    assert answer.status_code == 307
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert query["conversation"] == [f"{deal},{dogs}"]
    assert query["from"] == ["2024-05-02"]
    assert int(query["upTo"][0]) >= days.position
    assert len(facts(site, days)) == before  # nothing has left yet


def test_the_same_request_gives_the_same_bytes_and_parts_of_them(
    site: RestSite, days: Ingested, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also later, in other pages, and from any byte on."""
    asked = {"workspace": "days", "upTo": days.position}
    whole = site.get(PATH, **asked)
    etag, content = whole.headers["etag"], whole.content
    assert whole.headers["accept-ranges"] == "bytes"
    monkeypatch.setattr(selected, "MESSAGES_READ", 2)
    monkeypatch.setattr(selected, "CONVERSATIONS_READ", 1)
    monkeypatch.setattr(selected, "MAX_BYTES", 20)
    monkeypatch.setattr("interfaces.http.export_extent.SPACING", 1)
    assert site.get(PATH, **asked).content == content
    for first in range(0, len(content), len(content) // 17):
        headers = {"Range": f"bytes={first}-", "If-Range": etag}
        part = site.get(PATH, headers=headers, **asked)
        assert (part.status_code, part.content) == (206, content[first:])
        assert part.headers["content-range"] == f"bytes {first}-{len(content) - 1}/{len(content)}"
    assert (facts(site, days)[-1].first_byte, facts(site, days)[-1].last_byte) == (
        first,
        len(content) - 1,
    )
    last = site.get(PATH, headers={"Range": "bytes=-22"}, **asked).content
    assert last == content[-22:]
    known = site.get(PATH, headers={"If-None-Match": etag}, **asked)
    assert (known.status_code, known.content) == (304, b"")


def test_a_part_is_made_from_the_file_it_lies_in(
    site: RestSite, days: Ingested, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interfaces.http.export_extent.SPACING", 1)
    asked = {"workspace": "days", "upTo": days.position, "until": "2024-05-02"}
    content = site.get(PATH, **asked).content
    made, write = list[str](), bundle.local_header

    def local_header(name: str, pieces: Any) -> Any:
        made.append(name)
        return write(name, pieces)

    monkeypatch.setattr(bundle, "local_header", local_header)
    part = site.get(PATH, headers={"Range": "bytes=-200"}, **asked)
    assert part.content == content[-200:]  # the list of all files, of which none was made again
    assert made == []
    middle = len(content) // 2
    part = site.get(PATH, headers={"Range": f"bytes={middle}-{middle + 9}"}, **asked)
    assert part.content == content[middle : middle + 10]
    assert len(made) <= 2


def test_head_tells_of_it_and_records_nothing(site: RestSite, days: Ingested) -> None:
    before = len(facts(site, days))
    answer = site.client.head(PATH, params={"workspace": "days", "upTo": days.position})
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-disposition"] == (
        f'attachment; filename="chatledger-rsmf-to-{days.position}.zip"'
    )
    assert (
        answer.headers["etag"]
        == site.get(PATH, workspace="days", upTo=days.position).headers["etag"]
    )
    assert len(facts(site, days)) == before + 1


def test_every_selection_has_a_tag_of_its_own(site: RestSite, days: Ingested) -> None:
    position = days.position
    variants: list[dict[str, Any]] = [
        {},
        {"conversation": conversation_id(site, "Deal")},
        {"conversation": conversation_id(site, "Dogs")},
        {"from": "2024-05-02"},
        {"until": "2024-05-02"},
    ]
    tags = {
        site.client.head(PATH, params={"workspace": "days", "upTo": position, **asked}).headers[
            "etag"
        ]
        for asked in variants
    }
    assert len(tags) == len(variants)


def test_the_audit_trail_says_what_was_selected(site: RestSite, days: Ingested) -> None:
    deal = conversation_id(site, "Deal")
    position = days.position
    get(site, conversation=deal, upTo=position, until="2024-05-02", **{"from": "2024-05-02"})
    get(site, upTo=position)
    site.advance()
    said = [json.loads(line)["words"] for line in get_lines(site, "/api/audit-trail", "days")]
    which = (
        f"of conversation {deal[:8]}, sent from 2024-05-02T00:00:00+00:00 on, "
        "sent before 2024-05-03T00:00:00+00:00"
    )
    assert said[-2:] == [
        f"exported all messages, {which} as RSMF, up to position {position:,}",
        f"exported all messages as RSMF, up to position {position:,}",
    ]


def get_lines(site: RestSite, path: str, workspace: str) -> list[str]:
    return site.get(path, workspace=workspace).text.splitlines()


@pytest.mark.parametrize(
    ("asked", "status", "code", "detail"),
    [
        ({"workspace": "nowhere"}, 404, "workspace.unknown", "no workspace 'nowhere'"),
        ({"conversation": "x"}, 404, "conversation.unknown", "no such conversation"),
        ({"conversation": NOBODYS}, 404, "conversation.unknown", "no such conversation"),
        ({"conversation": ""}, 404, "conversation.unknown", "no such conversation"),
        ({"search": "1"}, 404, "search.unknown", "position 1 is no search"),
        ({"search": "x"}, 400, "bad_request", "'search': it must be a whole number"),
        ({"context": "2"}, 400, "bad_request", "name the search, too"),
        ({"search": "1", "context": "21"}, 400, "bad_request", "'context'"),
        ({"from": "yesterday"}, 400, "bad_request", "'from': it must be a day, as in 2024-01-31"),
        ({"from": "2024-01-01T00:00:00"}, 400, "bad_request", "a time with its offset"),
        ({"from": "2024-01-01T00:00:00 02:00"}, 400, "bad_request", "+ is written %2B"),
        ({"from": "2024-02-30"}, 400, "bad_request", "there is no such time"),
        ({"until": "9999-12-31"}, 400, "bad_request", "there is no such time"),
        ({"from": "2024-02-01", "until": "2024-01-31"}, 400, "bad_request", "later than from"),
        ({"from": ["2024-02-01"] * 2}, 400, "bad_request", "more than once"),
        ({"format": "zip"}, 400, "bad_request", "no parameter 'format'"),
        ({"upTo": "9" * 18}, 400, "bad_request", "upTo is beyond"),
    ],
)
def test_what_cannot_be_exported_is_refused_with_what_to_do(
    site: RestSite, asked: dict[str, Any], status: int, code: str, detail: str
) -> None:
    answer = site.get(PATH, **asked)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert detail in answer.json()["detail"]


def test_another_workspace_gives_nothing_away(site: RestSite, days: Ingested) -> None:
    """Neither by a conversation's id nor by a search's position."""
    other = ingest(site.container, "rivals", [("Secret", "Eve", "of another team")])
    secret = conversation_id(site, "Secret")
    assert "of another team" not in texts(get(site))
    foreign = site.get(PATH, workspace="days", conversation=[secret, conversation_id(site, "Deal")])
    assert (foreign.status_code, foreign.json()["code"]) == (404, "conversation.unknown")
    theirs = search(site, other, "team").position
    assert texts(get(site, "rivals", search=theirs)) == ["of another team"]
    stolen = site.get(PATH, workspace="days", search=theirs)
    assert (stolen.status_code, stolen.json()["code"]) == (404, "search.unknown")
    assert days.position > 0


def test_what_changed_or_was_withdrawn_is_not_passed_off_as_what_it_was(site: RestSite) -> None:
    first = ingest_file(site.container, "changes", "a.jsonl", jsonl("Plans", DAYS))
    deal = get(site, "changes", upTo=first.position)
    more = ingest_file(site.container, "changes", "b.jsonl", jsonl("Others", DAYS))
    assert get(site, "changes", upTo=first.position) == deal  # what came later is no part of it
    edited = {text + "!" * (text == "noon"): at for text, at in DAYS.items()}
    later = ingest_file(site.container, "changes", "c.jsonl", jsonl("Plans", edited))
    for asked in ({}, {"until": "2024-05-01"}, {"conversation": conversation_id(site, "Plans")}):
        gone = site.get(PATH, workspace="changes", upTo=first.position, **asked)
        assert (gone.status_code, gone.json()["code"]) == (410, "export.superseded")
    others = conversation_id(site, "Others")
    assert get(site, "changes", conversation=others, upTo=more.position)
    assert "noon!" in texts(get(site, "changes", upTo=later.position))
    context = Context(actor_id=LOCAL_OWNER, workspace_id=first.workspace_id)
    upload = site.container.archive.load(Upload, more.upload_id)
    upload.withdraw()
    site.container.archive.record(context, upload)
    for asked in ({}, {"conversation": others}):
        gone = site.get(PATH, workspace="changes", upTo=later.position, **asked)
        assert (gone.status_code, gone.json()["code"]) == (410, "export.superseded")


def test_a_change_on_the_way_cuts_the_export_off(
    site: RestSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that moves a message out of the range, where no page would miss it."""
    first = ingest_file(site.container, "moving", "a.jsonl", jsonl("Moving", DAYS))
    pages = selected.page
    done = list[Ingested]()

    def page(*arguments: Any, **named: Any) -> Any:
        if not done:
            moved = {text: at - timedelta(days=9 * (text == "noon")) for text, at in DAYS.items()}
            moved = {text + "!" * (text == "noon"): at for text, at in moved.items()}
            done.append(ingest_file(site.container, "moving", "b.jsonl", jsonl("Moving", moved)))
        return pages(*arguments, **named)

    monkeypatch.setattr(bundle, "page", page)
    asked = {"upTo": first.position, "from": "2024-05-02", "until": "2024-05-02"}
    with pytest.raises(httpx.RemoteProtocolError):
        site.get(PATH, workspace="moving", **asked)
    assert done


def test_hits_that_were_withdrawn_since_are_not_there_and_the_others_are(site: RestSite) -> None:
    first = ingest_file(site.container, "gone", "a.jsonl", jsonl("Kept", DAYS))
    lost = {f"{text}, again": at for text, at in DAYS.items()}
    second = ingest_file(site.container, "gone", "b.jsonl", jsonl("Lost", lost))
    noon = search(site, first, "noon").position
    assert texts(get(site, "gone", search=noon)) == ["noon", "noon, again"]
    upload = site.container.archive.load(Upload, second.upload_id)
    upload.withdraw()
    context = Context(actor_id=LOCAL_OWNER, workspace_id=first.workspace_id)
    site.container.archive.record(context, upload)
    site.advance()
    assert texts(get(site, "gone", search=noon)) == ["noon"]


def test_nothing_is_read_for_who_has_gone(
    site: RestSite, days: Ingested, monkeypatch: pytest.MonkeyPatch
) -> None:
    what = "gone from rsmf"
    monkeypatch.setattr(bundle, "page", sleeper(what))
    query = urlencode({"workspace": "days", "upTo": days.position})
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as client:
        client.sendall(
            f"GET {PATH}?{query} HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\n\r\n".encode()
        )
        assert not ends(site, what, seconds=0.5)
    assert ends(site, what, seconds=30)
    monkeypatch.undo()
    assert len(unzipped(get(site, upTo=days.position))) == 6
