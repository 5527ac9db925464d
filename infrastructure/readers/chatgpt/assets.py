"""Pictures, recordings and uploaded files of a message in ChatGPT."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from domain.message import Attachment

# What of a recording with a camera holds assets of its own.
_INNER = ("audio_asset_pointer", "video_container_asset_pointer", "frames_asset_pointers")
_FALLBACKS = {
    "image_asset_pointer": "image",
    "audio_asset_pointer": "audio",
    "video_container_asset_pointer": "video",
}


def attachments(parts: Iterable[dict[str, Any]], uploads: Any) -> tuple[Attachment, ...]:
    """
    The assets among a message's parts, in their order, then the other uploaded files.

    An asset is named by its upload, where `metadata.attachments` has one of the same id; else by
    its id, with which the name of its file in the archive begins.

    Raises:
        TypeError, AttributeError: if the uploads are not a list of objects.
    """
    listed: dict[str, Attachment] = {}
    for number, upload in enumerate(uploads or ()):
        known = upload.get("id")
        listed[known if isinstance(known, str) else f"\0{number}"] = _upload(upload)
    found: list[Attachment] = []
    for part in parts:
        for pointer in _pointers(part):
            known = _id_of(pointer)
            found.append(listed.pop(known) if known in listed else _asset(pointer, known))
    found.extend(listed.values())
    return tuple(found)


def _pointers(part: dict[str, Any]) -> list[dict[str, Any]]:
    if "asset_pointer" in part:
        return [part]
    found: list[dict[str, Any]] = []
    for key in _INNER:
        inner = part.get(key)
        listed = inner if isinstance(inner, list) else [inner]
        found += [one for one in listed if isinstance(one, dict) and "asset_pointer" in one]
    return found


def _id_of(pointer: dict[str, Any]) -> str:
    """Of `file-service://file-abc` and `sediment://file_abc` what follows the slashes."""
    address = pointer["asset_pointer"]
    if not isinstance(address, str):
        return ""
    return address.partition("://")[2] or address


def _asset(pointer: dict[str, Any], known: str) -> Attachment:
    form = pointer.get("format")
    kind = pointer.get("content_type")
    is_audio = kind == "audio_asset_pointer" and isinstance(form, str) and form.isalnum()
    fallback = _FALLBACKS.get(kind, "file") if isinstance(kind, str) else "file"
    return Attachment(
        known or fallback,
        f"audio/{form}" if is_audio else None,
        _size_of(pointer.get("size_bytes")),
    )


def _upload(upload: dict[str, Any]) -> Attachment:
    names = (upload.get("name"), upload.get("id"))
    name = next((one for one in names if isinstance(one, str) and one), "file")
    mime = upload.get("mime_type") or upload.get("mimeType")
    return Attachment(name, mime if isinstance(mime, str) else None, _size_of(upload.get("size")))


def _size_of(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < 2**63 else None
