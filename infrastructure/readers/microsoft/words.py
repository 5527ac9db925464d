"""How both formats' readers put lengths of time, lists of names and paths into words."""

from __future__ import annotations

from collections.abc import Sequence

_NAMES_SHOWN = 5


def in_time(seconds: int) -> str:
    """As people say it: “1 h 2 min 5 s”."""
    parts = ((seconds // 3600, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"


def listed(names: Sequence[str]) -> str:
    """The first five names: the title of a conversation that has none of its own."""
    return ", ".join(names[:_NAMES_SHOWN]) + (", …" if len(names) > _NAMES_SHOWN else "")


def base_name(path: str) -> str:
    """The end of a path, whichever way its slashes lean."""
    name = path.replace("\\", "/").rstrip("/").rpartition("/")[2].strip()
    return "" if name in {".", ".."} else name
