"""
The pieces of HTML: texts, tags with their attributes, entities.

In time proportional to the length of the source, whatever stands in it. What is no markup stays
as it is written: a lone "<", an "&" that begins no entity.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.entities import html5

# Quotation marks mean something only after "=", and only in pairs.
_TAG = re.compile(
    r"""</?+([A-Za-z][^\s/>]*+)((?:[^>=]++|=\s*+(?:"[^"]*+"|'[^']*+')?+)*+)>""",
)
_TAG_BEGINS = re.compile(r"</?+[A-Za-z]")
_ATTRIBUTE = re.compile(r"""([^\s=/"'>]++)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"']++)))?+""")
_ENTITY = re.compile(r"&(?:#([0-9]{1,8})|#[xX]([0-9A-Fa-f]{1,8})|([A-Za-z][A-Za-z0-9]{1,31}));")


def tokens(source: str) -> Iterator[tuple[str, bool, str]]:
    """
    Yield texts as ("", False, text) and tags as (name in lower case, whether it ends an element,
    what follows the name). Comments and declarations are left out.
    """
    comments_end = True
    begin = at = 0
    while (at := source.find("<", at)) >= 0:
        match = _TAG.match(source, at)
        if match is not None:
            if at > begin:
                yield "", False, source[begin:at]
            name, rest = match.groups()
            yield name.lower(), source[at + 1] == "/", rest
            begin = at = match.end()
            continue
        if source.startswith(("<!", "<?"), at):
            end = source.find("-->", at) if comments_end and source[at : at + 4] == "<!--" else -1
            comments_end = comments_end and (end >= 0 or source[at : at + 4] != "<!--")
            end = end + 3 if end >= 0 else source.find(">", at) + 1
            if not end:
                break
            if at > begin:
                yield "", False, source[begin:at]
            begin = at = end
        elif _TAG_BEGINS.match(source, at) is None:
            at += 1  # just a character
        else:
            break  # no tag ends any more
    if begin < len(source):
        yield "", False, source[begin:]


def attributes(rest: str) -> dict[str, str]:
    """Of a tag, by names in lower case, entities decoded; of equal ones the first."""
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(rest):
        name, double, single, bare = match.groups()
        found.setdefault(name.lower(), unescape(double or single or bare or ""))
    return found


def unescape(text: str) -> str:
    """Entities decoded. What no character stands for stays as it is written."""
    return _ENTITY.sub(_character, text) if "&" in text else text


def _character(match: re.Match[str]) -> str:
    decimal, hexadecimal, name = match.groups()
    if name is not None:
        return html5.get(f"{name};", match[0])
    code = int(decimal) if decimal is not None else int(hexadecimal, 16)
    is_character = 0 < code < 0x110000 and not 0xD800 <= code < 0xE000
    return chr(code) if is_character else "\ufffd"
