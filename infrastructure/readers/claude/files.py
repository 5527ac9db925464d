"""Files of a message in Claude."""

from __future__ import annotations

from typing import Any

from domain.message import Attachment

EXTRACT_LIMIT = 100_000  # characters kept of the text that was extracted from one file
_TOLD = frozenset({"file_name", "file_size"})
_LISTS = ("files", "files_v2")


def attachments(raw: dict[str, Any]) -> tuple[Attachment, ...]:
    """
    Those whose text Claude was given, then those that are only referred to, each once.

    Raises:
        TypeError, AttributeError: if the values are not lists of objects.
    """
    found = [_attachment(one) for one in raw.get("attachments") or ()]
    seen: set[str] = set()
    for key in _LISTS:
        for one in raw.get(key) or ():
            known = one.get("file_uuid") or one.get("uuid")
            if isinstance(known, str):
                if known in seen:
                    continue
                seen.add(known)
            found.append(_attachment(one))
    return tuple(found)


def details(raw: dict[str, Any]) -> dict[str, Any]:
    """
    What an Attachment has no place for, by list. Of `extracted_content` the first
    EXTRACT_LIMIT characters; `extracted_length` is how many there were, where some were cut off.
    """
    kept: dict[str, Any] = {}
    for key in ("attachments", *_LISTS):
        listed = raw.get(key) or ()
        if any(one.keys() - _TOLD for one in listed):
            kept[key] = [_shortened(one) for one in listed]
    return kept


def _attachment(file: dict[str, Any]) -> Attachment:
    names = (file.get("file_name"), file.get("name"))
    name = next((one for one in names if isinstance(one, str) and one), None)
    if name is None:
        name = "pasted text" if "extracted_content" in file else "file"
    mime, size = file.get("file_type"), file.get("file_size")
    return Attachment(
        name,
        mime if isinstance(mime, str) and "/" in mime else None,
        size if type(size) is int and 0 <= size < 2**63 else None,
    )


def _shortened(file: dict[str, Any]) -> dict[str, Any]:
    content = file.get("extracted_content")
    if not isinstance(content, str) or len(content) <= EXTRACT_LIMIT:
        return file
    return {
        **file,
        "extracted_content": content[:EXTRACT_LIMIT],
        "extracted_length": len(content),
    }
