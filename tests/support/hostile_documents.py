"""Requests that would occupy a GraphQL server for long, if it did what they ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from graphql import (
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_object_type,
)

Document = str | tuple[str, Mapping[str, Any]]  # with variables
MANY = 190  # of what takes five tokens each: as many as there may be tokens


def times(text: str, count: int) -> str:
    """`#` in the text becomes a number."""
    return " ".join(text.replace("#", str(number)) for number in range(count))


def spread(fragment: str, count: int, *, root: str = "Query") -> str:
    """A query that uses so many fragments; `#` in the text becomes a number."""
    fragments = times(f"fragment F# on {root} {{{fragment}}}", count)
    return f"{{{times('...F#', count)}}} {fragments}"


def doubling(fragments: int, leaf: str = "__typename") -> str:
    """Each uses the next one twice: written out, 2 to the power of `fragments` fields."""
    links = "".join(f"fragment F{n} on Query{{...F{n + 1} ...F{n + 1}}}" for n in range(fragments))
    return "{...F0}" + links + f"fragment F{fragments} on Query{{{leaf}}}"


def cycle(length: int) -> str:
    links = "".join(f"fragment F{n} on Query{{...F{(n + 1) % length}}}" for n in range(length))
    return "{...F0}" + links


DEEP: Mapping[str, Document] = {
    "fields that never end": "{a" * 300,
    "fields in fields": "{a" * 190 + "}" * 190,
    "inline fragments in each other": "{" + "...{" * 150 + "__typename" + "}" * 151,
    "inline fragments with a type": "{" + "...on Query{" * 120 + "__typename" + "}" * 121,
    "lists in lists": "{a(x:" + "[" * 400 + "]" * 400 + ")}",
    "objects in objects": "{a(x:" + "{a:" * 240 + "1" + "}" * 240 + ")}",
    "types in types": "query($a:" + "[" * 400 + "Int" + "]" * 400 + "){__typename}",
    "fragments in a row, 49 levels": "{...F0}"
    + "".join(f"fragment F{n} on Query{{...{{...F{n + 1}}}}}" for n in range(48))
    + "fragment F48 on Query{__typename}",
    "one type within itself": "{__type(name:" + '"Query")' + "{ofType" * 100 + "{name}" + "}" * 101,
}
FRAGMENTS: Mapping[str, Document] = {
    "fragments that double, 4 thousand fields": doubling(12),
    "fragments that double, more than atoms": doubling(45),
    "fragments that double, introspecting": doubling(12, "__schema{types{name}}"),
    "a fragment within itself": "{...A} fragment A on Query {...A}",
    "two fragments within each other": cycle(2),
    "a long circle of fragments": cycle(45),
    "a fragment that is missing, often": f"{{{times('...M#', 400)}}}",
    "more fragments than there may be": spread("__typename", 110),
    "fragments that nobody uses": "{__typename}" + times("fragment F# on Query{a}", 120),
}
WIDE: Mapping[str, Document] = {
    "1,000 aliases": f"{{{times('a#:__typename', 1000)}}}",
    "330 aliases": f"{{{times('a#:__typename', 330)}}}",
    "aliases in fragments": spread("a#:__typename", 20),
    "the name of the type, 900 times": "{" + "__typename " * 900 + "}",
    "one field, 450 times": "{" + "workspaces{id} " * 200 + "}",
    "one field in nested sets": "{" + ("workspaces{" + "id name " * 14 + "} ") * 12 + "}",
    "one field in many fragments": spread("workspaces{id name}", 49),
    "many fields in many fragments": spread("workspaces{id name createdAt position}", 40),
    "fields that contradict each other": f"{{{times('a:upload(id:#){id}', 100)}}}",
    "contradictions at the bottom": f"{{{times('a:__type(name:#){ofType{ofType{a:name}}}', 40)}}}",
    "900 fields that do not exist": f"{{{times('workspacez#', 900)}}}",
    "400 fields that nearly exist": f"{{{times('workspacesWorkspaces#', 400)}}}",
    "types that nearly exist": spread("a", 49, root="WorkspaceConnectionEdge#"),
    "arguments that do not exist": f"{{upload({times('idid#:1', 300)}){{id}}}}",
    "types of variables that do not exist": "query("
    + times("$v#:WorkspaceConnectionEdge#", 45)
    + "){__typename}",
    "more operations than there may be": times("query Q#{__typename}", 200),
    "anonymous operations": "{__typename}" * 200,
    "operations that all use all fragments": times("query Q#{...F0}", 10)
    + "".join(f"fragment F{n} on Query{{...F{n + 1} x{n}}}" for n in range(49))
    + "fragment F49 on Query{y}",
    "more variables than there may be": f"query({times('$v#:Int=1', MANY)}){{__typename}}",
    "variables with long lists": "query(" + times("$v#:[Int]=[1,2,3,4]", 80) + "){__typename}",
    "one directive on a field, often": "{__typename" + "@skip(if:false)" * 160 + "}",
    "unknown directives on a field": "{__typename" + times("@skipp#", 450) + "}",
    "directives on many fields": "{" + times("__typename@include(if:true)", 90) + "}",
    "directives on the operation": "query" + times("@a#(x:[1,2])", 90) + "{__typename}",
}
LONG: Mapping[str, Document] = {
    "a string of 200 KB": '{upload(id:"' + "a" * 200_000 + '"){id}}',
    "a string of 15 KB": '{upload(id:"' + "a" * 15_000 + '"){id}}',
    "a block string of 250,000 lines": '{upload(id:"""' + "\n" * 250_000 + '"""){id}}',
    "a block string of 6,000 lines": '{upload(id:"""' + "a \n" * 6_000 + '"""){id}}',
    "unicode escapes": '{upload(id:"' + "\\u0041" * 40_000 + '"){id}}',
    "unicode escapes of 19 KB": '{upload(id:"' + "\\u0041" * 3_000 + '", no: 1){id}}',
    "a string that never ends": '{upload(id:"' + "a" * 19_000,
    "a comment of 250 KB": "#" + "a" * 250_000 + "\n{__typename}",
    "100,000 comments": "#\n" * 100_000 + "{__typename}",
    "9,000 comments": "#\n" * 9_000 + "{__typename}",
    "nothing but blanks": " " * 250_000 + "{__typename}",
    "nothing but commas": "," * 250_000 + "{__typename}",
    "byte order marks": "\ufeff" * 80_000 + "{__typename}",
    "a name of 19 KB": "{" + "a" * 19_000 + "}",
    "a long alias": "{" + "a" * 5_000 + ":__typename}",
    "a long name of a variable": "query($" + "a" * 10_000 + ":Int){__typename}",
    "a long name of a fragment": "{..." + "a" * 9_000 + "}",
    "a long name of an operation": "query " + "a" * 9_000 + "{__typename}",
    "an integer of 5,000 digits": "{upload(id:" + "9" * 5_000 + "){id}}",
    "a number of 5,000 digits": "{upload(id:0." + "9" * 5_000 + "){id}}",
    "an exponent of 500 digits": "{upload(id:1e" + "9" * 500 + "){id}}",
    "a list of 900 numbers": "{upload(id:[" + "1 " * 900 + "]){id}}",
}
VARIABLES: Mapping[str, Document] = {
    "a list of 10,000 ids": ("query($a:[ID!]){upload(id:$a){id}}", {"a": ["x"] * 10_000}),
    "an unused list of 10,000 ids": ("{__typename}", {"a": ["x"] * 10_000}),
    "lists of 50 in lists of 50": ("{__typename}", {"a": [[[1] * 50] * 50]}),
    "a string of 200,000 characters": ("{__typename}", {"a": "x" * 200_000}),
    "5,000 variables": ("{__typename}", {f"v{number}": number for number in range(5_000)}),
    "objects 60 deep": ("{__typename}", {"a": orjson.loads('{"a":' * 60 + "1" + "}" * 60)}),
    "a name of 100,000 characters": ("{__typename}", {"a" * 100_000: 1}),
    "a character that cannot be stored": ("query($i:ID!){upload(id:$i){id}}", {"i": "\x00"}),
}
INTROSPECTION: Mapping[str, Document] = {
    "types of fields of types": "{__schema{types{fields{type{fields{type{fields{type{name}}}}}}}}}",
    "types of fields, 10 times": "{"
    + times("a#:__schema{types{fields{type{fields{name}}}}}", 10)
    + "}",
    "all types 15 times": "{"
    + times("a#:__schema{types{name fields{name args{name} type{name ofType{name}}}}}", 15)
    + "}",
    "possible types of possible types": "{__schema{types{possibleTypes{interfaces{possibleTypes"
    "{fields{type{possibleTypes{name}}}}}}}}}",
}
BODIES: Mapping[str, bytes] = {
    "more than a body may have": b" " * 300_000,
    "brackets that never end": b"[" * 250_000,
    "objects that never end": b'{"a":' * 50_000,
    "objects in objects": b'{"a":' * 40_000 + b"1" + b"}" * 40_000,
    "lists in lists": b'{"query":"{__typename}","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a batch of 1,000 operations": b"[" + b'{"query":"{__typename}"},' * 999 + b"{}]",
    "no UTF-8": b'{"query":"' + b"\xff" * 200_000 + b'"}',
    "half characters": b'{"query":"' + b"\\ud800" * 30_000 + b'"}',
    "a number with 400 digits": b'{"query":"{__typename}","variables":{"a":1e' + b"9" * 400 + b"}}",
    "a hash of 100 KB": b'{"extensions":{"persistedQuery":{"sha256Hash":"'
    + b"a" * 100_000
    + b'"}}}',
    "an operation's name of 200 KB": b'{"query":"{__typename}","operationName":"'
    + b"a" * 200_000
    + b'"}',
    "an id of 200 KB": b'{"documentId":"sha256:' + b"a" * 200_000 + b'"}',
}


def hostile_bodies(schema: GraphQLSchema) -> Iterator[tuple[str, bytes]]:
    """Name and body of each; some depend on what the schema has to be asked for."""
    for table in (DEEP, FRAGMENTS, WIDE, LONG, VARIABLES, INTROSPECTION, costly(schema)):
        for name, document in table.items():
            query, variables = (document, {}) if isinstance(document, str) else document
            yield name, orjson.dumps({"query": query, "variables": variables})
    yield from BODIES.items()


def costly(schema: GraphQLSchema) -> Mapping[str, Document]:
    """Pages of pages, as far as the schema has them."""
    found = {}
    for way in nested_pages(schema):
        name = "page after page: " + ".".join(step for step, _ in way)
        found[name] = "{" + nest(way) + "}"
    return found


Way = tuple[tuple[str, str], ...]  # field and its arguments


def nested_pages(schema: GraphQLSchema, deepest: int = 2) -> Iterator[Way]:
    query = schema.query_type
    assert query is not None
    waiting: list[tuple[GraphQLObjectType, Way]] = [(query, ())]
    while waiting:
        kind, way = waiting.pop()
        for name, field in kind.fields.items():
            page = get_named_type(field.type)
            if not (is_object_type(page) and page.name.endswith("Connection")):
                continue
            required = [
                f'{argument}: "x"'
                for argument, value in field.args.items()
                if str(value.type) in {"ID!", "String!"}
            ]
            longer: Way = (*way, (name, ", ".join(["first: 100", *required])))
            if len(longer) == deepest:
                yield longer
                continue
            entry = get_named_type(page.fields["nodes"].type)
            if is_object_type(entry):
                waiting.append((entry, longer))


def nest(way: Way) -> str:
    if not way:
        return "__typename"
    (name, arguments), *rest = way
    return f"{name}({arguments}){{nodes{{{nest(tuple(rest))}}}}}"
