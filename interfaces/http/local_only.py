"""Until accounts exist: only programs and people on this machine are served.

A web page from elsewhere, open in a browser on this machine, is not one of them. It could reach
us in two ways: by a name of its own that it lets point to 127.0.0.1 (DNS rebinding), which the
Host header shows, or by sending requests here without reading the answers (CSRF), which Origin
and Sec-Fetch-Site show. Even a GET of the interfaces costs work and leaves facts behind: an image
or a link on such a page must cause neither.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from http import HTTPStatus
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from interfaces.http.problems import problem

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
INTERFACES = ("/api", "/graphql")  # and what is below; the rest are pages and probes
# A proxy on this machine makes everybody look local, and adds one of these.
PROXY_HEADERS = ("forwarded", "x-forwarded-for", "x-real-ip")
REFUSED = 1008  # WebSocket close code: against the policy


class LocalOnly:
    def __init__(
        self,
        app: ASGIApp,
        *,
        clients: Collection[IPv4Network | IPv6Network] = LOOPBACK,
    ) -> None:
        """`clients`: who counts as local; a container's host has another address than loopback."""
        self._app = app
        self._is_client = lru_cache(maxsize=256)(lambda address: is_within(address, clients))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        reason = self._why_not(scope)
        if reason is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": REFUSED, "reason": reason[:120]})
        else:
            answer = problem(HTTPStatus.FORBIDDEN, "local_only", reason)
            await answer(scope, receive, send)

    def _why_not(self, scope: Scope) -> str | None:
        headers = Headers(scope=scope)
        if not self._is_local(scope):
            return "only this machine may ask, because this instance has no accounts yet"
        if any(name in headers for name in PROXY_HEADERS):
            return "a proxy may not stand before this instance, because it has no accounts yet"
        host = headers.get("host", "")
        if not is_own_name(host_name(host)):
            return "ask for 127.0.0.1, localhost or [::1], by no other name"
        if not is_for_all_pages(scope) and is_cross_site(headers, host):
            return "a page of another site may not ask for this"
        return None

    def _is_local(self, scope: Scope) -> bool:
        return self._is_client((scope.get("client") or ("", 0))[0])


def is_for_all_pages(scope: Scope) -> bool:
    """Whether nothing happens when it is asked for: pages from elsewhere may lead to it."""
    if scope["type"] != "http" or scope["method"] not in SAFE_METHODS:
        return False
    path = scope["path"]
    return not any(path == name or path.startswith(f"{name}/") for name in INTERFACES)


@lru_cache(maxsize=256)
def host_name(host: str) -> str | None:
    """Of a Host header, without the port. None if it is malformed."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port  # raises if it is no number
    except ValueError:
        return None
    return parts.hostname if parts.netloc == host and "@" not in host else None


@lru_cache(maxsize=256)
def is_own_name(name: str | None) -> bool:
    """No page can let an address point elsewhere, as it can a name."""
    return name == "localhost" or is_within(name or "", LOOPBACK)


def is_within(text: str, networks: Collection[IPv4Network | IPv6Network]) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in networks)


def is_cross_site(headers: Headers, host: str) -> bool:
    """Browsers send at least one of the two headers; programs such as curl send neither."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None and site not in {"same-origin", "none"}:
        return True
    return origin is not None and origin not in {f"http://{host}", f"https://{host}"}
