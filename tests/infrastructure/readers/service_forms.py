"""Any chat in the forms that services export: nearly all of it JSON, with ids."""

from __future__ import annotations

import html
import json
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from domain.message import Message
from tests.infrastructure.readers import (
    chatgpt_exports,
    claude_exports,
    discord_exports,
    google_chat_exports,
    meta_exports,
    rsmf_exports,
    signal_exports,
    skype_exports,
    slack_dumps,
    teams_exports,
)
from tests.infrastructure.readers.any_chat import Form, NestedForm, Said, texts
from tests.infrastructure.readers.support import MemoryFile, zip_file

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND, MILLISECOND = timedelta(microseconds=1), timedelta(milliseconds=1)


def dumped(value: Any) -> bytes:
    return json.dumps(value, indent=1).encode()


def number(name: str) -> int:
    """As services know people."""
    return zlib.crc32(name.encode())


def milliseconds(at: datetime) -> int:
    return (at - EPOCH) // MILLISECOND


def role_of(message: Message) -> str:
    return message.author.id if message.author else ""


# Telegram


def telegram(said: Sequence[Said]) -> bytes:
    messages = []
    for place, one in enumerate(said):
        message: dict[str, Any] = {
            "id": place + 1,
            "type": "message",
            "date": f"{one.at:%Y-%m-%dT%H:%M:%S}",
            "date_unixtime": f"{one.at.timestamp():.0f}",
            "from": one.author,
            "from_id": f"user{number(one.author)}",
            "text": one.text,
            "text_entities": [{"type": "plain", "text": one.text}],
        }
        if one.answers is not None:
            message["reply_to_message_id"] = one.answers + 1
        if one.edited_at is not None:
            message["edited_unixtime"] = f"{one.edited_at.timestamp():.0f}"
        messages.append(message)
    return dumped({"name": "Rome", "type": "private_group", "id": 7, "messages": messages})


# Slack


def slack_time(at: datetime) -> str:
    return f"{(at - EPOCH) // timedelta(seconds=1)}.{at.microsecond:06}"


def slack_text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def slack_message(said: Sequence[Said], one: Said) -> dict[str, Any]:
    user = f"U{number(one.author)}"
    message: dict[str, Any] = {"type": "message", "user": user, "ts": slack_time(one.at)}
    message["text"] = slack_text(one.text)
    if one.answers is not None:
        root = said[one.answers]
        while root.answers is not None:
            root = said[root.answers]
        message["thread_ts"] = slack_time(root.at)
    if one.edited_at is not None:
        message["edited"] = {"user": user, "ts": slack_time(one.edited_at)}
    return message


def slack(said: Sequence[Said]) -> bytes:
    return dumped([slack_message(said, one) for one in said])


def slackdump(said: Sequence[Said]) -> bytes:
    """It writes more keys of Slack's API than Slack's own export does."""
    more = {"replace_original": False, "delete_original": False, "blocks": None}
    metadata = {"metadata": {"event_type": "", "event_payload": None}}
    return dumped(
        [
            {
                **slack_message(said, one),
                **more,
                **metadata,
                "user_team": "T1",
                "source_team": "T1",
                "user_profile": {"real_name": one.author, "name": one.author},
            }
            for one in said
        ]
    )


def slack_dump(said: Sequence[Said]) -> bytes:
    """By slackdump: the answers inside of the first message, which is their first one, too."""
    firsts: dict[str, dict[str, Any]] = {}
    for one in said:
        profile = {"real_name": one.author, "name": one.author}
        message = {**slack_message(said, one), "user_profile": profile}
        thread = message.get("thread_ts")
        if thread is None:
            firsts[message["ts"]] = message
            continue
        first = firsts[thread]
        first["thread_ts"] = thread
        first.setdefault(slack_dumps.ANSWERS, [{**first}]).append(message)
    return dumped(slack_dumps.dump(*firsts.values()))


def slack_people(said: Sequence[Said]) -> list[dict[str, Any]]:
    names = {one.author for one in said}
    return [{"id": f"U{number(name)}", "profile": {"real_name": name}} for name in names]


def in_channel(said: Sequence[Said], data: bytes) -> MemoryFile:
    channels = json.dumps([{"id": "C1", "name": "rome"}])
    people = json.dumps(slack_people(said))
    day = {"rome/2024-01-15.json": data}
    return zip_file({"users.json": people, "channels.json": channels, **day})


def in_direct_messages(said: Sequence[Said], data: bytes) -> MemoryFile:
    """By slackdump: they have no name, and their folder that of their id."""
    direct = json.dumps([{"id": "D0001", "members": ["U1", "U2"]}])
    people = json.dumps(slack_people(said))
    day = {"D0001/2024-01-15.json": data}
    return zip_file({"users.json": people, "dms.json": direct, "channels.json": "[]", **day})


# Discord

# What Discord itself resolves: mentions, and links with a label.
DISCORD_TEXTS = texts("**b**", without="\r<").filter(lambda text: "](" not in text)


def discord(said: Sequence[Said]) -> bytes:
    messages = []
    for place, one in enumerate(said):
        edited = one.edited_at.isoformat() if one.edited_at else None
        author = {**discord_exports.ANN, "id": str(number(one.author)), "nickname": one.author}
        message = discord_exports.said(place + 1, one.text, timestamp=one.at.isoformat())
        message |= {"author": author, "timestampEdited": edited}
        if one.answers is not None:
            reference = {"messageId": str(one.answers + 1), "guildId": "1"}
            reference["channelId"] = discord_exports.CHANNEL["id"] or ""
            message |= {"type": "Reply", "reference": reference}
        messages.append(message)
    return dumped(discord_exports.chat(*messages))


def snowflake(place: int, at: datetime) -> int:
    return (milliseconds(at) - 1_420_070_400_000) << 22 | place


def packaged(said: Sequence[Said]) -> bytes:
    """Newest first, as Discord sends it."""
    rows = [
        {"ID": snowflake(place, one.at), "Timestamp": f"{one.at:%Y-%m-%d %H:%M:%S}"}
        | {"Contents": one.text, "Attachments": ""}
        for place, one in enumerate(said)
    ]
    return dumped(rows[::-1])


def in_package(said: Sequence[Said], data: bytes) -> MemoryFile:
    owner = json.dumps({"id": "7", "username": said[0].author, "relationships": []})
    files = {"account/user.json": owner, "messages/index.json": json.dumps({"9": "Rome"})}
    channel = json.dumps({"id": "9", "type": "GUILD_TEXT", "name": "rome"})
    files["messages/c9/channel.json"] = channel
    return zip_file({**files, "messages/c9/messages.json": data})


# Microsoft


def teams_message(place: int, one: Said) -> dict[str, Any]:
    body = {"ContentType": "text", "Content": one.text}
    message = teams_exports.said(0, From=teams_exports.user(one.author, one.author), Body=body)
    message |= {"Id": str(place + 1), "CreatedDateTime": one.at.isoformat()}
    if one.answers is not None:
        quoted = json.dumps({"messageId": str(one.answers + 1), "messagePreview": "x"})
        message["Attachments"] = [
            {"Id": str(one.answers + 1), "ContentType": "messageReference", "Content": quoted}
        ]
    if one.edited_at is not None:
        message["LastEditedDateTime"] = one.edited_at.isoformat()
        before = {"ContentType": "text", "Content": one.before}
        version = {"ModifiedDateTime": one.at.isoformat(), "Actions": "messageEdited"}
        message["MessageHistory"] = [{**version, "Reaction": None, "Body": before}]
    return message


def teams(said: Sequence[Said]) -> bytes:
    return dumped([teams_message(place, one) for place, one in enumerate(said)])


def teams_graph(said: Sequence[Said]) -> bytes:
    messages = [teams_message(place, one) for place, one in enumerate(said)]
    return dumped({"value": teams_exports.graph(messages)})


def skype(said: Sequence[Said]) -> bytes:
    messages = []
    for place, one in enumerate(said):
        properties: dict[str, Any] = {}
        if one.edited_at is not None:
            properties["edittime"] = str(milliseconds(one.edited_at))
        if one.answers is not None:
            properties["qtdMsgs"] = [{"messageId": str(one.answers + 1), "sender": "8:x"}]
        message = skype_exports.said(0, html.escape(one.text), displayName=one.author)
        message |= {"id": str(place + 1), "from": f"8:{number(one.author)}"}
        message |= {"originalarrivaltime": one.at.isoformat(), "properties": properties or None}
        messages.append(message)
    return dumped(skype_exports.account(skype_exports.chat(*messages)))


# Assistants

ROLES = st.sampled_from(["user", "assistant"])


def chatgpt(said: Sequence[Said]) -> bytes:
    messages = [
        chatgpt_exports.said(place, one.text, role=one.author, create_time=one.at.timestamp())
        for place, one in enumerate(said)
    ]
    return dumped([chatgpt_exports.line_of(*messages)])


def claude(said: Sequence[Said]) -> bytes:
    messages = [
        claude_exports.said(place, one.text, sender=one.author)
        | {"created_at": claude_exports.stamp(one.at)}
        for place, one in enumerate(said)
    ]
    return dumped([claude_exports.conversation(*messages, account=None)])


# Meta


def meta(said: Sequence[Said]) -> bytes:
    messages = [
        meta_exports.said(milliseconds(one.at) - meta_exports.NOON, one.text, one.author)
        for one in said
    ]
    return dumped(meta_exports.thread(*messages))


def encrypted(said: Sequence[Said]) -> bytes:
    messages = [
        meta_exports.whispered(milliseconds(one.at) - meta_exports.NOON, one.text, one.author)
        for one in said
    ]
    return dumped(meta_exports.encrypted(*messages))


def on_instagram(said: Sequence[Said], data: bytes) -> MemoryFile:
    return zip_file({"your_instagram_activity/messages/inbox/ann_1/message_1.json": data})


# Signal


def signal_backup(said: Sequence[Said]) -> bytes:
    """An edited message comes as its last version, with the ones before it inside."""
    frames: list[dict[str, Any]] = [signal_exports.INFO]
    people = {name: str(100 + place) for place, name in enumerate(sorted({s.author for s in said}))}
    frames += [
        {"recipient": {"id": id, "contact": {"systemGivenName": name}}}
        for name, id in people.items()
    ]
    frames.append({"chat": {"id": "1", "recipientId": "100"}})

    def item(one: Said, text: str, sent: datetime) -> dict[str, Any]:
        content: dict[str, Any] = {"text": {"body": text}}
        if one.answers is not None:
            target = said[one.answers]
            quote = {"authorId": people[target.author], "text": {"body": target.text}}
            content["quote"] = {
                **quote,
                "targetSentTimestamp": str(milliseconds(target.edited_at or target.at)),
            }
        head = {"chatId": "1", "authorId": people[one.author], "dateSent": str(milliseconds(sent))}
        return {**head, "incoming": {}, "standardMessage": content}

    for one in said:
        last = item(one, one.text, one.edited_at or one.at)
        if one.before is not None:
            last["revisions"] = [item(one, one.before, one.at)]
        frames.append({"chatItem": last})
    return "".join(f"{json.dumps(frame)}\n" for frame in frames).encode()


def signal_rows(said: Sequence[Said]) -> bytes:
    rows = []
    for one in said:
        more: dict[str, Any] = {}
        if one.before is not None:
            more["edits"] = [{"date": None, "body": f"{one.before}  "}]
        date = one.at.replace(tzinfo=None).isoformat()
        rows.append(signal_exports.row(date=date, sender=one.author, body=f"{one.text}  ", **more))
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


# Google Chat


def google_chat(said: Sequence[Said]) -> bytes:
    messages = []
    for place, one in enumerate(said):
        creator = {"name": one.author, "email": f"{number(one.author)}@e.org", "user_type": "Human"}
        date = google_chat_exports.in_words(one.at)
        message = google_chat_exports.said(place, one.text, creator=creator, created_date=date)
        if one.edited_at is not None:
            del message["created_date"]
            message["updated_date"] = google_chat_exports.in_words(one.edited_at)
            version = {"created_date": date, "text": one.before}
            message["previous_message_versions"] = [version]
        if one.answers is not None:
            answered = google_chat_exports.said(one.answers)["message_id"]
            message["quoted_message_metadata"] = {"message_id": answered}
        messages.append(message)
    return dumped(google_chat_exports.chat(*messages))


# RSMF


def rsmf(said: Sequence[Said]) -> bytes:
    events = []
    for place, one in enumerate(said):
        who = str(number(one.author))
        at = one.at.strftime("%Y-%m-%dT%H:%M:%SZ")
        event = rsmf_exports.said(f"m-{place}", one.text, participant=who, timestamp=at)
        if one.answers is not None:
            event["parent"] = f"m-{one.answers}"
        if one.edited_at is not None:
            edit = {"participant": who, "previous": one.before, "new": one.text}
            stamp = one.edited_at.strftime("%Y-%m-%dT%H:%M:%SZ")
            event["edits"] = [{**edit, "timestamp": stamp}]
        events.append(event)
    people = [{"id": str(number(name)), "display": name} for name in {one.author for one in said}]
    return dumped(rsmf_exports.manifest(*events, participants=people))


def in_mail(said: Sequence[Said], data: bytes) -> MemoryFile:
    del said
    archive = zip_file({"rsmf_manifest.json": data}).data
    return MemoryFile(rsmf_exports.envelope(archive), "day.rsmf")


WITH_VERSIONS = {"has_replies": True, "has_edit_times": True, "has_versions": True}
FORMS: dict[str, Form] = {
    "telegram": Form("telegram", telegram, has_replies=True, has_edit_times=True),
    "slack": Form(
        "slack",
        slack,
        tick=MICROSECOND,
        has_threads=True,
        has_edit_times=True,
        pack=in_channel,
    ),
    "slackdump": Form(
        "slack",
        slackdump,
        tick=MICROSECOND,
        has_threads=True,
        has_edit_times=True,
        pack=in_direct_messages,
    ),
    "slackdump-dump": NestedForm(
        "slack",
        slack_dump,
        "C01234567.json",
        tick=MICROSECOND,
        is_sorted=True,
        has_threads=True,
        has_edit_times=True,
    ),
    "discord-json": Form(
        "discord",
        discord,
        texts=DISCORD_TEXTS,
        is_sorted=True,
        has_replies=True,
        has_edit_times=True,
    ),
    "discord-package": Form(
        "discord_package",
        packaged,
        texts=DISCORD_TEXTS,
        people=1,
        tick=MILLISECOND,
        is_sorted=True,
        cut_gives="last",
        pack=in_package,
    ),
    # Both of Microsoft's write CRLF for a line's end.
    "teams": Form("teams", teams, texts=texts(without="\r"), is_sorted=True, **WITH_VERSIONS),
    "teams-graph": Form(
        "teams", teams_graph, texts=texts(without="\r"), is_sorted=True, **WITH_VERSIONS
    ),
    "skype": Form(
        "skype",
        skype,
        texts=texts(without="\r").filter(str.strip),  # who deletes a message edits it to nothing
        is_sorted=True,
        is_unique=True,
        has_replies=True,
        has_edit_times=True,
        cut_gives="last",
    ),
    "chatgpt": Form("chatgpt", chatgpt, names=ROLES, who=role_of),
    "claude": Form("claude", claude, names=st.sampled_from(["human", "assistant"]), who=role_of),
    "messenger": Form("messenger", meta, is_sorted=True, cut_gives="last"),
    "messenger-encrypted": Form("messenger", encrypted, is_sorted=True, is_unique=True),
    "instagram": Form("instagram", meta, is_sorted=True, cut_gives="last", pack=on_instagram),
    "signal-backup": Form(
        "signal", signal_backup, "main.jsonl", tick=MILLISECOND, is_cut_told=False, **WITH_VERSIONS
    ),
    "signal-rows": Form("signal", signal_rows, "data.json", has_versions=True, is_cut_told=False),
    "google-chat": Form("google_chat", google_chat, "messages.json", **WITH_VERSIONS),
    "rsmf-manifest": Form("rsmf", rsmf, "rsmf_manifest.json", **WITH_VERSIONS),
    "rsmf": Form("rsmf", rsmf, pack=in_mail, **WITH_VERSIONS),
}
