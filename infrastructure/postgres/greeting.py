"""Whether there is a PostgreSQL at an address, whatever it thinks of us."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterator
from typing import Any

from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import Conninfo

ANSWER_SECONDS = 1.0  # for each address
FOLDERS = ("/var/run/postgresql", "/tmp")  # noqa: S108 # where sockets are if no host is named
PROTOCOL = 3 << 16
MAX_ANSWER = 4096  # bytes
CANNOT_CONNECT_NOW = b"C57P03\0"  # it starts, or shuts down
# What a network or a machine without a server says. The rest is trouble of our own, or unclear.
NOBODY = frozenset(
    {
        errno.ECONNABORTED,
        errno.ECONNREFUSED,
        errno.ECONNRESET,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.ENOENT,
        errno.EPIPE,
        errno.ETIMEDOUT,
    }
)


def is_there(conninfo: str) -> bool | None:
    """
    Asks as the driver does, but tells refusals apart, which libpq does in a language of men only.

    Returns:
        True: it answers, be it that it has too many clients, or takes the password for wrong.
        False: there is nobody, or nobody answers, or it has just begun to start or to stop.
        None: unknown, such as where the name is not found, or no file can be opened here.
    """
    found: list[bool | None] = []
    try:
        facts = known(conninfo)
        if facts.get("service"):
            return None  # a file says the rest
        for family, address in addresses(facts):
            found.append(greet(family, address, str(facts.get("user") or "postgres")))
            if found[-1]:
                return True
    except OSError:  # of the resolver
        return None
    return None if None in found or not found else False


def known(conninfo: str) -> dict[str, Any]:
    """What the connection string says, else the environment."""
    defaults = {
        option.keyword.decode(): option.val.decode()
        for option in Conninfo.get_defaults()
        if option.val
    }
    return {**defaults, **conninfo_to_dict(conninfo)}


def addresses(facts: dict[str, Any]) -> Iterator[tuple[int, Any]]:
    hosts = str(facts.get("hostaddr") or facts.get("host") or ",".join(FOLDERS)).split(",")
    ports = str(facts.get("port") or 5432).split(",")
    for index, host in enumerate(hosts):
        port = int(ports[min(index, len(ports) - 1)] or 5432)
        if host.startswith(("/", "@")):
            path = f"{host}/.s.PGSQL.{port}"
            yield socket.AF_UNIX, f"\0{path[1:]}" if host.startswith("@") else path
            continue
        found = socket.getaddrinfo(host or "localhost", port, type=socket.SOCK_STREAM)
        for family, _, _, _, address in found:
            yield family, address


def greet(family: int, address: Any, user: str) -> bool | None:
    facts = b"user\0" + user.encode() + b"\0\0"
    try:
        with socket.socket(family, socket.SOCK_STREAM) as connection:
            connection.settimeout(ANSWER_SECONDS)
            connection.connect(address)
            connection.sendall(struct.pack("!ii", len(facts) + 8, PROTOCOL) + facts)
            answer = connection.recv(MAX_ANSWER)
    except TimeoutError:
        return False
    except OSError as error:
        return False if error.errno in NOBODY else None
    return bool(answer) and CANNOT_CONNECT_NOW not in answer
