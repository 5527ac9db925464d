"""`metadata` of a message in ChatGPT: what is told elsewhere, what is kept, what nobody knows."""

from __future__ import annotations

from typing import Any

# Told by the message itself, or about ChatGPT's machinery only.
_DROPPED = frozenset(
    {
        *("model_slug", "default_model_slug", "requested_model_slug", "attachments"),
        *("is_visually_hidden_from_conversation", "is_user_system_message", "is_complete"),
        *("request_id", "message_type", "timestamp_", "parent_id", "pad", "message_source"),
        *("serialization_metadata", "rebase_system_message", "rebase_developer_message"),
        *("can_save", "turn_exchange_id", "stop_reason", "model_switcher_deny", "sonicberry"),
        *("sonicberry_model_id", "real_author", "is_redacted", "token_count", "turn_use_case"),
        *("model_adjustments", "resolved_model_slug", "inline_user_message_id"),
    }
)
# Understood, and kept because a Message has no place of its own for them.
_KEPT = frozenset(
    {
        *("citations", "content_references", "search_result_groups", "search_queries"),
        *("search_source", "client_reported_search_source", "search_turns_count", "safe_urls"),
        *("image_results", "image_gen_title", "image_gen_async", "image_gen_task_id", "dalle"),
        *("gizmo_id", "command", "args", "kwargs", "status", "aggregate_result"),
        *("ada_visualizations", "invoked_plugin", "jit_plugin_data", "_cite_metadata", "canvas"),
        *("textdocs", "targeted_reply", "targeted_reply_label", "reply_to_message_id"),
        *("shared_conversation_id", "user_context_message_data", "is_user_system_message_data"),
        *("contextual_answers_message_type", "reasoning_status", "reasoning_title"),
        *("finished_duration_sec", "thinking_effort", "initial_text", "finished_text"),
        *("source_analysis_msg_id", "classifier_response", "system_hints", "selected_sources"),
        *("selected_github_repos", "cloud_doc_urls", "caterpillar_selected_sources"),
        *("voice_mode_message", "real_time_audio_has_video", "debug_sonic_thread_id"),
        *("async_task_id", "async_task_title", "async_task_type", "async_completion_id"),
        *("async_completion_message", "permissions", "file_token_size"),
        *("exclude_after_next_user_message", "is_loading_message", "message_locale"),
        *("developer_mode", "dictation", "dictation_edited", "dictation_asset_pointer"),
        *("bidi_voice_mode_message", "voice_session_id", "is_thinking_preamble_message"),
        *("gizmo_ids", "exp_locale"),
    }
)


def left_over(metadata: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """What of it is kept, without what says nothing; and the keys nobody understands."""
    kept: dict[str, Any] = {}
    unknown: list[str] = []
    for key, value in metadata.items():
        if key in _DROPPED or value in (None, "", [], {}) or value is False:
            continue
        if key == "finish_details":
            # How an answer ended is worth a word only if it did not just stop.
            if isinstance(value, dict) and value.get("type") == "stop":
                continue
        elif key not in _KEPT:
            unknown.append(key)
        kept[key] = value
    return kept, unknown
