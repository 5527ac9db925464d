"""What a message of ChatGPT says, by the type of its content."""

from __future__ import annotations

from typing import Any

import pytest

from domain.message import Attachment
from tests.infrastructure.readers.chatgpt_exports import (
    alone,
    content,
    one,
    said,
)


def test_text_in_parts_is_joined() -> None:
    assert one(content("text", parts=["a", "", None, "b", "b"])).text == "a\nb\nb"
    assert one(content("text", parts="a")).text == "a"
    assert one(content("text", text="a")).text == "a"
    assert one(content("text", parts=[])).text == ""


def test_parts_of_a_kind_that_nobody_knows_are_kept() -> None:
    message = one(content("text", parts=["a", 7, None, ["b"], {"c": 1}]))
    assert (message.text, message.extra) == ("a", {"content": {"parts": [7, ["b"], {"c": 1}]}})


def test_markdown_stays_as_it_is_written() -> None:
    text = "**a** [b](https://c.example) &amp; `d`\n\n```py\ne\n```"
    assert one(said(1, text)).text == text


def test_pictures_and_recordings_become_attachments() -> None:
    picture = {
        "content_type": "image_asset_pointer",
        "asset_pointer": "file-service://file-abc",
        "size_bytes": 123,
        "width": 4,
    }
    sound = {
        "content_type": "audio_asset_pointer",
        "asset_pointer": "sediment://file_def",
        "size_bytes": 7,
        "format": "wav",
    }
    spoken = {"content_type": "audio_transcription", "text": "hello", "direction": "in"}
    video = {
        "content_type": "real_time_user_audio_video_asset_pointer",
        "audio_asset_pointer": sound,
        "frames_asset_pointers": [{**picture, "asset_pointer": "sediment://frame"}],
        "video_container_asset_pointer": None,
    }
    message = one(content("multimodal_text", parts=[picture, "look", spoken, video]))
    assert message.text == "look\nhello"
    assert message.attachments == (
        Attachment("file-abc", None, 123),
        Attachment("file_def", "audio/wav", 7),
        Attachment("frame", None, 123),
    )
    assert message.extra == {
        "content_type": "multimodal_text",
        "content": {"parts": [picture, spoken, video]},
    }


def test_uploads_are_attachments_and_name_the_assets_of_the_same_id() -> None:
    uploads = [
        {"id": "file-doc", "name": "plan.pdf", "mime_type": "application/pdf", "size": 9},
        {"id": "file-abc", "name": "cat.png", "mimeType": "image/png", "size": 5, "width": 1},
        {"name": "no id"},
        {"id": "file-bare", "size": -1},
    ]
    picture = {"content_type": "image_asset_pointer", "asset_pointer": "file-service://file-abc"}
    raw = content("multimodal_text", "user", parts=[picture, "see"])
    message = one({**raw, "metadata": {"attachments": uploads}})
    assert message.attachments == (
        Attachment("cat.png", "image/png", 5),
        Attachment("plan.pdf", "application/pdf", 9),
        Attachment("no id", None, None),
        Attachment("file-bare", None, None),
    )
    assert one(said(1, "x", metadata={"attachments": uploads[:1]})).attachments == (
        Attachment("plan.pdf", "application/pdf", 9),
    )


def test_code_and_its_output_are_messages() -> None:
    code = one({**content("code", language="python", text="print(1)"), "recipient": "python"})
    assert (code.text, code.kind) == ("print(1)", "message")
    assert code.extra == {
        "content_type": "code",
        "recipient": "python",
        "content": {"language": "python"},
    }
    output = one(content("execution_output", "tool", text="1\n"))
    assert (output.text, output.kind, output.extra) == (
        "1\n",
        "message",
        {"content_type": "execution_output"},
    )


def test_thinking_is_a_notice_of_chatgpt_and_is_answered_by_nobody() -> None:
    thoughts = [
        {"summary": "Plan", "content": "First this.", "chunks": ["First"], "finished": True},
        {"summary": "Plan", "content": None},
    ]
    found = alone(
        said(1, "why?"),
        {**content("thoughts", thoughts=thoughts, source_analysis_msg_id="s"), "id": "n2"},
        {**content("reasoning_recap", content="Thought for 7s"), "id": "n3"},
        said(4, "because", role="assistant"),
    )
    assert [(m.text, m.kind, m.reply_to) for m in found.messages] == [
        ("why?", "message", None),
        ("Plan\nFirst this.\n\nPlan", "system", "n1"),
        ("Thought for 7s", "system", "n1"),
        ("because", "message", "n1"),
    ]
    assert found.messages[1].author == ("assistant", "ChatGPT")
    assert found.messages[1].extra == {
        "content_type": "thoughts",
        "content": {"source_analysis_msg_id": "s"},
    }


PAGE = {"url": "https://a.example/b", "domain": "a.example", "title": "A", "text": "words"}


@pytest.mark.parametrize(
    ("kind", "fields", "text", "rest"),
    [
        ("tether_quote", PAGE, "A (https://a.example/b)\nwords", {"domain": "a.example"}),
        (
            "sonic_webpage",
            {**PAGE, "text": None, "snippet": "short", "pub_date": None},
            "A (https://a.example/b)\nshort",
            {"domain": "a.example", "snippet": "short"},
        ),
        ("tether_quote", {**PAGE, "title": PAGE["url"]}, "https://a.example/b\nwords", None),
        ("tether_browsing_display", {"result": "L0: x", "summary": "s"}, "s\nL0: x", {}),
        ("tether_browsing_display", {"result": "s", "summary": "s", "assets": []}, "s", {}),
        ("system_error", {"name": "tool_error", "text": "no"}, "no", {"name": "tool_error"}),
        ("system_error", {"name": "tool_error"}, "tool_error", {"name": "tool_error"}),
        ("user_editable_context", {"user_profile": "a", "user_instructions": "b"}, "a\nb", {}),
        ("model_editable_context", {"model_set_context": "m", "repository": None}, "m", {}),
    ],
)
def test_every_known_content_type_has_its_text(
    kind: str, fields: dict[str, Any], text: str, rest: dict[str, Any] | None
) -> None:
    found = alone(content(kind, "tool", **fields))
    (message,) = found.messages
    assert message.text == text
    assert found.facts.unknown_keys == {}
    if rest is not None:
        expected = {"content_type": kind} | ({"content": rest} if rest else {})
        assert message.extra == expected
    is_aside = kind in ("system_error", "user_editable_context", "model_editable_context")
    assert message.kind == ("system" if is_aside else "message")


def test_an_unknown_content_type_keeps_its_text_and_is_counted() -> None:
    fields: dict[str, Any] = {"parts": ["a", {"text": "b"}, 7], "caption": "c", "number": 4}
    found = alone(content("hologram", **fields))
    assert found.messages[0].text == "a\nb\nc"
    assert found.messages[0].extra == {"content_type": "hologram", "content": fields}
    assert found.facts.unknown_keys == {"content_types.hologram": 1}


def test_custom_instructions_are_found_in_the_metadata() -> None:
    data = {"about_user_message": "I am Ann.", "about_model_message": "Be brief."}
    raw = content("user_editable_context", "user", text="", user_profile=None)
    metadata = {"is_visually_hidden_from_conversation": True, "user_context_message_data": data}
    message = one({**raw, "metadata": metadata})
    assert (message.text, message.kind) == ("I am Ann.\nBe brief.", "system")


def test_marks_of_sources_become_links() -> None:
    def mark(*parts: str) -> str:
        return "\ue200" + "\ue202".join(parts) + "\ue201"

    references = [
        {
            "matched_text": mark("cite", "turn0search1"),
            "items": [
                {"title": "A", "url": "https://a.example"},
                {"title": "B", "url": "https://b.example"},
                {"title": "A", "url": "https://a.example"},
            ],
        },
        {"matched_text": mark("i", "turn0image1"), "alt": None},
        {"matched_text": mark("entity", "x"), "alt": "Rome"},
        {"matched_text": 7},
        None,
    ]
    city = mark("entity", '["city","Paris","capital"]')
    text = (
        f"So {mark('cite', 'turn0search1')}. {mark('i', 'turn0image1')}In {mark('entity', 'x')}"
        f" and {city}.{mark('cite', 'lost')}"
    )
    message = one(said(1, text, role="assistant", metadata={"content_references": references}))
    assert message.text == ("So [A (https://a.example); B (https://b.example)]. In Rome and Paris.")
    assert message.extra == {"metadata": {"content_references": references}}
    assert one(said(1, "a \ue200 b")).text == "a \ue200 b"
