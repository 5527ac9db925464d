"""Hears of keys that another process destroys, and forgets them here."""

from __future__ import annotations

import logging
from collections.abc import Callable
from uuid import UUID

from infrastructure.discretion import describe
from infrastructure.keys.keyring import KeyRing
from infrastructure.postgres.notifications import NotificationHub

log = logging.getLogger(__name__)

CHANNEL = "key_destroyed"


class KeyDestructionListener:
    """What may have gone unheard is forgotten, too: it is read again."""

    def __init__(self, hub: NotificationHub, keyring: KeyRing) -> None:
        self._hub = hub
        self._keyring = keyring
        self._unsubscribe: Callable[[], None] | None = None

    def start(self) -> None:
        """Harmless to repeat."""
        if self._unsubscribe is None:
            # While nobody tells us, too: better to fetch every key than to use a destroyed one.
            self._unsubscribe = self._hub.subscribe(
                CHANNEL,
                self._on_payload,
                self._keyring.forget_all,
                on_disconnect=self._keyring.forget_all,
            )
            self._hub.start()

    def stop(self) -> None:
        """Harmless to repeat, and without a start."""
        unsubscribe, self._unsubscribe = self._unsubscribe, None
        if unsubscribe is not None:
            unsubscribe()

    def _on_payload(self, payload: str) -> None:
        try:
            self._keyring.forget(UUID(payload))
        except ValueError as error:  # whoever may use the database may notify
            self._keyring.forget_all()
            log.warning("a destroyed key was not named: %s", describe(error))
