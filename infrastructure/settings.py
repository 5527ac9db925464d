"""Settings, read once from the environment. Nothing else looks there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, cast

PROJECT_FOLDER = Path(__file__).parents[1]
MIB = 1024 * 1024
LogFormat = Literal["json", "text"]
LogLevel = Literal["debug", "info", "warning", "error"]
Environment = Literal["development", "production"]
ENVIRONMENTS = ("development", "production")
LOG_FORMATS = ("json", "text")
LOG_LEVELS = ("debug", "info", "warning", "error")


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
    log_format: LogFormat | None  # None: text on a terminal, else JSON
    log_level: LogLevel | None  # None: the command's own
    otlp_endpoint: str | None  # base URL of an OpenTelemetry collector; None: no traces
    metrics_dir: Path  # where the processes of this machine add up their metrics
    environment: Environment  # production: nobody explores the schema, pages use known documents
    trusted_documents: Path | None  # manifest, JSON: SHA-256 to document; None: the packaged one
    operation_seconds: int  # from a GraphQL operation's beginning to its end

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        env = os.environ if environ is None else environ
        data_dir = Path(env.get("CHATLEDGER_DATA_DIR") or PROJECT_FOLDER / "var").absolute()
        return cls(
            database_url=env.get("DATABASE_URL") or None,
            data_dir=data_dir,
            master_key=env.get("CHATLEDGER_MASTER_KEY") or None,
            host=loopback(env.get("CHATLEDGER_HOST") or "127.0.0.1"),
            port=integer(env, "CHATLEDGER_PORT", default=8000, least=0),
            max_upload_bytes=integer(env, "CHATLEDGER_MAX_UPLOAD_MIB", default=2048, least=1) * MIB,
            embedding_threads=integer(env, "CHATLEDGER_EMBEDDING_THREADS", default=0, least=0)
            or None,
            log_format=cast("LogFormat | None", choice(env, "CHATLEDGER_LOG_FORMAT", LOG_FORMATS)),
            log_level=cast("LogLevel | None", choice(env, "CHATLEDGER_LOG_LEVEL", LOG_LEVELS)),
            otlp_endpoint=http_url(env, "OTEL_EXPORTER_OTLP_ENDPOINT"),
            metrics_dir=Path(
                env.get("PROMETHEUS_MULTIPROC_DIR") or data_dir / "metrics"
            ).absolute(),
            environment=cast(
                "Environment",
                choice(env, "CHATLEDGER_ENVIRONMENT", ENVIRONMENTS) or "development",
            ),
            trusted_documents=path(env, "CHATLEDGER_TRUSTED_DOCUMENTS"),
            operation_seconds=integer(env, "CHATLEDGER_OPERATION_SECONDS", default=10, least=1),
        )

    @property
    def is_production(self) -> bool:
        return self.environment == "production"

    @property
    def address(self) -> str:
        """Where it serves, as a URL without a path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def environment_with(**changes: str) -> dict[str, str]:
    """Of this process, for one that it starts."""
    return {**os.environ, **changes}


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


def choice(env: Mapping[str, str], name: str, known: tuple[str, ...]) -> str | None:
    text = env.get(name, "").strip().lower()
    if text and text not in known:
        raise SettingError(f"{name} is one of {', '.join(known)}, not {text!r}")
    return text or None


def path(env: Mapping[str, str], name: str) -> Path | None:
    text = env.get(name)
    return Path(text).absolute() if text else None


def http_url(env: Mapping[str, str], name: str) -> str | None:
    text = env.get(name, "").strip()
    if text and not text.startswith(("http://", "https://")):
        raise SettingError(f"{name} must begin with http:// or https://")
    return text.rstrip("/") or None


def share_metrics_in(folder: Path) -> None:
    """As prometheus_client wants to be told, here and in processes that are started from here."""
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
