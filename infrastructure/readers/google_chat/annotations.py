"""What Google Chat notes beside a message's text: links, files, calls, tasks, events."""

from __future__ import annotations

from typing import Any

_WRAPPED = "private_do_not_access_or_else_safe_url_wrapped_value"
_DRIVE = "https://drive.google.com/open?id="
_YOUTUBE = "https://www.youtube.com/watch?v="


def with_links(text: str, annotations: Any) -> str:
    """
    The text with the address after each label that hides one: “the plan (https://…)”.

    Places are counted in UTF-16 code units.
    """
    if not isinstance(annotations, list):
        return text
    labels: dict[int, tuple[str, str]] = {}  # by where the label ends
    wide = b"" if text.isascii() else text.encode("utf-16-le", "replace")
    for one in annotations:
        url = _url(one)
        start, length = one.get("start_index"), one.get("length")
        if not url or not isinstance(start, int) or not isinstance(length, int) or length <= 0:
            continue
        end = start + length
        if start < 0:
            continue
        if wide:
            label = wide[start * 2 : end * 2].decode("utf-16-le", "replace")
            is_inside = end * 2 <= len(wide)
        else:
            label = text[start:end]
            is_inside = end <= len(text)
        if is_inside and label.strip() and not _is_address(label.strip(), url):
            labels.setdefault(end, (label, url))
    for end in sorted(labels, reverse=True):
        addition = f" ({labels[end][1]})"
        if wide:
            wide = wide[: end * 2] + addition.encode("utf-16-le") + wide[end * 2 :]
        else:
            text = text[:end] + addition + text[end:]
    return wide.decode("utf-16-le", "replace") if wide and labels else text


def _is_address(label: str, url: str) -> bool:
    return label.startswith(("http://", "https://")) or _bare(label) == _bare(url)


def _bare(url: str) -> str:
    return url.lower().partition("://")[2].removeprefix("www.").rstrip("/") or url.lower().rstrip(
        "/"
    ).removeprefix("www.")


def _url(annotation: dict[str, Any]) -> str:
    """Of a link in the text; empty if the annotation is of another kind."""
    for place in ("url_metadata", "interaction_data"):
        holder = annotation.get(place)
        wrapped = holder.get("url") if isinstance(holder, dict) else None
        url = wrapped.get(_WRAPPED) if isinstance(wrapped, dict) else wrapped
        if isinstance(url, str) and url:
            return url
    return ""


def described(annotations: Any) -> str:
    """What a message without text shows instead, one line for each thing."""
    if not isinstance(annotations, list):
        return ""
    lines = [line for one in annotations if (line := _line(one))]
    return "\n".join(dict.fromkeys(lines))


def _line(annotation: dict[str, Any]) -> str:
    match annotation:
        case {"drive_metadata": {"id": str(id), **file}}:
            return _labelled(file.get("title"), _url(annotation) or f"{_DRIVE}{id}")
        case {"youtube_metadata": {"id": str(id)}}:
            return f"{_YOUTUBE}{id}"
        case {"video_call_metadata": {"meeting_space": {"meeting_url": str(url)}}}:
            return _labelled("Video call", url)
        case {"gsuite_integration_metadata": dict(thing)}:
            return _thing(thing)
        case {"url_metadata": dict(link)}:
            return _labelled(link.get("title"), _url(annotation) or link.get("image_url"))
        case _:
            return _url(annotation)


def _labelled(title: Any, url: Any) -> str:
    title = title if isinstance(title, str) else ""
    url = url if isinstance(url, str) else ""
    return f"{title} ({url})" if title and url and title != url else title or url


def _thing(thing: dict[str, Any]) -> str:
    match thing:
        case {"call_data": {"call_status": str(status)}}:
            return status.replace("_", " ").capitalize()
        case {"tasks_data": {"task_properties": {"title": str(title), **task}}}:
            done = ", completed" if task.get("completed") is True else ""
            gone = ", deleted" if task.get("deleted") is True else ""
            return f"Task “{title}”{done}{gone}"
        case {"calendar_event_data": {"calendar_event": {"title": str(title), **event}}}:
            start = event.get("start_time")
            timed = start.get("timed") if isinstance(start, dict) else None
            return f"Event “{title}”, {timed}" if isinstance(timed, str) else f"Event “{title}”"
        case _:
            return ""
