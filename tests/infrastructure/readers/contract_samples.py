"""Small, sound exports of every format that is read: what contract tests and fuzzing begin with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from application.ports.chat_reader import ExportFile
from tests.infrastructure.readers import chatgpt_exports as chatgpt
from tests.infrastructure.readers import claude_exports as claude
from tests.infrastructure.readers import discord_exports as discord
from tests.infrastructure.readers import google_chat_exports as google
from tests.infrastructure.readers import line_exports, mbox_exports, meta_exports, signal_exports
from tests.infrastructure.readers import rsmf_exports as rsmf
from tests.infrastructure.readers import skype_exports as skype
from tests.infrastructure.readers import slack_dumps as dumps
from tests.infrastructure.readers import teams_exports as teams
from tests.infrastructure.readers.support import json_file, text_file, zip_file
from tests.infrastructure.readers.test_irc import IRSSI, MIRC, WEECHAT, ZNC
from tests.support.data import DATA, SAMPLES

TABLE = "time,author,text,conversation\n" + "".join(
    f'2024-01-15 10:{n:02}:00,{"Ann" if n % 2 else "Bób"},"hello, ""{n}""\nand more",Rome\n'
    for n in range(30)
)
LINES = "".join(
    json.dumps(
        {
            "timestamp": 1_705_314_600 + n,
            "author": "Ann",
            "text": f"grüß {n} 👋",
            "id": f"m{n}",
            "conversation": "Rome",
            "odd": [n],
        },
        ensure_ascii=n % 2 == 0,
    )
    + "\n"
    for n in range(30)
)
PLAIN = "".join(
    f"[2024-01-31 10:{n:02}] {'Ann' if n % 2 else 'Bob'}: hello {n}\nmore of it\n"
    for n in range(30)
)
TELEGRAM = {
    "name": "Rome",
    "type": "private_group",
    "id": 7,
    "messages": [
        {
            "id": n,
            "type": "message",
            "date_unixtime": f"{1_705_314_600 + n}",
            "from": "Ann",
            "from_id": "user1",
            "text": ["hi ", {"type": "bold", "text": f"{n}"}],
            "photo": "a.jpg",
            "reply_to_message_id": n - 1,
            "edited": "2024-01-15T10:31:00",
            "odd": {"x": [n]},
        }
        for n in range(1, 30)
    ],
}
WHATSAPP = "".join(
    f"[{n % 28 + 1:02}.02.24, 21:05:{n:02}] Ann: hello {n}\nand more 👋\n" for n in range(30)
)
MAILS = mbox_exports.mbox(
    *(
        mbox_exports.mail(f"hello {n}\n> quoted\n-- \nAnn", Message_ID=f"<{n}@x>", Subject="Röme")
        for n in range(10)
    ),
    mbox_exports.build("plain", "<p>x<br>y</p>").as_string().replace("<1@x>", "<two@x>"),
)
EVENTS = [
    rsmf.said(f"e{n}", f"hello {n}", reactions=[{"value": "x", "count": 1}]) for n in range(20)
]
GOOGLE = google.takeout(
    {
        "Users/User 1/user_info.json": {"user": google.ANN, "membership_info": []},
        "Groups/Space AAAA/group_info.json": {"name": "Rome", "members": [google.ANN, google.BOB]},
        "Groups/Space AAAA/messages.json": google.chat(
            *(google.said(n, f"hello *{n}*", annotations=[]) for n in range(20))
        ),
    }
)
SIGNAL = signal_exports.backup(
    *(signal_exports.said(f"hello {n}", n * 1000) for n in range(10)),
    signal_exports.revised("first", "second"),
)
SAID = [meta_exports.said(n, f"grüß {n}", reactions=[]) for n in range(20)]
WHISPERED = [meta_exports.whispered(n, f"grüß {n}") for n in range(20)]
INSTAGRAM = zip_file(
    {
        "your_instagram_activity/messages/inbox/ann_1/message_1.json": json.dumps(
            meta_exports.thread(*SAID, thread_path=None)
        )
    }
)

DISCORD = discord.chat(*(discord.said(n, f"hello **{n}** 👋") for n in range(1, 20)))
PACKAGE = discord.archive(
    {
        "messages/index.json": {"987654321000000000": "general in Rome"},
        "messages/c987654321000000000/channel.json": discord.CHANNEL,
        "messages/c987654321000000000/messages.json": discord.PACKAGED,
    }
)
TEAMS = [teams.said(n, f"<p>hello <b>{n}</b></p>") for n in range(20)]
ADMINISTRATORS = teams.administrators(
    {teams.posts_of(): [teams.posted(0)], teams.messages_of(teams.ANN): TEAMS}
)
CHATGPT = [
    chatgpt.line_of(*(chatgpt.said(n, f"hello {n}") for n in range(10))),
    chatgpt.conversation(
        chatgpt.tree({"n1": None, "n2": "n1", "n3": "n1"}), "n3", id="c2", conversation_id="c2"
    ),
]
CLAUDE = [
    claude.conversation(*(claude.said(n, f"hello {n}") for n in range(10))),
    claude.conversation(*claude.tree({11: None, 12: 11, 13: 11}), uuid="c2"),
]
DUMP = [
    dumps.thread(10 * n, dumps.said(10 * n + 1, f"grüß {n}"), dumps.said(10 * n + 2), odd=[n])
    for n in range(10)
]
SKYPE = skype.account(skype.chat(*(skype.said(n, f"hello <b>{n}</b>") for n in range(20))))


def shared(*names: str) -> list[Path]:
    """Those of the optional test data that are there."""
    return [path for name in names if (path := DATA / "fixtures" / name).is_file()]


SAMPLES_OF: dict[str, Sequence[Path | ExportFile]] = {
    "slack": [
        SAMPLES / "slack-export.zip",
        dumps.dump_file(*DUMP),
        *shared("slack-hfaran/testarchive.zip"),
    ],
    "telegram": [json_file(TELEGRAM), *shared("chatpack/telegram_simple.json")],
    "whatsapp": [text_file(WHATSAPP, "_chat.txt"), *shared("chat-miner/test_ddmmyy_24hrs.txt")],
    "discord": [
        json_file(DISCORD, "general.json"),
        discord.table(discord.row("a"), discord.row("b\nc")),
        discord.below(discord.text_said("a"), discord.text_said("b")),
    ],
    "discord_package": [PACKAGE],
    "teams": [json_file(TEAMS, "messages.json"), ADMINISTRATORS],
    "skype": [json_file(SKYPE, "messages.json")],
    "chatgpt": [json_file(CHATGPT, "conversations.json")],
    "claude": [json_file(CLAUDE, "conversations.json")],
    "messenger": [
        json_file(meta_exports.thread(*SAID), "message_1.json"),
        json_file(meta_exports.encrypted(*WHISPERED), "Ann_40.json"),
    ],
    "instagram": [INSTAGRAM, *shared("chatpack/instagram.json")],
    "signal": [SIGNAL, signal_exports.rows(signal_exports.row(), signal_exports.row(body="x"))],
    "google_chat": [GOOGLE],
    "line": [text_file(line_exports.GROUP), text_file(line_exports.JAPANESE)],
    "rsmf": [rsmf.manifest_file(*EVENTS), rsmf.rsmf(*EVENTS), *shared("rsmf/sample2-rsmf.zip")],
    "mbox": [MAILS, *shared("mbox/mbox_single.mbox")],
    "jsonl": [text_file(LINES, "chat.jsonl")],
    "json": [json_file([json.loads(line) for line in LINES.splitlines()], "chat.json")],
    "csv": [text_file(TABLE, "chat.csv")],
    "irc": [
        *(text_file(log, "#rome_20240131.log") for log in (IRSSI, WEECHAT, MIRC)),
        text_file(ZNC + "[22:45:00] <Ann> hello\n" * 20, "#rome_20240131.log"),
    ],
    "text": [text_file(PLAIN, "chat.log")],
}
