"""Settings, read once from the environment. Nothing else looks there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

PROJECT_FOLDER = Path(__file__).parents[1]
MIB = 1024 * 1024


class SettingError(Exception):
    """An environment variable holds something else than it should."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    database_url: str | None  # None: the embedded server under `data_dir`
    data_dir: Path  # blobs, keys, snapshots, the embedded server's data
    master_key: str | None  # base64; None: the file `data_dir`/keys/master.key
    host: str  # an address of this machine's own, or localhost
    port: int
    max_upload_bytes: int
    embedding_threads: int | None  # None: as many as there are cores

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        env = os.environ if environ is None else environ
        return cls(
            database_url=env.get("DATABASE_URL") or None,
            data_dir=Path(env.get("CHATLEDGER_DATA_DIR") or PROJECT_FOLDER / "var").absolute(),
            master_key=env.get("CHATLEDGER_MASTER_KEY") or None,
            host=loopback(env.get("CHATLEDGER_HOST") or "127.0.0.1"),
            port=integer(env, "CHATLEDGER_PORT", default=8000, least=0),
            max_upload_bytes=integer(env, "CHATLEDGER_MAX_UPLOAD_MIB", default=2048, least=1) * MIB,
            embedding_threads=integer(env, "CHATLEDGER_EMBEDDING_THREADS", default=0, least=0)
            or None,
        )

    @property
    def address(self) -> str:
        """Where it serves, as a URL without a path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def loopback(host: str) -> str:
    """There are no accounts yet: whoever can reach the server is the owner."""
    try:
        is_loopback = ip_address(host).is_loopback
    except ValueError:
        is_loopback = host == "localhost"
    if not is_loopback:
        raise SettingError(
            "CHATLEDGER_HOST must be an address that only this machine reaches (127.0.0.1, ::1 or "
            f"localhost), since there are no accounts yet, not {host!r}"
        )
    return host


def integer(env: Mapping[str, str], name: str, *, default: int, least: int) -> int:
    text = env.get(name)
    if not text:
        return default
    try:
        value = int(text)
    except ValueError:
        raise SettingError(f"{name} must be a whole number, not {text!r}") from None
    if value < least:
        raise SettingError(f"{name} must be at least {least}, not {value}")
    return value
