"""Generated requests: documents and bodies that are nearly right, and some that are not at all."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any
from uuid import UUID

from graphql import (
    GraphQLArgument,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLSchema,
    OperationType,
    get_named_type,
    is_composite_type,
    is_enum_type,
    is_input_object_type,
    is_interface_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
    is_union_type,
)

UUIDS = [str(UUID(int=0)), str(UUID(int=2**128 - 1)), "00000000-0000-4000-8000-00000000000g"]
TEXTS = [
    "",
    " ",
    "default",
    "sailing",
    "nowhere",
    "x" * 300,
    "x" * 11_000,
    "\u2028\u202e\ufeff",
    "😀" * 50,
    "e\u0301",
    "'; DROP TABLE log.archive_events; --",
    "%_\\",
    "$1 %s {} {0} %(name)s",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "\x01\x1f\x7f",
    "a & | ! <-> :* 'b",
    "0000-00-00",
    "2024-02-30T25:61:61Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "10000-01-01T00:00:00Z",
    "infinity",
    "Upload:",
    "Upload:x",
    "Message:99999999999999999999",
    "Message:-1",
    "Workspace:" + UUIDS[0],
    "Conversation:" + UUIDS[1],
    base64.urlsafe_b64encode(b'["a"]').decode(),
    base64.urlsafe_b64encode(b"[" * 500).decode(),
    base64.urlsafe_b64encode(b'["2024-01-01T00:00:00Z", 99999999999999999999]').decode(),
    "sha256:" + "0" * 64,
    *UUIDS,
]
NUMBERS = [0, 1, -1, 3, 100, 101, 2**31 - 1, 2**31, -(2**31) - 1, 2**53, 2**63, 2**64, 10**30]
LITERALS = [
    "null",
    "true",
    "[]",
    "{}",
    "[[[1]]]",
    "{a: {b: $v}}",
    "ENUM",
    "$v",
    "$missing",
    "1.5e308",
    "1e999",
    "-0",
    '"\\u0000"',
    '"\\ud800"',
    '"\\u{110000}"',
    '"""block \\""" """',
    "[" + "1," * 150 + "]",
]
WIDE_ENCODINGS = ["utf-16", "utf-32"]
HEADS = ["", " Q", " Q($v: Int)", ' Q($v: ID = "x")', " Q($v: A)"]
PIECES = [
    *'{}()[]:!$@=|&,#"\\',
    "...",
    "on",
    "fragment F on Query {__typename}",
    "...F",
    "__typename",
    "__schema {types {name}}",
    "@skip(if: true)",
    "@include(if: $v)",
    "@deprecated",
    "query Q",
    "mutation",
    "subscription",
    '"""',
    "\ufeff",
    "\x00",
    "\ud7ff",
    "é",
    "type A {b: C}",
    "extend schema @a",
]


class Documents:
    """
    Args:
        random: seeded, so that a failure can be repeated.
    """

    def __init__(
        self, schema: GraphQLSchema, random: Random, *, has_subscriptions: bool = False
    ) -> None:
        self._schema = schema
        self._random = random
        self._shares = [6, int(schema.mutation_type is not None), 3 * has_subscriptions]

    def next(self) -> dict[str, Any]:
        """A request's payload: most are valid in part, some are what a typo makes of them."""
        random = self._random
        operation = random.choices(["query", "mutation", "subscription"], self._shares)[0]
        root = self._schema.get_root_type(OperationType(operation))
        assert root is not None
        head = operation + random.choices(HEADS, [8, 4, 1, 1, 1])[0]
        text = f"{head} {self._selections(root, random.randint(1, 6))}"
        for _ in range(random.choice([0, 0, 0, 1, 1, 8])):
            text = self._damaged(text)
        return {
            "query": text,
            "variables": random.choice([None, {}, {"v": self._json(3)}, {"v": 1}]),
            "operationName": random.choices([None, "Q", "Other"], [18, 1, 1])[0],
        }

    def _selections(self, kind: GraphQLNamedType, depth: int) -> str:
        random = self._random
        if is_union_type(kind):
            return f"{{__typename {' '.join(self._on(one, depth) for one in kind.types[:3])}}}"
        if is_interface_type(kind):
            types = random.sample(list(self._schema.get_possible_types(kind)), 1)
            return f"{{__typename {' '.join(self._on(one, depth) for one in types)}}}"
        if not is_object_type(kind):
            return ""
        names = list(kind.fields)
        chosen = random.sample(names, min(len(names), random.randint(1, 3)))
        return "{" + " ".join(["__typename", *(self._field(kind, n, depth) for n in chosen)]) + "}"

    def _on(self, kind: GraphQLNamedType, depth: int) -> str:
        return f"... on {kind.name} {self._selections(kind, depth)}"

    def _field(self, parent: Any, name: str, depth: int) -> str:
        field = parent.fields[name]
        kind = get_named_type(field.type)
        if is_composite_type(kind) and depth <= 0:
            return "__typename"
        given = [
            f"{argument}: {self._argument(argument, definition)}"
            for argument, definition in field.args.items()
            if is_required(definition) or self._random.random() < 0.3
        ]
        arguments = f"({', '.join(given)})" if given else ""
        inner = self._selections(kind, depth - 1) if is_composite_type(kind) else ""
        alias = f"a{self._random.randint(0, 5)}: " if self._random.random() < 0.1 else ""
        return f"{alias}{name}{arguments} {inner}"

    def _argument(self, name: str, definition: GraphQLArgument) -> str:
        if name == "minPosition":  # whoever names one that is far ahead wants to wait
            return str(self._random.choice([-1, 0, 1, 2**53, "null", '"1"']))
        return self._value(definition)

    def _value(self, definition: Any) -> str:
        random = self._random
        if random.random() < 0.12:
            return str(random.choice(LITERALS))
        kind = definition.type
        if is_non_null_type(kind):
            kind = kind.of_type
        if is_list_type(kind):
            inner = GraphQLArgument(kind.of_type)
            return f"[{', '.join(self._value(inner) for _ in range(random.randint(0, 3)))}]"
        if is_enum_type(kind):
            return str(random.choice(list(kind.values)))
        if is_input_object_type(kind):
            return self._input(kind)
        if kind.name in {"Int", "BigInt", "Float"}:
            return str(random.choice(NUMBERS))
        if kind.name == "Boolean":
            return str(random.choice(["true", "false"]))
        return str(json.dumps(random.choice(TEXTS)))

    def _input(self, kind: GraphQLInputObjectType) -> str:
        fields = [
            f"{name}: {self._value(field)}"
            for name, field in kind.fields.items()
            if is_non_null_type(field.type) or self._random.random() < 0.5
        ]
        return "{" + ", ".join(fields) + "}"

    def _damaged(self, text: str) -> str:
        random = self._random
        start = random.randrange(len(text) + 1)
        end = min(len(text), start + random.choice([0, 1, 1, 2, 10, 60]))
        cut = text[start:end]
        middle: str = random.choice(["", random.choice(PIECES), cut * 2, cut[::-1]])
        return text[:start] + middle + text[end:]

    def _json(self, depth: int) -> Any:
        random = self._random
        if depth and random.random() < 0.3:
            return [self._json(depth - 1) for _ in range(random.randint(0, 4))]
        if depth and random.random() < 0.3:
            return {random.choice(TEXTS)[:50]: self._json(depth - 1) for _ in range(2)}
        return random.choice([None, True, 1.5, random.choice(NUMBERS[:10]), random.choice(TEXTS)])


def is_required(argument: GraphQLArgument) -> bool:
    has_default = argument.default is not None or argument.default_value is not None
    return is_non_null_type(argument.type) and not (has_default and argument.default_value)


class Bodies:
    """Of requests, damaged as bytes; from documents that are damaged as text."""

    def __init__(self, documents: Documents, random: Random) -> None:
        self._documents = documents
        self._random = random
        self._damages: list[Callable[[bytes], bytes]] = [
            lambda body: body[: random.randrange(len(body) + 1)],
            lambda body: body + random.choice([b"\x00", b"}", b"{}", b"\xff", b" ", b"//"]),
            lambda body: random.choice([b"\xef\xbb\xbf", b"[", b"\x1f\x8b", b"null,"]) + body,
            lambda body: body.replace(b'"', b"'", random.randint(1, 9)),
            lambda body: body.replace(b":", random.choice([b"=", b"", b"::"]), 1),
            lambda body: body.replace(b"null", random.choice([b"[]", b"NaN", b"1e999", b'"x"'])),
            lambda body: body.replace(
                b'"query"', random.choice([b'"Query"', b"5", b'"query":1,""'])
            ),
            lambda body: b"[" + body + b"]",
            lambda body: body.decode("utf-8", "replace").encode(
                random.choice(["utf-16", "utf-32"])
            ),
            lambda _: random.randbytes(random.randint(0, 300)),
            lambda _: random.choice([b"", b"0", b'""', b"null", b"[]", b"{}", b"[{}]", b"{" * 99]),
            self._with_a_byte_changed,
        ]

    def next(self) -> bytes:
        body = json.dumps(self._documents.next()).encode("utf-8", "replace")
        for _ in range(self._random.choice([1, 1, 2, 4])):
            body = self._random.choice(self._damages)(body)
        return body

    def _with_a_byte_changed(self, body: bytes) -> bytes:
        changed = bytearray(body)
        for _ in range(min(len(body), self._random.choice([1, 3, 20]))):
            changed[self._random.randrange(len(changed))] = self._random.randrange(256)
        return bytes(changed)


def headers(random: Random) -> Iterator[tuple[str, str]]:
    """Some of a request's headers, as programs with faults may send them."""
    kinds = [
        "application/json",
        "APPLICATION/JSON; charset=UTF-8",
        "application/json; charset=" + random.choice(["utf-7", "x", '"', ""]),
        "text/plain",
        random.choice(["", ";", "/", "a/b/c", "\xe9", "application/json" * 9]),
    ]
    yield "content_type", random.choices(kinds, [9, 2, 1, 1, 1])[0]
    accepts = ["*/*", "application/graphql-response+json", "application/json;q=x", "q=0", "\xff,,"]
    if random.random() < 0.6:
        yield "accept", random.choice(accepts)
    if random.random() < 0.1:
        yield "content_encoding", random.choice(["gzip", "identity", "", "\xff"])
    if random.random() < 0.05:
        yield "origin", random.choice(["null", "http://127.0.0.1", "x", "http://[", "\xff"])
