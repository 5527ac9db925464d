"""What is said of an exception to people who can do something about it, or nothing."""

from __future__ import annotations

from application.ports.blobs import BlobDamagedError, BlobMissingError, NoRoomError
from infrastructure.discretion import Quotable, harmless_message
from infrastructure.outage import is_outage

ADVICE: dict[type[BaseException], str] = {
    BlobDamagedError: "its stored bytes are damaged: send the same file again, which repairs them",
    BlobMissingError: "its stored bytes are gone: send the same file again, which brings them back",
    NoRoomError: "the server's disk is full: it goes on when there is room",
}


def explain(error: BaseException, reference: str) -> str:
    """
    A sentence for whoever sent the upload; classes and lines of the source are not for them.

    Args:
        reference: where whoever runs the server finds those, for example `job 7`.
    """
    for kind, advice in ADVICE.items():
        if isinstance(error, kind):
            return f"{advice} ({reference})."
    if isinstance(error, Quotable) and error.is_quotable and (said := harmless_message(error)):
        return f"{said.rstrip('.')} ({reference})."
    if is_outage(error):
        return f"the database was away for a while ({reference})."
    return f"something unexpected went wrong: whoever runs the server finds it under {reference}."
