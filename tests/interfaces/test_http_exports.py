"""Parts of the archive leave as files: resumable, safe to open, and never without a trace."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest

from application.context import LOCAL_OWNER, Context
from domain.export import Export
from domain.upload import Upload
from infrastructure.exports import messages
from interfaces.http import export_pages
from interfaces.http.export_formats import cell
from tests.support.archive_fixture import CHAT, Line, ingest
from tests.support.ids import NOBODYS
from tests.support.rest_fixture import site
from tests.support.rest_site import RestSite

__all__ = ["site"]

EXPORTS = ("/api/events", "/api/audit-trail")


def lines(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code in {200, 206}, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def table(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def exports(site: RestSite) -> list[Export.Made]:
    return [recorded.event for recorded in site.events(Export.Made)]


def messages_path(site: RestSite, title: str = "Boat trip") -> str:
    return f"/api/conversations/{site.conversation_id(title)}/messages"


def test_the_log_comes_in_order_and_holds_nothing_personal(site: RestSite) -> None:
    answer = site.get("/api/events")
    found = lines(answer)
    positions = [event["position"] for event in found]
    assert positions == sorted(set(positions))
    assert [e["topic"] for e in found][:3] == [
        "workspace.created",
        "upload.received",
        "upload.inspected",
    ]
    received = found[1]
    assert received["subjectId"] == str(site.archive.upload_id)
    assert set(received["sealed"]) >= {"filename", "sha256"}
    assert received["facts"]["size"] > 0
    assert "chat.jsonl" not in answer.text
    assert "jackets" not in answer.text
    assert answer.headers["content-type"] == "application/jsonl"


def test_without_a_position_it_leads_to_the_newest(site: RestSite) -> None:
    head = site.container.archive.event_log.head()
    parameters = {"workspace": site.archive.workspace, "topics": "upload.received", "after": "1"}
    answer = site.client.get("/api/events", params=parameters, follow_redirects=False)
    assert (answer.status_code, answer.content) == (307, b"")
    asked = parse_qs(urlsplit(answer.headers["location"]).query)
    assert asked == {name: [value] for name, value in parameters.items()} | {"upTo": [str(head)]}
    assert answer.headers["cache-control"] == "no-store"
    assert site.container.archive.event_log.head() == head  # nothing has left yet


@pytest.mark.parametrize("path", EXPORTS)
def test_between_two_positions_are_those_after_the_one_and_up_to_the_other(
    site: RestSite, path: str
) -> None:
    site.advance()
    everything = [row["position"] for row in lines(site.get(path, upTo=site.archive.position))]
    first, last = everything[2], everything[-3]
    part = lines(site.get(path, after=first, upTo=last))
    assert [row["position"] for row in part] == everything[3:-2]
    assert lines(site.get(path, after=last, upTo=last)) == []
    assert lines(site.get(path, upTo=0)) == []


def test_only_the_topics_that_are_asked_for(site: RestSite) -> None:
    found = lines(site.get("/api/events", topics="upload.received,workspace.created"))
    assert [event["topic"] for event in found][:2] == ["workspace.created", "upload.received"]
    assert {event["topic"] for event in found} == {"workspace.created", "upload.received"}


def test_the_audit_trail_says_who_did_what(site: RestSite) -> None:
    site.advance()
    found = lines(site.get("/api/audit-trail"))
    assert found[1]["words"].startswith("uploaded «chat.jsonl»")
    assert found[1]["actor"] == "Local owner"
    assert found[1]["origin"] == {"channel": "test"}
    assert found[1]["subjectId"] == str(site.archive.upload_id)


def test_a_conversation_comes_as_it_was_said(site: RestSite) -> None:
    path = messages_path(site)
    said = [(author, text) for title, author, text in CHAT if title == "Boat trip"]
    found = lines(site.get(path))
    assert [(row["author"], row["text"]) for row in found] == said
    assert found[0]["sentAt"] == "2024-03-01T09:00:00Z"  # as CSV has it
    assert found[0]["key"] == "m0"
    assert [(row["author"], row["text"]) for row in table(site.get(path, format="csv"))] == said
    text = site.get(path, format="txt")
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    assert text.text.splitlines() == [
        f"[2024-03-01 09:0{minute}:00] {author}: {text}"
        for minute, (author, text) in enumerate(said)
    ]


def test_small_pages_give_the_same_bytes(site: RestSite, monkeypatch: pytest.MonkeyPatch) -> None:
    site.advance()
    asked = [
        ("/api/events", "jsonl"),
        ("/api/events", "csv"),
        ("/api/audit-trail", "csv"),
        (messages_path(site, "Standup"), "jsonl"),
    ]
    position = site.archive.position
    large = [site.get(path, format=form, upTo=position).content for path, form in asked]
    for name in ("EVENTS_A_PAGE", "ENTRIES_A_PAGE", "MESSAGES_A_PAGE"):
        monkeypatch.setattr(export_pages, name, 2)
    monkeypatch.setattr(messages, "MAX_BYTES", 40)
    small = [site.get(path, format=form, upTo=position).content for path, form in asked]
    assert small == large
    assert min(len(content) for content in large) > 500


@pytest.mark.parametrize("format", ["jsonl", "csv"])
def test_what_was_cut_off_can_be_resumed(site: RestSite, format: str) -> None:
    """Also after more has happened: the bytes up to a position stay the same."""
    site.advance()
    for path in (*EXPORTS, messages_path(site)):
        asked = {"format": format, "upTo": site.archive.position}
        whole = site.get(path, **asked)
        etag = whole.headers["etag"]
        parts = [
            site.get(path, headers={"Range": f"bytes={a}-{b}", "If-Range": etag}, **asked)
            for a, b in ((0, 99), (100, 299), (300, ""))
        ]
        assert [part.status_code for part in parts] == [206] * 3
        assert b"".join(part.content for part in parts) == whole.content
        size = len(whole.content)
        assert parts[1].headers["content-range"] == f"bytes 100-299/{size}"
        assert parts[2].headers["content-length"] == str(size - 300)
        assert {part.headers["etag"] for part in parts} == {etag}
        last = site.get(path, headers={"Range": "bytes=-7"}, **asked)
        assert last.content == whole.content[-7:]
        beyond = site.get(path, headers={"Range": f"bytes={size}-"}, **asked)
        assert beyond.status_code == 416
        assert site.get(path, headers={"If-None-Match": etag}, **asked).status_code == 304


def test_a_part_can_be_asked_for_before_the_whole(site: RestSite) -> None:
    asked = {"topics": "upload.received", "upTo": site.archive.position, "format": "csv"}
    part = site.get("/api/events", headers={"Range": "bytes=10-20"}, **asked)
    whole = site.get("/api/events", **asked)
    assert part.content == whole.content[10:21]
    assert part.headers["content-range"] == f"bytes 10-20/{len(whole.content)}"


def test_other_bytes_have_another_tag(site: RestSite) -> None:
    site.advance()
    position = site.archive.position
    variants = [
        {"upTo": position},
        {"upTo": position - 1},
        {"upTo": position, "after": 1},
        {"upTo": position, "format": "csv"},
        {"upTo": position, "topics": "upload.read"},
    ]
    tags = [site.get("/api/events", **asked).headers["etag"] for asked in variants]
    tags.append(site.get("/api/audit-trail", upTo=position).headers["etag"])
    assert len(set(tags)) == len(tags)


def test_an_export_leaves_its_fact_before_its_bytes(site: RestSite) -> None:
    before, request_id = len(exports(site)), str(uuid4())
    path, position = messages_path(site), site.archive.position
    site.get(path, headers={"X-Request-Id": request_id}, format="txt", upTo=position)
    site.get(path, headers={"Range": "bytes=5-"}, format="txt", upTo=position)
    site.get("/api/events", topics="upload.read", after=3, upTo=9)
    for condition in ({"Range": "bytes=99999999-"}, {"If-None-Match": "*"}, {"If-Match": '"x"'}):
        site.get(path, headers=condition, format="txt", upTo=position)
    site.client.head(path, params={"workspace": site.archive.workspace, "upTo": str(position)})
    first, second, third = exports(site)[before:]  # no other answer has held any bytes
    assert (first.kind, first.format, first.up_to, first.first_byte) == (
        "messages",
        "txt",
        position,
        0,
    )
    assert first.conversation_id == path.split("/")[3]
    assert first.last_byte is None
    size = len(site.get(path, format="txt", upTo=position).content)
    assert (second.first_byte, second.last_byte) == (5, size - 1)
    assert (third.kind, third.topics, third.after, third.up_to) == ("events", ["upload.read"], 3, 9)
    recorded = site.events(Export.Made)[before]
    assert str(recorded.correlation_id) == request_id
    site.advance()
    said = [row["words"] for row in lines(site.get("/api/audit-trail"))]
    assert (
        f"exported conversation {path.split('/')[3][:8]} as txt, up to position {position}" in said
    )


@pytest.mark.parametrize(
    ("path", "parameters", "status", "code"),
    [
        ("/api/events", {"workspace": "nowhere"}, 404, "workspace.unknown"),
        ("/api/audit-trail", {"workspace": "nowhere"}, 404, "workspace.unknown"),
        ("/api/events", {"workspace": ""}, 400, "bad_request"),
        ("/api/events", {"format": "txt"}, 400, "bad_request"),
        ("/api/events", {"topics": "upload.received,nothing"}, 400, "bad_request"),
        ("/api/events", {"topics": ""}, 400, "bad_request"),
        ("/api/events", {"after": "-1"}, 400, "bad_request"),
        ("/api/events", {"after": "1_0"}, 400, "bad_request"),
        ("/api/events", {"after": "٣"}, 400, "bad_request"),
        ("/api/events", {"upTo": "9" * 18}, 400, "bad_request"),
        ("/api/events", {"after": "9" * 18}, 400, "bad_request"),
        ("/api/audit-trail", {"after": "9" * 18}, 400, "bad_request"),
        ("/api/events", {"upTo": "9" * 30}, 400, "bad_request"),
        ("/api/events", {"upTo": ""}, 400, "bad_request"),
        ("/api/audit-trail", {"upTo": "1e3"}, 400, "bad_request"),
        ("/api/conversations/x/messages", {}, 404, "conversation.unknown"),
        (f"/api/conversations/{NOBODYS}/messages", {}, 404, "conversation.unknown"),
        (f"/api/conversations/{NOBODYS}/messages", {"after": "1"}, 400, "bad_request"),
    ],
)
def test_what_cannot_be_exported_is_refused(
    site: RestSite, path: str, parameters: dict[str, str], status: int, code: str
) -> None:
    head = site.container.archive.event_log.head()
    answer = site.get(path, **parameters)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert site.container.archive.event_log.head() == head


def test_another_workspace_sees_nothing_of_it(site: RestSite) -> None:
    other = ingest(site.container, "elsewhere", [("Secret", "Eve", "of another team")])
    assert "of another team" not in site.get(messages_path(site)).text
    positions = {row["position"] for row in lines(site.get("/api/events"))}
    assert other.position not in positions
    foreign = site.get(messages_path(site), workspace="elsewhere")
    assert (foreign.status_code, foreign.json()["code"]) == (404, "conversation.unknown")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("+49 30 1234", "'+49 30 1234"),
        ("-2", "'-2"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        (" =1+1", "' =1+1"),
        ("\ufeff=1", "'\ufeff=1"),
        ("\u3000=1", "'\u3000=1"),
        ("\u200b\x0b=1", "'\u200b\x0b=1"),
        (" \tx", "' \tx"),
        ("＝1＋1", "'＝1＋1"),
        ("a=1", "a=1"),
        ("", ""),
        ("nul\x00", "nul\ufffd"),
        (-2, "-2"),
        (None, ""),
        (True, "true"),
        ([["👍", 1]], '[["👍",1]]'),
    ],
)
def test_a_spreadsheet_runs_nothing(text: Any, shown: str) -> None:
    assert cell(text) == shown


def test_texts_with_quotes_commas_and_lines_survive_a_spreadsheet(site: RestSite) -> None:
    said = ['a "quoted", text', "two\nlines\r\nthree", "=cmd|' /C calc'!A0", "🙂,;\t"]
    chat: list[Line] = [("Odd texts", 'Ada, "the" admiral', text) for text in said]
    ingest(site.container, site.archive.workspace, chat)
    rows = table(site.get(messages_path(site, "Odd texts"), format="csv"))
    assert [row["text"] for row in rows] == [said[0], said[1], f"'{said[2]}", said[3]]
    assert rows[0]["author"] == 'Ada, "the" admiral'


def test_a_conversation_that_changed_is_not_passed_off_as_what_it_was(site: RestSite) -> None:
    chat: list[Line] = [("Edits", "Ada", f"number {number}") for number in range(5)]
    first = ingest(site.container, site.archive.workspace, chat)
    path = messages_path(site, "Edits")
    asked = {"upTo": first.position}
    whole = site.get(path, **asked)
    assert [row["text"] for row in lines(whole)] == [text for _, _, text in chat]
    more: list[Line] = [*chat, ("Edits", "Bob", "one more")]
    later = ingest(site.container, site.archive.workspace, more)
    assert site.get(path, **asked).content == whole.content  # what came later is no part of it
    assert len(lines(site.get(path, upTo=later.position))) == 6
    edited: list[Line] = [("Edits", "Ada", "number 0, edited"), *more[1:]]
    ingest(site.container, site.archive.workspace, edited)
    gone = site.get(path, **asked)
    assert (gone.status_code, gone.json()["code"]) == (410, "export.superseded")
    assert lines(site.get(path))[0]["text"] == "number 0, edited"


def test_a_change_on_the_way_cuts_the_export_off(
    site: RestSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat: list[Line] = [("Cut", "Ada", f"number {number}") for number in range(5)]
    first = ingest(site.container, site.archive.workspace, chat)
    path = messages_path(site, "Cut")
    read, pages = messages.page, 0

    def page(*arguments: Any, **named: Any) -> Any:
        nonlocal pages
        pages += 1
        if pages == 2:
            edited: list[Line] = [*chat[:4], ("Cut", "Ada", "number 4, edited")]
            ingest(site.container, site.archive.workspace, edited)
        return read(*arguments, **named)

    monkeypatch.setattr(export_pages, "MESSAGES_A_PAGE", 2)
    monkeypatch.setattr(messages, "page", page)
    with pytest.raises(httpx.RemoteProtocolError):
        site.get(path, upTo=first.position)


def test_a_withdrawal_supersedes_what_was_pinned_before(site: RestSite) -> None:
    chat: list[Line] = [("Withdrawn", "Ada", "said once")]
    first = ingest(site.container, site.archive.workspace, chat)
    path = messages_path(site, "Withdrawn")
    assert site.get(path, upTo=first.position).status_code == 200
    upload = site.container.archive.load(Upload, first.upload_id)
    upload.withdraw()
    site.container.archive.record(context(site), upload)
    assert site.get(path, upTo=first.position).json()["code"] == "export.superseded"


def context(site: RestSite) -> Any:
    return Context(actor_id=LOCAL_OWNER, workspace_id=site.archive.workspace_id)


def test_read_models_that_are_behind_are_waited_for_and_then_said_to_be(
    site: RestSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interfaces.http.export_answers.WAIT_SECONDS", 0.2)
    monkeypatch.setattr("interfaces.http.export_answers.CATCH_UP_SECONDS", 0.2)
    site.advance()
    site.get("/api/events", upTo=1)  # leaves a fact that no read model knows yet
    head = site.container.archive.event_log.head()
    answer = site.get("/api/audit-trail", upTo=head)
    assert (answer.status_code, answer.json()["code"]) == (503, "export.behind")
    assert int(answer.headers["retry-after"]) > 0
    unpinned = site.get("/api/audit-trail")
    assert lines(unpinned)[-1]["position"] < head
