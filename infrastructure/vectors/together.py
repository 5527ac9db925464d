"""Requests that arrive while another one is answered are answered together, after it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class _Request(Generic[Asked, Answer]):
    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.answers: list[Answer] = []  # one, when it is there
        self.error: BaseException | None = None


class Together(Generic[Asked, Answer]):
    """
    One thread of those that wait answers for all of them: so each waits at most for the answers
    before its own, and threads do not stand in each other's way.
    """

    def __init__(self, answer: Callable[[Sequence[Asked]], Sequence[Answer]]) -> None:
        """Args: answer: as many answers as there are requests, in their order."""
        self._answer = answer
        self._turn = Lock()
        self._guard = Lock()
        self._waiting: list[_Request[Asked, Answer]] = []

    def ask(self, asked: Asked) -> Answer:
        """Raises: whatever answering it, and those beside it, raised."""
        request: _Request[Asked, Answer] = _Request(asked)
        with self._guard:
            self._waiting.append(request)
        with self._turn:
            if not request.answers and request.error is None:
                self._answer_all()
        if request.error is not None:
            raise request.error
        return request.answers[0]

    def _answer_all(self) -> None:
        with self._guard:
            requests, self._waiting = self._waiting, []
        try:
            answers = self._answer([request.asked for request in requests])
        except BaseException as error:  # noqa: BLE001 - each of those who wait hears of it
            for request in requests:
                request.error = error
        else:
            for request, answer in zip(requests, answers, strict=True):
                request.answers.append(answer)
