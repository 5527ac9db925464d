"""What a text of LINE's stands for: a file, a sticker, a call, a message taken back."""

from __future__ import annotations

import re
from typing import NamedTuple

from domain.message import Attachment, MessageKind

_FILES = frozenset(
    {
        *("Photo", "Video", "Sticker", "Voice message", "Audio", "File"),
        *("写真", "動画", "スタンプ", "ボイスメッセージ", "音声メッセージ", "ファイル"),
        *("照片", "图片", "圖片", "视频", "影片", "贴图", "貼圖", "语音信息", "语音消息"),
        *("語音訊息", "文件", "檔案"),
        *("사진", "동영상", "스티커", "음성 메시지", "음성메시지", "파일"),
    }
)
_NAMED_FILES = frozenset({"File", "ファイル", "文件", "檔案", "파일"})
_IN_BRACKETS = re.compile(r"\[([^\[\]\n]{1,30})\](?: ([^\n]{1,300}))?")
_CALL = re.compile(
    r"☎ ?(?:"
    r"(?:Call time|Missed call|No answer|Canceled call|Cancelled call|Call canceled|Group call|"
    r"You canceled|Unanswered call|"
    r"通話時間|不在着信|通話をキャンセル|通話に応答がありません|応答なし|グループ(?:音声|ビデオ)?通話|"
    r"通话时间|通话时长|未接来电|无人接听|已取消|您已取消|"
    r"未接來電|無人接聽|您已取消通話|已取消通話|群組通話|"
    r"통화시간|통화 시간|부재중|취소된 통화|응답 없음|그룹 통화)"
    r"[^\n]*|\d{1,3}(?::\d{2}){1,2})"
)
_TAKEN_BACK = re.compile(
    r"Message unsent\.?"
    r"|(?P<en>.{1,80}?) unsent a message\.?"
    r"|(?:(?P<ja>.{1,80}?)が)?メッセージの送信を取り消しました。?"
    r"|(?P<tw>.{0,80}?)已收回訊息。?"
    r"|(?P<cn>.{0,80}?)撤回了一条(?:消息|信息)。?"
    r"|(?:(?P<ko>.{1,80}?)님이 )?메시지(?: 전송)?[을를] 취소했습니다\.?"
)
_TAKEN_BACK_WORDS = ("unsent", "取り消し", "收回", "撤回", "취소")
_NOTICE_LENGTH = 120  # characters
_OWN = frozenset({"You", "您", "你", "あなた", "나", "회원님"})


class Content(NamedTuple):
    kind: MessageKind
    text: str
    attachments: tuple[Attachment, ...] = ()


def content_of(text: str, name: str) -> Content:
    """What a person's line holds."""
    if text.startswith("[") and (match := _IN_BRACKETS.fullmatch(text)):
        what, file = match.groups()
        if what in _FILES and (file is None or what in _NAMED_FILES):
            return Content("message", "", (Attachment(file or what, None, None),))
    elif text.startswith("☎") and _CALL.fullmatch(text):
        return Content("system", text)
    elif taken_back_by(text) in ("", name):
        return Content("deleted", "")
    return Content("message", text)


def taken_back_by(text: str) -> str | None:
    """
    Who took a message back; empty where it is the person who saved the chat, or is not said.
    None if the text says nothing of the kind.
    """
    if len(text) > _NOTICE_LENGTH or not any(word in text for word in _TAKEN_BACK_WORDS):
        return None
    match = _TAKEN_BACK.fullmatch(text.strip())
    if match is None:
        return None
    name = next((found.strip() for found in match.groups() if found), "")
    return "" if name in _OWN else name
