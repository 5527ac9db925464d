"""Real exports yield exactly what was counted in them by other means."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.infrastructure.readers.support import expectation, local_stamp, read, utc_stamp
from tests.support.data import SAMPLES, data_path

WHATSAPP = (
    *("android-de", "android-en-us-12h", "android-en-us-12h-oldspace", "android-es-pm"),
    *("android-iso-slash", "android-nl-dash", "ios-de", "ios-en-gb"),
)


@pytest.mark.parametrize("name", ["slack-export.zip", "telegram-result.json", "whatsapp-chat.zip"])
def test_the_bundled_samples_hold_what_their_expectation_says(name: str) -> None:
    expected = expectation(SAMPLES / "expect.json")[name]
    found = read(SAMPLES / name)
    stamp = local_stamp if expected["format"] == "whatsapp" else utc_stamp

    assert found.format == expected["format"]
    assert len(found.spoken) == expected["messages"]
    assert len(found.messages) - len(found.spoken) == expected["system"]
    assert len({m.author.id for m in found.spoken if m.author}) == expected["authors"]
    assert found.per_title() == expected["conversations"]
    assert min(map(stamp, found.spoken)) == expected["first"]
    assert max(map(stamp, found.spoken)) == expected["last"]
    assert found.digest(stamp) == expected["digest_sha256"]
    assert found.warnings == []


@pytest.mark.parametrize("pattern", WHATSAPP)
def test_whatsapp_in_every_locale_gives_the_counted_messages(pattern: str) -> None:
    folder = data_path("chitchat", "whatsapp")
    archives = expectation(folder / "expect.json")["archives"]
    expected = next(a for a in archives if a["locale_pattern"] == pattern)
    found = read(folder / expected["file"])

    assert found.format == "whatsapp"
    assert len(found.spoken) == expected["messages"]
    assert len(found.messages) - len(found.spoken) == expected["system_lines"]
    assert len({m.author for m in found.spoken}) == expected["speakers"]
    assert found.per_title() == expected["messages_per_channel"]
    assert min(map(local_stamp, found.spoken)) == expected["first_ts"]
    assert max(map(local_stamp, found.spoken)) == expected["last_ts"]
    assert {m.precision for m in found.messages} == {expected["timestamp_precision"]}
    assert found.digest(local_stamp) == expected["digest_sha256"]
    assert found.warnings == []


@pytest.mark.parametrize(
    ("folder", "file"),
    [
        ("telegram", "result.json"),
        ("slack", "slack-export.zip"),
        ("generic", "chat.csv"),
        ("generic", "chat.jsonl"),
    ],
)
def test_exports_with_utc_times_give_the_counted_messages(folder: str, file: str) -> None:
    path = data_path("chitchat", folder)
    expected = expectation(path / "expect.json")
    found = read(path / file)

    assert len(found.spoken) == expected["messages"]
    assert len({m.author for m in found.spoken}) == expected["speakers"]
    assert found.per_title() == expected["messages_per_channel"]
    assert min(map(utc_stamp, found.spoken)) == expected["first_ts"]
    assert max(map(utc_stamp, found.spoken)) == expected["last_ts"]
    assert found.digest(utc_stamp) == expected["digest_sha256"]
    assert found.warnings == []
    assert found.facts.unknown_keys == {}
    notices = expected.get("service_messages", expected.get("channel_join_messages", 0))
    assert len(found.messages) - len(found.spoken) == notices
    keys = Counter((m.conversation, m.key) for m in found.messages)
    assert max(keys.values()) == 1
    if folder == "slack":
        replies = [m for m in found.spoken if m.thread not in (None, m.key)]
        assert len(replies) == expected["thread_replies"]
        assert len({m.thread for m in replies}) == expected["threads_with_replies"]


def test_a_slack_export_of_2016_is_read_with_its_bots_files_and_comments() -> None:
    folder = data_path("fixtures", "slack-hfaran")
    expected = expectation(folder / "expect.json")
    found = read(folder / expected["file"])

    assert len(found.messages) == expected["message_events"]
    titles = {c.id: c.title for c in found.conversations}
    per_channel = Counter(titles[m.conversation] for m in found.messages)
    assert per_channel == expected["per_channel"]
    assert utc_stamp(min(found.messages, key=lambda m: m.sent_at)) == expected["first_ts"]
    assert utc_stamp(max(found.messages, key=lambda m: m.sent_at)) == expected["last_ts"]
    kinds = expected["by_subtype"]
    notices = kinds["channel_join"] + kinds["bot_add"]
    assert len(found.messages) - len(found.spoken) == notices
    # The expectation counts the author of a file comment, who is named elsewhere, as an eighth.
    assert len({m.author for m in found.messages}) == expected["authors"] - 1
    assert sum(bool(m.attachments) for m in found.messages) == 4
    assert all(m.text for m in found.messages)


def test_whatsapp_headers_of_another_parser_are_understood() -> None:
    folder = data_path("fixtures", "whatsapp-pustur")
    for case in expectation(folder / "expect.json")["cases"]:
        found = read(folder / case["file"])
        (message,) = found.spoken
        assert message.author is not None
        assert (case["author"], case["text"]) == (message.author.name, message.text), case["file"]
        assert local_stamp(message) == case["local_timestamp"], case["file"]


def test_whatsapp_structures_of_another_parser_are_understood() -> None:
    folder = data_path("fixtures", "whatsapp-pustur")
    for case in expectation(folder / "expect-structure.json"):
        found = read(folder / case["file"])
        assert len(found.spoken) == case["messages"], case["file"]
        if "text" in case:
            assert found.messages[0].text == case["text"]
        if "attachments" in case:
            names = [m.attachments[0].name if m.attachments else None for m in found.spoken]
            assert names == case["attachments"]


def test_one_chat_in_three_date_orders_is_the_same_chat() -> None:
    folder = data_path("fixtures", "chat-miner")
    expected = expectation(folder / "expect-whatsapp.json")
    for file in expected["files"]:
        found = read(folder / file)
        rows = [
            {"local_timestamp": local_stamp(m), "author": m.author.name, "text": m.text}
            for m in found.spoken
            if m.author
        ]
        assert rows == expected["messages_with_newlines_kept"], file
        assert len(found.messages) - len(rows) == expected["system_or_unparsed_lines"]


def test_a_telegram_chat_without_ids_is_read() -> None:
    folder = data_path("fixtures", "chat-miner")
    expected = expectation(folder / "expect-telegram-single.json")
    found = read(folder / expected["file"])
    rows = [(local_stamp(m), m.author.name if m.author else None) for m in found.spoken]
    assert rows == [(r["timestamp"], r["author"]) for r in expected["upstream_target"]]
    assert found.texts == ["Minimal Message", "Link:https://telegram.org/"]
    assert len({m.key for m in found.messages}) == 2


def test_the_fixtures_of_chatpack_are_read() -> None:
    folder = data_path("fixtures", "chatpack")
    expected = {case["file"]: case for case in expectation(folder / "expect.json")}
    telegram = read(folder / "telegram_simple.json")
    assert len(telegram.spoken) == expected["telegram_simple.json"]["messages"]
    assert telegram.texts[0] == expected["telegram_simple.json"]["first"]["text"]

    whatsapp = read(folder / "whatsapp_us.txt")
    case = expected["whatsapp_us.txt"]
    assert len(whatsapp.spoken) == case["messages_expected"]
    assert len(whatsapp.messages) - len(whatsapp.spoken) == case["system_lines"]
    assert set(case["senders_include"]) <= {m.author.name for m in whatsapp.spoken if m.author}

    discord = read(folder / "discord.csv")
    assert discord.format == "discord"
    assert len(discord.spoken) == expected["discord.csv"]["messages"]
    assert discord.texts[0] == expected["discord.csv"]["first"]["text"]
    assert discord.spoken[expected["discord.csv"]["attachments_on_row"] - 1].attachments
