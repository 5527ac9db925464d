"""
What a message of ChatGPT says: `content`, by its `content_type`.

Markdown stays as it is: that is how the model writes, and what the person copied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from infrastructure.readers.chatgpt.citations import linked

Content = dict[str, Any]


class _Form(NamedTuple):
    """Of one content_type."""

    used: frozenset[str]  # keys whose values the text tells in full
    text: Callable[[Content], str]


def text_of(content: Content, kind: str) -> str:
    """
    Plain text; of an unknown type whatever text it has.

    Raises:
        TypeError, AttributeError: if the content is not as ChatGPT writes it.
    """
    form = _FORMS.get(kind)
    return _any_text(content) if form is None else form.text(content)


def is_known(kind: str) -> bool:
    return kind in _FORMS


def left_over(content: Content, kind: str) -> Content:
    """What the text does not tell: languages, ids, the object parts with their sizes."""
    form = _FORMS.get(kind)
    used = form.used if form is not None else frozenset()
    kept = {
        key: value
        for key, value in content.items()
        if key != "content_type" and key not in used and value not in (None, "", [], {})
    }
    if "parts" in kept and form is not None:
        del kept["parts"]
        # Without texts; an export may put there what nobody has seen yet.
        parts = content["parts"] if isinstance(content["parts"], list) else []
        if others := [part for part in parts if part is not None and not isinstance(part, str)]:
            kept["parts"] = others
    return kept


def objects_in(content: Content) -> list[dict[str, Any]]:
    """The parts that are no text: assets, transcripts."""
    parts = content.get("parts")
    return [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []


def _said(content: Content) -> str:
    parts = content.get("parts")
    if parts is None:
        return _string(content.get("text"))
    if isinstance(parts, str):
        return parts
    if not isinstance(parts, list):
        raise TypeError(f"parts is {type(parts).__name__}")
    return _joined((_part(part) for part in parts), "\n")


def _part(part: Any) -> str:
    """A recording's transcript, or an object that has a text, says that text."""
    if isinstance(part, dict):
        part = part.get("text")
    return part if isinstance(part, str) else ""


def _thoughts(content: Content) -> str:
    thoughts = content.get("thoughts") or ()
    return _joined(
        (_joined(map(_string, (one.get("summary"), one.get("content"))), "\n") for one in thoughts),
        "\n\n",
    )


def _page(content: Content) -> str:
    """A web page or a file that was looked into."""
    head = linked(content.get("title"), content.get("url"))
    body = _string(content.get("text")) or _string(content.get("snippet"))
    return _joined((head, body), "\n")


def _of_keys(*keys: str) -> Callable[[Content], str]:
    def text(content: Content) -> str:
        # A short answer of a tool may be its own summary.
        return _joined(dict.fromkeys(_string(content.get(key)) for key in keys), "\n")

    return text


def _error(content: Content) -> str:
    return _string(content.get("text")) or _string(content.get("name"))


def _any_text(content: Content) -> str:
    parts = content.get("parts")
    texts = [_part(part) for part in parts] if isinstance(parts, list) else []
    texts += [
        value for key, value in content.items() if key != "content_type" and isinstance(value, str)
    ]
    return _joined(texts, "\n")


def _string(value: Any) -> str:
    """
    Raises:
        TypeError: if it is neither a text nor missing.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError(f"a text is {type(value).__name__}")
    return value


def _joined(texts: Iterable[str], separator: str) -> str:
    return separator.join(text for text in texts if text)


_FORMS = {
    "text": _Form(frozenset({"text"}), _said),
    "multimodal_text": _Form(frozenset({"text"}), _said),
    "code": _Form(frozenset({"text"}), _of_keys("text")),
    "execution_output": _Form(frozenset({"text"}), _of_keys("text")),
    "thoughts": _Form(frozenset({"thoughts"}), _thoughts),
    "reasoning_recap": _Form(frozenset({"content"}), _of_keys("content")),
    "tether_quote": _Form(frozenset({"text", "title", "url"}), _page),
    "tether_browsing_display": _Form(
        frozenset({"summary", "result"}), _of_keys("summary", "result")
    ),
    "sonic_webpage": _Form(frozenset({"text", "title", "url"}), _page),
    "system_error": _Form(frozenset({"text"}), _error),
    "user_editable_context": _Form(
        frozenset({"user_profile", "user_instructions", "text"}),
        _of_keys("user_profile", "user_instructions", "text"),
    ),
    "model_editable_context": _Form(
        frozenset({"model_set_context"}), _of_keys("model_set_context")
    ),
}
