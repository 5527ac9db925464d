"""What nobody wrote but readers meet: broken, strange and malicious variants of a sample."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

from infrastructure.readers.testing.files import GrownFile

SAMPLE_BYTES = 16 * 1024  # of a sample; its beginning shows the format
DEEP = 200_000  # levels
LIST_LENGTH = 40  # of lists in JSON whose values are changed
_JUNK: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 10**30, 1e300, float("inf"), float("nan"), "", "x", "\0", "\ud800"),
    *("9" * 400, [], [[]], {}, {"id": 1}, ["x", {"text": 1}], [None], {"": None}, "1e999"),
    *("2024-13-45", "2024-01-01T25:61:61Z", "-1", "\u0663\u0664", {"text": {"text": []}}),
)
# Put into the middle of a line, a word or a number.
_POISONS: dict[str, bytes] = {
    "NUL": b"\0",
    "half a character, in UTF-8": b"\xed\xa0\x80",
    "half a character, escaped": b"\\ud800",
    "bytes that are no UTF-8": b"\xff\xfe\xc3",
    "a byte order mark": b"\xef\xbb\xbf",
    "a number without bounds": b"1e999",
    "a number of 5,000 digits": b"9" * 5000,
    "digits of another script": "\u0661\u0662\u06f3\uff14".encode(),
    "a quotation mark": b'"',
    "a backslash": b"\\",
    "a carriage return": b"\r",
    "line ends of Unicode": "\u2028\u2029\x85\v\f".encode(),
    "a change of direction": "\u202e\u2066\u200f".encode(),
    "letters that grow in lower case": "\u0130\u1e9e\ufb03".encode() * 50,
    "deep lists": b"[" * DEEP,
    "deep objects": b'{"a":' * (DEEP // 5),
    "marks of markup": b"<*_~`[(>&:" * 4000,
    "opening marks": b"<" * 30_000,
    "brackets": b"(" * 30_000,
    "quoted quotes": b'""' * 20_000,
    "spaces": b" " * 60_000,
    "tabs": b"\t" * 60_000,
    "line ends": b"\n" * 60_000,
    "colons": b": " * 20_000,
    "commas": b"," * 60_000,
    "letters": b"x" * 120_000,
}


def hostile(sample: bytes, seeds: range, *, everywhere: bool) -> Iterator[tuple[str, bytes]]:
    """
    Named variants of a sample, the same ones each time.

    Args:
        seeds: how often chance damages it.
        everywhere: puts each odd piece into a word, a number and before a line, not into one of
            them.
    """
    values = _values(sample)
    sample = sample[:SAMPLE_BYTES]
    yield from _of_nothing()
    yield from _in_other_encodings(sample)
    for name, poison in _POISONS.items():
        chance = random.Random(name)
        places = list(_places(sample, chance))
        for place, at in places if everywhere or not places else [chance.choice(places)]:
            yield f"{name} {place}", sample[:at] + poison + sample[at:]
    for seed in seeds:
        chance = random.Random(seed)
        yield f"random damage, seed {seed}", _damaged(sample, chance)
        yield f"lines in disorder, seed {seed}", _disordered(sample, chance)
        if values:
            changed = [_dumped(_with_junk(value, chance)) for value in values]
            yield f"values of the wrong kind, seed {seed}", b"\n".join(changed)


def huge(sample: bytes, length: int, name: str) -> Iterator[tuple[str, GrownFile]]:
    """The same with a stretch of so many bytes inside, which take no room."""
    sample = sample[:SAMPLE_BYTES]
    middle = dict(_places(sample, random.Random(0))).get("in a word", len(sample) // 2)
    line_end = sample.find(b"\n", len(sample) // 2) + 1
    for what, unit, at in (
        ("one line", b"x", middle),
        ("lines of nothing", b" \n", middle),
        ("quotation marks", b'"', middle),
        ("deep lists", b"[", middle),
        ("its own lines again and again", sample[:line_end] or sample, line_end),
    ):
        yield what, GrownFile(sample[:at], unit, length, sample[at:], name)


def _of_nothing() -> Iterator[tuple[str, bytes]]:
    yield "one byte", b"{"
    yield "white space", b" \n\t\r\n" * 100
    yield "only NUL", b"\0" * 4096
    yield "only a byte order mark", b"\xff\xfe"
    yield "random bytes", random.Random(0).randbytes(SAMPLE_BYTES)
    yield "an empty list", b"[]"
    yield "an empty object", b"{}"
    yield "a list of nothing", b"[null" + b",null" * 1000 + b"]"


def _in_other_encodings(sample: bytes) -> Iterator[tuple[str, bytes]]:
    text = sample.decode("utf-8", "replace")
    for encoding in ("utf-16", "utf-16-be", "utf-32", "cp1252"):
        encoded = text.encode(encoding, "replace")
        yield f"in {encoding}", encoded
        yield f"in {encoding}, cut off in a character", encoded[: len(encoded) // 2 | 1]
    lines = text.splitlines(keepends=True)
    encodings = ("utf-8", "cp1252", "utf-16-le", "shift-jis")
    mixed = [
        line.encode(encodings[number % len(encodings)], "replace")
        for number, line in enumerate(lines)
    ]
    yield "in an encoding for each line", b"".join(mixed)


def _places(sample: bytes, chance: random.Random) -> Iterator[tuple[str, int]]:
    """One of each kind, somewhere in the sample."""
    kinds: dict[str, list[int]] = {"in a word": [], "in a number": [], "at the start of a line": []}
    for at in range(1, len(sample)):
        before, after = sample[at - 1 : at], sample[at : at + 1]
        if before.isalpha() and after.isalpha():
            kinds["in a word"].append(at)
        elif before.isdigit() and after.isdigit():
            kinds["in a number"].append(at)
        elif before == b"\n":
            kinds["at the start of a line"].append(at)
    for kind, found in kinds.items():
        if found:
            yield kind, chance.choice(found)


def _damaged(sample: bytes, chance: random.Random) -> bytes:
    data = bytearray(sample)
    for _ in range(chance.randrange(1, 20)):
        if not data:
            break
        at, length = chance.randrange(len(data)), chance.choice((1, 1, 2, 7, 300))
        match chance.randrange(4):
            case 0:
                data[at] = chance.randrange(256)
            case 1:
                del data[at : at + length]
            case 2:
                data[at:at] = data[at : at + length]
            case _:
                data[at : at + length] = chance.randbytes(length)
    return bytes(data)


def _disordered(sample: bytes, chance: random.Random) -> bytes:
    lines = sample.splitlines(keepends=True)
    for _ in range(chance.randrange(1, 10)):
        one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
        match chance.randrange(3):
            case 0:
                lines[one], lines[other] = lines[other], lines[one]
            case 1:
                lines.insert(one, lines[other])
            case _ if len(lines) > 1:
                del lines[one]
            case _:
                pass
    return b"".join(lines)


def _values(sample: bytes) -> list[Any]:
    """The values of JSON, or of lines of it, with the beginnings of its lists; [] if it is none."""
    try:
        return [_shortened(json.loads(sample))]
    except ValueError:
        lines = [line for line in sample.splitlines()[:LIST_LENGTH] if line.strip()]
    try:
        return [json.loads(line) for line in lines]
    except ValueError:
        return []


def _shortened(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _shortened(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_shortened(inner) for inner in value[:LIST_LENGTH]]
    return value


def _dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


def _with_junk(value: Any, chance: random.Random) -> Any:
    """A copy in which some values, at any depth, are others."""
    if chance.random() < 0.03:
        return chance.choice(_JUNK)
    if isinstance(value, dict):
        changed = {key: _with_junk(inner, chance) for key, inner in value.items()}
        if changed and chance.random() < 0.05:
            changed.pop(chance.choice(list(changed)))
        return changed
    if isinstance(value, list):
        return [_with_junk(inner, chance) for inner in value]
    return value
