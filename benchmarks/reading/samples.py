"""The real exports, unpacked, and files of any size made of their messages."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count, cycle
from pathlib import Path
from typing import Any

import orjson

MEGABYTE = 1_000_000
_FIRST = 1_500_000_000_000  # milliseconds since 1970


@dataclass(frozen=True)
class Sample:
    """An export whose members are not compressed: what is measured is reading, not inflating."""

    format: str
    members: dict[str, bytes]
    documents: list[bytes]  # the JSON texts in it; empty if it is of another kind

    def write(self, folder: Path) -> Path:
        if len(self.members) == 1:
            (name, data) = next(iter(self.members.items()))
            path = folder / Path(name).name
            path.write_bytes(data)
            return path
        path = folder / f"{self.format}.zip"
        _pack(path, self.members.items())
        return path


def real(format: str, data: Path) -> Sample:
    chats = data / "chitchat"
    if format == "telegram":
        document = (chats / "telegram" / "result.json").read_bytes()
        return Sample(format, {"result.json": document}, [document])
    if format == "irc":
        logs = sorted((data / "irc" / "ubuntu").glob("*.txt"))
        return Sample(format, {log.name: log.read_bytes() for log in logs}, [])
    if format == "whatsapp":
        texts = _unpacked(chats / "whatsapp" / "android-de.zip", ".txt")
        largest = max(texts, key=lambda name: len(texts[name]))
        return Sample(format, {largest: texts[largest]}, [])
    if format == "signal":
        rows = _unpacked(chats / "signal" / "signal-export.zip", "data.json")
        lines = [line for member in rows.values() for line in member.splitlines()]
        return Sample(format, rows, lines)
    archives = {
        "slack": "slack-export.zip",
        "discord": "discord-json.zip",
        "messenger": "facebook-messages.zip",
    }
    members = _unpacked(chats / format / archives[format], ".json")
    return Sample(format, members, list(members.values()))


def grow(format: str, data: Path, folder: Path, size: int) -> Path:
    """An export of about `size` bytes: the real messages again and again, with ids of their own."""
    sample = real(format, data)
    makers: dict[str, Callable[[Sample, int, Path], Path]] = {
        "telegram": _telegram,
        "slack": _slack,
        "discord": _discord,
        "messenger": _messenger,
        "signal": _signal,
        "whatsapp": _whatsapp,
        "irc": lambda _, size, folder: _irc(data, size, folder),
    }
    return makers[format](sample, size, folder)


def documents(path: Path, format: str) -> list[bytes]:
    """The JSON texts in an archive of Messenger or Signal."""
    members = _unpacked(path, ".json").values()
    if format == "signal":
        return [line for member in members for line in member.splitlines()]
    return list(members)


def _telegram(sample: Sample, size: int, folder: Path) -> Path:
    chats = orjson.loads(sample.documents[0])["chats"]["list"]
    bodies = _without(("id",), (one for chat in chats for one in chat["messages"]))
    messages = (b'{"id":%d,%b' % (n, body) for n, body in zip(count(1), cycle(bodies)))
    head = b'{"name":"Room","type":"private_supergroup","id":7,"messages":['
    return _write(folder / "result.json", _list(head, messages, size))


def _discord(sample: Sample, size: int, folder: Path) -> Path:
    exports = [orjson.loads(document) for document in sample.documents]
    bodies = _without(("id",), (one for export in exports for one in export["messages"]))
    head = orjson.dumps({key: exports[0][key] for key in ("guild", "channel", "dateRange")})
    messages = (
        b'{"id":"%d",%b' % (434438668288000000 + (n << 22), body)
        for n, body in zip(count(), cycle(bodies))
    )
    return _write(folder / "room.json", _list(head[:-1] + b',"messages":[', messages, size))


def _slack(sample: Sample, size: int, folder: Path) -> Path:
    """Day files of a megabyte, so that a large export has thousand days."""
    days = (data for name, data in sample.members.items() if "/" in name)
    bodies = _without(("ts",), (one for day in days for one in orjson.loads(day)))
    messages = (
        b'{"ts":"%d.000100",%b' % (1_500_000_000 + n, body)
        for n, body in zip(count(), cycle(bodies))
    )
    members = {name: data for name, data in sample.members.items() if "/" not in name}
    members["channels.json"] = b'[{"id":"C1","name":"room","members":[]}]'

    def all_members() -> Iterator[tuple[str, bytes]]:
        yield from members.items()
        for day in range(max(size // MEGABYTE, 1)):
            name = f"room/{_date(day)}.json"
            yield name, b"".join(_list(b"[", messages, MEGABYTE, b"]"))

    path = folder / "slack.zip"
    _pack(path, all_members())
    return path


def _messenger(sample: Sample, size: int, folder: Path) -> Path:
    """Files of 10,000 messages, the newest first, as Meta writes them."""
    threads = [orjson.loads(document) for document in sample.documents]
    written = [one for thread in threads for one in thread.get("messages", ())]
    bodies = cycle(_without(("timestamp_ms",), written))
    head = orjson.dumps({"participants": threads[0]["participants"]})[:-1] + b',"messages":['
    tail = b'],"title":"Room","thread_path":"inbox/room_1","is_still_participant":true}'
    stamps = count(_FIRST + 10_000_000_000, -1000)

    def members() -> Iterator[tuple[str, bytes]]:
        number = done = 0
        while done < size:
            number += 1
            messages = [
                b'{"timestamp_ms":%d,%b' % (next(stamps), next(bodies)) for _ in range(10_000)
            ]
            data = head + b",".join(messages) + tail
            done += len(data)
            yield f"messages/inbox/room_1/message_{number}.json", data

    path = folder / "messenger.zip"
    _pack(path, members())
    return path


def _signal(sample: Sample, size: int, folder: Path) -> Path:
    block = b"\n".join(sample.documents) + b"\n"
    years = cycle(range(2018, 2098))  # so that messages are not equal
    path = folder / "signal.zip"
    with (
        zipfile.ZipFile(path, "w") as archive,
        archive.open("Room/data.json", "w", force_zip64=True) as target,
    ):
        for _ in range(-(-size // len(block))):
            target.write(block.replace(b'"date": "2018-', b'"date": "%d-' % next(years)))
    return path


def _whatsapp(sample: Sample, size: int, folder: Path) -> Path:
    block = next(iter(sample.members.values())).rstrip(b"\n") + b"\n"
    years = cycle(range(18, 98))  # so that messages are not equal
    blocks = (one.replace(b".18, ", b".%d, " % next(years)) for one in _repeated(block, size))
    return _write(folder / "WhatsApp Chat with Room.txt", blocks)


def _irc(data: Path, size: int, folder: Path) -> Path:
    """One log of a client that goes on for years."""
    logs = sorted((data / "irc" / "irssi").glob("*"))
    block = max((log.read_bytes() for log in logs if log.is_file()), key=len).rstrip(b"\n") + b"\n"
    return _write(folder / "#room.log", _repeated(block, size))


def _repeated(block: bytes, size: int) -> Iterator[bytes]:
    return (block for _ in range(-(-size // len(block))))


def _without(keys: tuple[str, ...], objects: Iterable[dict[str, Any]]) -> list[bytes]:
    """The objects as JSON, without a few keys and the bracket at the beginning."""
    return [
        orjson.dumps({key: value for key, value in one.items() if key not in keys})[1:]
        for one in objects
        if all(key in one for key in keys)
    ]


def _list(
    head: bytes, elements: Iterator[bytes], size: int, tail: bytes = b"]}"
) -> Iterator[bytes]:
    yield head
    done = 0
    for element in elements:
        yield element if done == 0 else b"," + element
        done += len(element)
        if done >= size:
            break
    yield tail


def _date(day: int) -> str:
    return str(date(2017, 7, 14) + timedelta(days=day))


def _write(path: Path, parts: Iterable[bytes]) -> Path:
    with path.open("wb") as target:
        for part in parts:
            target.write(part)
    return path


def _pack(path: Path, members: Iterable[tuple[str, bytes]]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members:
            archive.writestr(name, data)


def _unpacked(path: Path, ending: str) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name.endswith(ending)}
