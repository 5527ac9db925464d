"""One data key per subject, wrapped by the master key. Destroying it erases what it sealed."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg_pool import ConnectionPool

from infrastructure.keys.master import MasterKey, MasterKeyError

NONCE_SIZE = 12  # bytes
CACHE_SIZE = 100_000  # subjects

INSERT = """
INSERT INTO keys.subject_key (subject_id, wrapped)
SELECT * FROM unnest(%b::uuid[], %b::bytea[]) ON CONFLICT DO NOTHING
"""
SELECT = "SELECT subject_id, wrapped FROM keys.subject_key WHERE subject_id = ANY(%b::uuid[])"
DESTROY = """
UPDATE keys.subject_key SET wrapped = NULL, destroyed_at = clock_timestamp()
WHERE subject_id = %b AND wrapped IS NOT NULL
"""


class SubjectErasedError(Exception):
    """This subject was erased; nothing new may be recorded about it."""

    is_quotable = True


class SubjectKeyMissingError(Exception):
    """The keys table has no row for a subject that events name: it was not restored."""

    is_quotable = True


class KeyRing:
    """Thread-safe. Holds unwrapped keys in memory until they are destroyed or forgotten."""

    def __init__(self, pool: ConnectionPool, master: MasterKey) -> None:
        self._pool = pool
        self._wrapper = AESGCM(master.derive("subject-key"))
        self._lock = threading.Lock()
        self._cache: dict[UUID, AESGCM | None] = {}  # None: destroyed
        self._forgotten = 0  # how often something was to be forgotten

    def ensure(self, subjects: Iterable[UUID]) -> dict[UUID, AESGCM]:
        """
        The keys of all these subjects, made where there are none yet.

        Raises:
            SubjectErasedError: if one of them was erased.
        """
        wanted = set(subjects)
        keys = self._known(wanted)
        missing = [subject for subject in wanted if subject not in keys]
        if missing:
            wrapped = [self._wrap(subject) for subject in missing]
            with self._pool.connection() as connection:
                connection.execute(INSERT, (missing, wrapped))
            keys |= self._load(missing)
        erased = [subject for subject in wanted if keys[subject] is None]
        if erased:
            raise SubjectErasedError(", ".join(map(str, erased)))
        return {subject: key for subject, key in keys.items() if key is not None}

    def get(self, subjects: Iterable[UUID]) -> dict[UUID, AESGCM]:
        """
        The keys of these subjects; erased ones are left out.

        Raises:
            SubjectKeyMissingError: if a subject is unknown, which no erasure explains.
        """
        wanted = set(subjects)
        keys = self._known(wanted)
        missing = [subject for subject in wanted if subject not in keys]
        if missing:
            keys |= self._load(missing)
            unknown = [subject for subject in missing if subject not in keys]
            if unknown:
                raise SubjectKeyMissingError(
                    f"no key for subject {unknown[0]} and {len(unknown) - 1} others: "
                    "restore the schema `keys` from its backup"
                )
        return {subject: key for subject, key in keys.items() if key is not None}

    def destroy(self, subject: UUID) -> None:
        """Erase for ever. Harmless to repeat. Other processes hear of it at once."""
        with self._pool.connection() as connection:
            connection.execute(DESTROY, (subject,))
        with self._lock:
            self._forgotten += 1
            self._cache[subject] = None

    def forget(self, subject: UUID) -> None:
        """Drop the key from memory: another process has destroyed it."""
        with self._lock:
            self._forgotten += 1
            self._cache.pop(subject, None)

    def forget_all(self) -> None:
        """After a lost connection destructions may have gone unheard."""
        with self._lock:
            self._forgotten += 1
            self._cache.clear()

    def _known(self, subjects: set[UUID]) -> dict[UUID, AESGCM | None]:
        with self._lock:
            return {s: self._cache[s] for s in subjects if s in self._cache}

    def _load(self, subjects: list[UUID]) -> dict[UUID, AESGCM | None]:
        with self._lock:
            forgotten = self._forgotten
        with self._pool.connection() as connection:
            rows = connection.execute(SELECT, (subjects,), binary=True).fetchall()
        keys = {subject: self._unwrap(subject, wrapped) for subject, wrapped in rows}
        with self._lock:
            if forgotten != self._forgotten:
                return keys  # one of them may have been destroyed since: do not keep it
            if len(self._cache) + len(keys) > CACHE_SIZE:
                self._cache.clear()
            self._cache |= keys
        return keys

    def _wrap(self, subject: UUID) -> bytes:
        nonce = os.urandom(NONCE_SIZE)
        return nonce + self._wrapper.encrypt(nonce, AESGCM.generate_key(256), subject.bytes)

    def _unwrap(self, subject: UUID, wrapped: bytes | None) -> AESGCM | None:
        if wrapped is None:
            return None
        nonce, sealed = wrapped[:NONCE_SIZE], wrapped[NONCE_SIZE:]
        try:
            return AESGCM(self._wrapper.decrypt(nonce, sealed, subject.bytes))
        except InvalidTag as error:
            raise MasterKeyError(
                f"the master key does not open the key of subject {subject}: "
                "this is not the key that this archive was made with"
            ) from error
