"""While the database is away, every answer says so and when to come back."""

from __future__ import annotations

from typing import Any

import psycopg
import psycopg_pool
import pytest
from eventsourcing import persistence
from psycopg import errors
from structlog.testing import capture_logs

from infrastructure.log.appender import AppenderClosedError
from infrastructure.outage import is_outage
from interfaces.graphql.accept import GRAPHQL_RESPONSE, JSON
from tests.support.asgi import Caller
from tests.support.graphql_site import NoContainer, application

SECRET = "what a driver quotes"


class Away(NoContainer):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    @property
    def pool(self) -> Any:
        raise self._error


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


OUTAGES = [
    psycopg_pool.PoolTimeout(SECRET),
    psycopg_pool.PoolClosed(SECRET),
    psycopg_pool.TooManyRequests(SECRET),
    psycopg.OperationalError(SECRET),
    psycopg.InterfaceError(SECRET),
    errors.ConnectionFailure(SECRET),
    errors.AdminShutdown(SECRET),
    errors.CrashShutdown(SECRET),
    errors.CannotConnectNow(SECRET),
    errors.TooManyConnections(SECRET),
    errors.DiskFull(SECRET),
    persistence.OperationalError(SECRET),
    persistence.InterfaceError(SECRET),
    caused(persistence.OperationalError(SECRET), errors.AdminShutdown(SECRET)),
    caused(persistence.PersistenceError(SECRET), psycopg_pool.PoolTimeout(SECRET)),
    AppenderClosedError("the log is closed"),
]
OTHERS = [
    errors.QueryCanceled(SECRET),
    errors.UniqueViolation(SECRET),
    errors.SerializationFailure(SECRET),
    errors.UndefinedTable(SECRET),
    errors.DataError(SECRET),
    persistence.IntegrityError(SECRET),
    caused(persistence.OperationalError(SECRET), errors.DeadlockDetected(SECRET)),
    caused(persistence.OperationalError(SECRET), errors.QueryCanceled(SECRET)),
    ValueError(SECRET),
    OSError(SECRET),
]


def names(error: Exception) -> str:
    return f"{type(error).__module__}.{type(error).__name__} {type(error.__cause__).__name__}"


@pytest.mark.parametrize("accept", [JSON, GRAPHQL_RESPONSE])
@pytest.mark.parametrize("error", OUTAGES, ids=names)
def test_an_outage_is_a_503_with_a_reason(error: Exception, accept: str) -> None:
    assert is_outage(error)
    caller = Caller(application(Away(error)))
    with capture_logs() as logs:
        answer = caller.ask("{workspaces {__typename}}", accept=accept)
    caller.close()
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    [failure] = answer.json["errors"]
    assert failure["extensions"] == {"code": "UNAVAILABLE"}
    assert "out of reach" in failure["message"]
    assert SECRET not in str(logs)
    assert [entry["log_level"] for entry in logs if entry["event"] == "graphql_unavailable"] == [
        "warning"
    ]


@pytest.mark.parametrize("error", OTHERS, ids=names)
def test_what_is_our_fault_is_not_called_an_outage(error: Exception) -> None:
    assert not is_outage(error)
    caller = Caller(application(Away(error)))
    with capture_logs() as logs:
        answer = caller.ask("{workspaces {__typename}}")
    caller.close()
    assert answer.status == 200
    assert answer.json["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert SECRET not in str(logs)


def test_a_mistake_beside_an_outage_is_still_a_mistake() -> None:
    """Trying the same again would not help."""
    caller = Caller(application(Away(psycopg.OperationalError())))
    with capture_logs():
        answer = caller.ask("{workspaces {__typename} uploads(first: 0) {__typename}}")
    caller.close()
    codes = {error["extensions"]["code"] for error in answer.json["errors"]}
    assert (answer.status, codes) == (200, {"UNAVAILABLE", "ARGUMENT_REFUSED"})
