"""What PostgreSQL notifies this process of: one listening connection for all who want to hear."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from infrastructure.discretion import describe
from infrastructure.postgres.listening import ListeningConnection

log = logging.getLogger(__name__)

FIRST_WAIT_SECONDS = 0.1  # before it connects again, doubled each time
LONGEST_WAIT_SECONDS = 0.8  # back within a second of the server
PROBE_SECONDS = 5.0  # a connection that says nothing may be dead: ask it this often
ANSWER_SECONDS = 5.0  # for connecting, and for an answer to what is asked


def nothing() -> None:
    """What a subscriber does who need not know."""


@dataclass(eq=False, slots=True, kw_only=True)
class Subscription:
    channel: str
    on_payload: Callable[[str], None]
    on_connect: Callable[[], None]
    on_disconnect: Callable[[], None]
    is_wanted: bool = True
    is_heard: bool = False  # it was told that notifications reach it from now on


class NotificationHub:
    """
    The process's one connection that listens, in a thread of its own. Connects again by itself.

    Callbacks run in that thread, one after the other: they must be quick. What they raise is
    logged, and keeps nobody else from hearing.

    Args:
        conninfo: of a role that may connect; listening needs no other right.
        probe_seconds: how long a connection may be dead before that is noticed, at most this and
            `answer_seconds`.
        answer_seconds: how long connecting may take, and an answer; `stop` waits for it, too.
    """

    def __init__(
        self,
        conninfo: str,
        *,
        probe_seconds: float = PROBE_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        self._conninfo = conninfo
        self._probe_seconds = probe_seconds
        self._answer_seconds = answer_seconds
        self._lock = threading.Lock()
        self._subscriptions: tuple[Subscription, ...] = ()  # replaced, never changed
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._connection: ListeningConnection | None = None
        self._failures = 0  # in a row, to connect and to listen

    @property
    def is_connected(self) -> bool:
        return self._connection is not None

    @property
    def backend_pid(self) -> int | None:
        """Of the server's process at the other end; None while there is no connection."""
        connection = self._connection
        return None if connection is None else connection.backend_pid

    def subscribe(
        self,
        channel: str,
        on_payload: Callable[[str], None],
        on_connect: Callable[[], None] = nothing,
        *,
        on_disconnect: Callable[[], None] = nothing,
    ) -> Callable[[], None]:
        """
        Hear what is notified on a channel. Does not block, and needs no connection.

        Args:
            on_payload: called with the payload of each notification.
            on_connect: called as soon as notifications reach the subscriber, at first and after
                every lost connection. Whoever may have missed something looks now.
            on_disconnect: called when the connection is lost, and after each vain attempt.

        Returns:
            What ends the subscription. A call that has begun by then may still end later.
        """
        subscription = Subscription(
            channel=channel,
            on_payload=on_payload,
            on_connect=on_connect,
            on_disconnect=on_disconnect,
        )
        with self._lock:
            self._subscriptions = (*self._subscriptions, subscription)
        self._wake()

        def unsubscribe() -> None:
            subscription.is_wanted = False
            with self._lock:
                kept = tuple(one for one in self._subscriptions if one is not subscription)
                self._subscriptions = kept
            self._wake()

        return unsubscribe

    def start(self) -> None:
        """Harmless to repeat."""
        with self._lock:
            if self._thread is None:
                self._stopping = threading.Event()
                self._thread = threading.Thread(
                    target=self._run, args=(self._stopping,), name="notifications", daemon=True
                )
                self._thread.start()

    def stop(self) -> None:
        """Harmless to repeat, and without a start. Nothing is called any more afterwards."""
        with self._lock:
            thread, self._thread = self._thread, None
            self._stopping.set()
        self._wake()
        if thread is not None:
            thread.join()

    def _wake(self) -> None:
        # Whoever connects only now looks at everything, before it waits.
        if (connection := self._connection) is not None:
            connection.wake()

    def _run(self, stopping: threading.Event) -> None:
        self._failures = 0
        while not stopping.is_set():
            try:
                with ListeningConnection(
                    self._conninfo, answer_seconds=self._answer_seconds
                ) as connection:
                    self._connection = connection
                    self._listen(connection, stopping)
            except Exception as error:  # noqa: BLE001 - a thread that died would hear nothing more
                if not self._failures:
                    log.warning("notifications are not heard for now: %s", describe(error))
                self._failures += 1
            finally:
                self._connection = None
                self._disconnected()
            if self._failures:
                doubled = FIRST_WAIT_SECONDS * 2 ** min(self._failures - 1, 10)
                stopping.wait(min(doubled, LONGEST_WAIT_SECONDS))

    def _listen(self, connection: ListeningConnection, stopping: threading.Event) -> None:
        asked_at = time.monotonic()
        while not stopping.is_set():
            if time.monotonic() - asked_at >= self._probe_seconds:
                connection.execute("SELECT 1")
                asked_at = time.monotonic()
            self._follow_subscriptions(connection)
            if self._failures:  # only now: a server may let connect, and refuse to be listened to
                log.info("notifications are heard again")
                self._failures = 0
            # After all that has an answer: notifications may have come with it.
            for channel, payload in connection.take():
                for subscription in self._subscriptions:
                    if subscription.channel == channel and subscription.is_heard:
                        self._tell(subscription, subscription.on_payload, payload)
            connection.wait(asked_at + self._probe_seconds - time.monotonic())

    def _follow_subscriptions(self, connection: ListeningConnection) -> None:
        subscriptions = self._subscriptions
        connection.listen({subscription.channel for subscription in subscriptions})
        for subscription in subscriptions:
            if not subscription.is_heard:
                subscription.is_heard = True
                self._tell(subscription, subscription.on_connect)

    def _disconnected(self) -> None:
        for subscription in self._subscriptions:
            subscription.is_heard = False
            self._tell(subscription, subscription.on_disconnect)

    @staticmethod
    def _tell(subscription: Subscription, callback: Callable[..., None], *payload: str) -> None:
        if not subscription.is_wanted:
            return
        try:
            callback(*payload)
        except Exception as error:  # noqa: BLE001 - the others would hear nothing more
            log.warning("a subscriber of %s failed: %s", subscription.channel, describe(error))
