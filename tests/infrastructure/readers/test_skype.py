"""Skype's and Teams' personal export: messages.json."""

from __future__ import annotations

import base64
import io
import json
import tarfile
from datetime import timedelta
from typing import Any

import pytest

from application.ports.chat_reader import ReadOptions, UnreadableExportError
from domain.message import Attachment, Reaction
from infrastructure.readers.local_file import LocalFile
from tests.infrastructure.readers.skype_exports import (
    ANN,
    BOB,
    GROUP,
    NOON,
    account,
    chat,
    claim_of,
    found_in,
    group,
    key,
    one,
    said,
)
from tests.infrastructure.readers.support import (
    MemoryFile,
    json_file,
    zip_file,
)
from tests.support.data import SAMPLES, data_path

# The sample


def test_the_sample_s_groups_go_forward_in_time() -> None:
    found = found_in(LocalFile(data_path("chitchat", "skype-teams", "skype-export.zip")))
    assert {c.kind for c in found.conversations} == {"group"}
    assert found.facts.timezone == "UTC"
    for conversation in found.conversations:
        times = [m.sent_at for m in found.messages if m.conversation == conversation.id]
        assert times == sorted(times)


def test_no_other_format_is_claimed() -> None:
    folder = data_path("chitchat", "skype-teams").parents[1]
    asked = 0
    for path in sorted([*folder.rglob("*"), *SAMPLES.rglob("*")]):
        if path.is_file() and path.suffix in {".json", ".jsonl", ".zip", ".csv", ".txt", ".html"}:
            asked += 1
            claim = claim_of(LocalFile(path))
            assert (claim is not None) == (
                path.parent.name == "skype-teams" and ".zip" in path.name
            )
    assert asked > 20


# What is recognised


def test_the_export_is_recognised_by_its_content() -> None:
    claims = [
        claim_of(json_file(account(chat(said(0))), "anything")),
        claim_of(json_file(account(chat(MessageList=None)), "x.json")),
        claim_of(json_file(account(), "x.json")),
        claim_of(zip_file({"a/messages.json": json.dumps(account(chat(said(0)))), "a/b.jpg": b""})),
        claim_of(json_file({"conversations": []}, "messages.json")),
        claim_of(json_file([said(0)], "messages.json")),
    ]
    assert [claim and claim.confidence for claim in claims] == [0.95, 0.95, 0.9, 0.95, None, None]
    assert {claim.format for claim in claims if claim} == {"skype"}


def test_whose_export_it_is_is_told_by_name_where_messages_have_it() -> None:
    for id, name in (("8:live:ann", "Ann"), ("live:ann", "Ann"), ("8:live:eve", "live:eve")):
        messages = chat(said(0))
        found = found_in(json_file({**account(messages), "userId": id}, "messages.json"))
        assert found.facts.owner == name


def test_the_tar_with_its_media_is_read() -> None:
    members = {
        "endpoints.json": b'{"endpoints": []}',
        "media/0-weu-d1-abc.1.json": b'{"a": 1}',
        "messages.json": json.dumps(account(chat(said(0, "a"), said(1, "b")))).encode(),
    }
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    found = found_in(MemoryFile(target.getvalue(), "8_live_me_export.tar"))
    assert (found.texts, found.warnings) == (["a", "b"], [])


# Messages


def test_a_message_has_its_key_its_author_and_its_time_to_the_millisecond() -> None:
    message = one("a &lt;b&gt; &amp;amp; &apos;c&apos;\r\nd  ")
    assert message.text == "a <b> &amp; 'c'\nd  "
    assert (message.conversation, message.key) == (GROUP, "1594468800000")
    assert message.author == (ANN, "Ann")
    assert message.sent_at == NOON + timedelta(milliseconds=123)
    assert (message.precision, message.zone, message.kind) == ("millisecond", "stated", "message")
    assert message.extra is None


@pytest.mark.parametrize("is_newest_first", [True, False])
def test_the_oldest_message_comes_first_whichever_way_they_lie(is_newest_first: bool) -> None:
    messages = [said(n, str(n)) for n in range(5)]
    raw = account(chat(MessageList=messages[::-1] if is_newest_first else messages))
    found = found_in(json_file(raw, "messages.json"))
    assert found.texts == ["0", "1", "2", "3", "4"]


def test_who_writes_may_be_an_address_and_may_lack_a_name() -> None:
    address = "https://db3-client-s.gateway.messenger.live.com/v1/users/ME/contacts/8:live:ann"
    found = group(
        said(0, displayName=None),
        said(1, **{"from": address}),
        said(2, **{"from": BOB}, displayName=""),
        said(3, **{"from": None}, displayName="Cy"),
        said(4, **{"from": GROUP}, displayName=None),
    )
    authors = [m.author for m in found.messages]
    assert authors == [(ANN, "Ann"), (ANN, "Ann"), (BOB, "bob"), ("Cy", "Cy"), None]


def test_a_person_under_changing_names_is_one_person() -> None:
    found = group(said(0), said(1, displayName="Ann Other"))
    assert [m.author for m in found.messages] == [(ANN, "Ann"), (ANN, "Ann Other")]


def test_a_message_without_an_id_has_a_key_of_its_own() -> None:
    first, second = said(0), said(0)
    del first["id"], second["id"]
    found = group(first, second)
    assert len({m.key for m in found.messages}) == 2
    assert all(len(m.key) == 32 for m in found.messages)


def test_a_time_that_is_missing_is_the_id() -> None:
    message = one(originalarrivaltime=None)
    assert (message.sent_at, message.zone) == (NOON, "derived")


def test_a_time_without_a_zone_is_the_person_s() -> None:
    raw = account(chat(said(0, originalarrivaltime="2020-07-11T12:00:00")))
    file = json_file(raw, "messages.json")
    (message,) = found_in(file, ReadOptions(timezone="Europe/Berlin")).messages
    assert (message.sent_at, message.zone) == (NOON - timedelta(hours=2), "stated")
    (message,) = found_in(file).messages
    assert (message.sent_at, message.zone) == (NOON, "assumed")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ('<b raw_pre="*" raw_post="*">bold</b> <i raw_pre="_">x</i>', "bold x"),
        ('<a href="https://e.org/a">https://e.org/a</a>', "https://e.org/a"),
        ('see <a href="https://e.org/a">this</a>', "see this (https://e.org/a)"),
        ('<at id="8:bob">Bob</at> hello <at id="*">all</at>', "@Bob hello @all"),
        ('<ss type="hi">(wave)</ss> <ss type="laugh" alt="😆">(laugh)</ss>!', "(wave) 😆!"),
        ("line one\nline two\n\n  line three", "line one\nline two\n\n  line three"),
        ("1 < 2 &amp; 3", "1 < 2 & 3"),
        ("hi<context><roster id='8:bob' name='Bob'></roster></context>", "hi"),
        ("<pre raw_pre='{code}'>a\n  b</pre>", "a\n  b"),
    ],
)
def test_markup_is_resolved(content: str, text: str) -> None:
    assert one(content).text == text


def test_html_of_teams_is_read_as_html() -> None:
    content = "<p>one\n two</p>\n<ul><li>three</li></ul>"
    assert one(content, messagetype="RichText/Html").text == "one two\n- three"
    assert one(content).text == "one two\n- three"


def test_plain_text_has_no_markup() -> None:
    assert one("<b>x</b> &lt;", messagetype="Text").text == "<b>x</b> <"


def test_a_quote_is_an_answer() -> None:
    content = (
        f'<quote author="bob" authorname="Bob" timestamp="1594468800" messageid="{key(0)}">'
        "<legacyquote>[11/07/2020 12:00:00] Bob: </legacyquote>hi\nthere<legacyquote>\n\n"
        "&lt;&lt;&lt; </legacyquote></quote>hello"
    )
    message = group(said(0), said(1, content)).messages[1]
    assert (message.text, message.reply_to) == ("> Bob: hi\n> there\nhello", key(0))


def test_a_quote_from_another_conversation_answers_nothing_here() -> None:
    content = '<quote authorname="Bob" conversation="8:cy" messageid="1">hi</quote>no'
    message = one(content)
    assert (message.text, message.reply_to) == ("> Bob: hi\nno", None)


def test_replies_of_teams_are_answers() -> None:
    quote = (
        f'<blockquote itemscope="" itemtype="http://schema.skype.com/Reply" itemid="{key(0)}">'
        '<strong itemprop="mri" itemid="8:bob">Bob</strong><p itemprop="preview">hi</p>'
        "</blockquote>"
    )
    first = one(f"{quote}<p>yes</p>", messagetype="RichText/Html")
    assert (first.text, first.reply_to) == ("> Bob\n> hi\nyes", key(0))
    second = one("yes", properties={"qtdMsgs": json.dumps([{"messageId": key(0)}])})
    assert second.reply_to == key(0)


def test_edits_are_dated() -> None:
    at = NOON + timedelta(minutes=5)
    stamp = str(int(at.timestamp() * 1000))
    message = one("new", properties={"edittime": stamp})
    assert (message.text, message.edited_at, message.extra) == ("new", at, None)
    mark = f'<e_m ts="{stamp[:-3]}" ts_ms="{stamp}" a="live:ann" t="61"/>'
    old = one(f"Edited previous message: new{mark}")
    assert (old.text, old.edited_at) == ("new", at)
    assert one('x<e_m ts="1" a="a" t="61"/>').edited_at is None


def test_deleted_messages_are_told() -> None:
    message = one("", properties={"deletetime": "1594468900000"})
    assert (message.kind, message.text, message.author) == ("deleted", "", (ANN, "Ann"))
    assert message.extra == {"properties": {"deletetime": "1594468900000"}}
    assert one("", properties={"edittime": "1594468900000"}).kind == "deleted"
    assert one("").kind == "message"


def test_reactions_have_their_people() -> None:
    emotions = [
        {"key": "heart", "users": [{"mri": BOB, "time": 1, "value": "1"}, {"mri": ANN, "time": 2}]},
        {"key": "2714_heavycheckmark", "users": [{"DisplayName": "Cy"}, {"time": 3}]},
        {"key": "reactionsConsumptionHorizon", "users": [{"mri": ANN}]},
        {"key": "sad", "users": []},
    ]
    expected = (Reaction("heart", (BOB, ANN), 2), Reaction("2714_heavycheckmark", ("Cy",), 2))
    assert one(properties={"emotions": emotions}).reactions == expected
    assert one(properties={"emotions": json.dumps(emotions)}).reactions == expected


def test_files_and_pictures_are_attachments() -> None:
    content = (
        '<URIObject uri="https://api.asm.skype.com/v1/0-weu" type="Picture.1" doc_id="0-weu">'
        'To view this shared photo, go to: <a href="https://login.skype.com/x">https://x</a>'
        '<OriginalName v="../../a/f.png"></OriginalName><FileSize v="108188"></FileSize>'
        '<meta type="photo" originalName="f.png"></meta></URIObject>'
    )
    message = one(content, messagetype="RichText/UriObject", amsreferences=["0-weu"])
    assert (message.text, message.attachments) == ("", (Attachment("f.png", None, 108188),))
    assert message.extra == {"amsreferences": ["0-weu"]}
    video = one('<URIObject type="Video.1/Message.1"/>', messagetype="RichText/Media_Video")
    assert video.attachments == (Attachment("video", None, None),)
    shared = one("<p>see</p>", properties={"files": '[{"fileName": "plan.docx"}]'})
    assert shared.attachments == (Attachment("plan.docx", None, None),)


def test_cards_polls_places_and_contacts_have_a_text() -> None:
    card = {"attachments": [{"content": {"title": "A cat", "text": "dances"}}]}
    coded = base64.b64encode(json.dumps(card).encode()).decode()
    swift = f'<URIObject type="SWIFT.1">To view this card…<Swift b64="{coded}"></Swift></URIObject>'
    assert one(swift, messagetype="RichText/Media_Card").text == "A cat\ndances"
    poll = '<URIObject type="Poll" title="Where?" optionsEncoded="Rome|Oslo">Where?</URIObject>'
    assert one(poll, messagetype="Poll").text == "Where?\n- Rome\n- Oslo"
    location = (
        '<location latitude="59436810" longitude="-24740695" address="Tallinn, Estonia">'
        '<a href="https://www.bing.com/maps">Tallinn</a></location>'
    )
    assert one(location, messagetype="RichText/Location").text == (
        "Tallinn, Estonia\n59.43681, -24.740695"
    )
    people = '<contacts><c t="s" s="cy" f="Cy Other"></c><c t="s" s="di"></c></contacts>'
    assert one(people, messagetype="RichText/Contacts").text == "Cy Other (cy)\ndi"


@pytest.mark.parametrize(
    ("kind", "content", "text"),
    [
        ("AddMember", "<target>{b}</target>", "Ann added bob"),
        ("AddMember", "<target>{b}</target><target>8:cy</target>", "Ann added bob, cy"),
        ("AddMember", "<target>{a}</target>", "Ann joined"),
        ("DeleteMember", "<target>{b}</target>", "Ann removed bob"),
        ("DeleteMember", "<target>{a}</target>", "Ann left"),
        ("TopicUpdate", "<value>A &amp; B</value>", "Ann changed the topic to “A & B”"),
        ("TopicUpdate", "<value></value>", "Ann removed the topic"),
        ("PictureUpdate", "<value>URL@x</value>", "Ann changed the picture"),
        ("RoleUpdate", "<target><id>{b}</id><role>admin</role></target>", "Ann made bob admin"),
        ("HistoryDisclosedUpdate", "<value>true</value>", "Ann showed new members the history"),
        ("HistoryDisclosedUpdate", "<value>false</value>", "Ann hid the history from new members"),
        ("JoiningEnabledUpdate", "<value>true</value>", "Ann let people join by a link"),
        ("JoiningEnabledUpdate", "<value>false</value>", "Ann let nobody join by a link any more"),
        ("SomethingNew", "", "Ann: something new"),
    ],
)
def test_what_happens_to_a_conversation_is_a_notice(kind: str, content: str, text: str) -> None:
    written = f"<x><initiator>{ANN}</initiator>{content.format(a=ANN, b=BOB)}</x>"
    event = {"messagetype": f"ThreadActivity/{kind}", "from": GROUP, "displayName": None}
    found = group(said(0), said(1, written, **event))
    message = found.messages[1]
    assert (message.kind, message.text, message.author) == ("system", text, (ANN, "Ann"))
    assert found.warnings == []


def test_who_joins_and_leaves_meetings_is_written_as_json() -> None:
    joined = {"initiator": ANN, "members": [{"id": "8:cy", "friendlyname": "Cy"}]}
    event = {"from": GROUP, "displayName": None}
    found = group(
        said(0),
        said(1, json.dumps(joined), messagetype="ThreadActivity/MemberJoined", **event),
        said(2, json.dumps(joined), messagetype="ThreadActivity/MemberLeft", **event),
    )
    assert [m.text for m in found.messages] == ["hi", "Cy joined", "Cy left"]


def test_calls_are_notices_with_their_length_and_people() -> None:
    parts = "".join(
        f'<part identity="{id}"><name>{name}</name><duration>{length}</duration></part>'
        for id, name, length in ((ANN, "Ann", "84.82"), (BOB, "Bob", "3725"))
    )
    call = {"messagetype": "Event/Call"}
    found = group(
        said(0, '<partlist type="started" alt=""></partlist>', **call),
        said(1, f'<partlist type="ended" alt="" callId="1">{parts}</partlist>', **call),
        said(2, '<partlist type="missed"><part identity="8:bob"></part></partlist>', **call),
        said(3, '<ended/><partlist count="2"></partlist>', **call),
        said(4, "hi", **{"from": BOB}, displayName=None),
    )
    assert [m.text for m in found.messages] == [
        "Ann started a call",
        "the call ended after 1 h 2 min 5 s (Ann, Bob)",
        "Ann called; nobody answered",
        "the call ended",
        "hi",
    ]
    assert [m.kind for m in found.messages] == ["system"] * 4 + ["message"]
    assert found.messages[4].author == (BOB, "Bob")


def test_other_notices_are_told_in_their_own_words() -> None:
    card = json.dumps(
        [{"attachments": [{"content": {"title": "News", "text": "<b>Update</b> now"}}]}]
    )
    assert one(card, messagetype="Notice").text == "News\nUpdate now"
    assert one("", messagetype="PopCard").text == "pop card"
    changed = one("", messagetype="InviteFreeRelationshipChanged/Initialized")
    assert changed.text == "invite free relationship changed initialized"
    assert changed.kind == "system"


def test_actions_are_told_apart() -> None:
    message = one("Ann waves", skypeemoteoffset="4")
    assert (message.kind, message.text) == ("action", "waves")


def test_what_has_no_place_is_kept_and_what_nobody_knows_is_counted() -> None:
    properties = {"urlpreviews": "[]", "isserversidegenerated": "True", "novelty": 7}
    found = group(said(0, properties=properties, shine=2, clientmessageid="9"), fresh=1)
    assert found.messages[0].extra == {
        "properties": properties,
        "shine": 2,
        "clientmessageid": "9",
    }
    assert found.facts.unknown_keys == {
        "messages.shine": 1,
        "messages.properties.novelty": 1,
        "conversations.fresh": 1,
    }


def test_what_is_kept_with_a_message_names_nobody_but_its_author() -> None:
    call = {"callId": "1", "targetParticipant": {"id": BOB, "displayName": "Bobby"}}
    mentions = [{"mri": BOB, "displayName": "Bobby", "itemid": 0}]
    properties = {"call-log": json.dumps(call), "mentions": json.dumps(mentions), "cid": "5"}
    message = one('<at id="8:bob">Bobby</at>?', properties=properties)
    assert message.text == "@Bobby?"
    assert message.extra == {
        "properties": {"call-log": {"callId": "1", "targetParticipant": {"id": BOB}}, "cid": "5"}
    }


# Conversations

MEMBERS = {"members": [{"MemberMri": ANN}]}
MEMBERS_AS_TEXT = {"members": json.dumps([ANN, BOB])}


@pytest.mark.parametrize(
    ("id", "header", "title", "kind"),
    [
        (GROUP, {}, "Rome", "group"),
        (GROUP, {"displayName": None}, "Rome", "group"),
        (GROUP, {"displayName": "", "threadProperties": MEMBERS_AS_TEXT}, "Ann, bob", "group"),
        (GROUP, {"displayName": None, "threadProperties": MEMBERS}, "Ann", "group"),
        (GROUP, {"displayName": None, "threadProperties": None}, GROUP, "group"),
        (BOB, {"displayName": "Bob B.", "threadProperties": None}, "Bob B.", "direct"),
        ("8:live:cy", {"displayName": None, "threadProperties": None}, "live:cy", "direct"),
        ("28:bot", {"displayName": "Copilot"}, "Copilot", "direct"),
        ("4:+4912", {"displayName": None, "threadProperties": None}, "4:+4912", "direct"),
        ("19:a_b@unq.gbl.spaces", {"displayName": "Bob"}, "Bob", "direct"),
        ("48:notes", {"displayName": None, "threadProperties": None}, "Notes", "unknown"),
    ],
)
def test_conversations_have_a_title_and_a_kind(
    id: str, header: dict[str, Any], title: str, kind: str
) -> None:
    found = group(said(0, conversationid=id), id=id, **header)
    assert found.conversations == [(id, title, kind)]


def test_the_partner_in_a_chat_is_called_as_the_chat_is() -> None:
    found = group(said(0, **{"from": BOB}, displayName=None), id=BOB, displayName="Bob B.")
    assert found.messages[0].author == (BOB, "Bob B.")


def test_a_header_after_the_messages_is_found() -> None:
    raw = account({"MessageList": [said(0)], "id": GROUP, "displayName": "Late"})
    found = found_in(json_file(raw, "messages.json"))
    assert found.conversations == [(GROUP, "Late", "group")]


def test_conversations_without_messages_are_none() -> None:
    raw = account(chat(), chat(said(0), id="8:bob"), chat(MessageList=None), chat(MessageList=[]))
    found = found_in(json_file(raw, "messages.json"))
    assert [c.id for c in found.conversations] == ["8:bob"]
    with pytest.raises(UnreadableExportError, match="no messages"):
        found_in(json_file(account(chat()), "messages.json"))
