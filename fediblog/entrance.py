"""What every request passes on its way in and out: the proxy in front, its id, its line in the log, its size.

This stands before the framework, so that also what the framework refuses has an id and a line. Query strings
are never logged: they may hold tokens (SECURITY §8).
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, cast

import structlog
from hypercorn.typing import ASGIFramework
from quart import Quart, current_app, request, websocket
from structlog.contextvars import bound_contextvars
from werkzeug.routing import IntegerConverter

from fediblog import logs
from fediblog.config import Network
from fediblog.framework import BODYLESS, MOST_BYTES, SizedRequest

log = structlog.get_logger()

ROUTE = "fediblog.route"
_BODY = "fediblog.body"
MOST_HEADER_BYTES = 32 * 1024
# A view that takes more says so with an attribute of this name, in bytes: `upload.max_body = 40 * 1024 ** 2`.
LARGER = "max_body"
# Who is refused may go on sending for so long: all in all, and without a sound.
_LINGER, _SILENCE = 30.0, 5.0
# Who sends much may take its time.
_SECONDS_FOR_MUCH = 900

_QUIET = frozenset({"/livez", "/readyz", "/health"})


class Number(IntegerConverter):
    """`<int:…>` in routes: what no id can be is a path that is not there, before a database chokes on it.

    It is no part of the path at all, not a number that is refused afterwards: then a method that another
    route of the same path knows would be answered with 405. Up to 9·10¹⁸, which ids reach in the year 6300.
    """

    regex = "[0-8]?[0-9]{1,18}"


class Entrance:
    """Wraps the application: `app.asgi_app = Entrance(app.asgi_app, trusted)`."""

    def __init__(self, inner: ASGIFramework, trusted: Sequence[Network] = ()) -> None:
        self._inner = inner
        self._trusted = trusted

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """ASGI's own signature."""
        if scope["type"] not in ("http", "websocket"):
            return await self._inner(scope, receive, send)
        headers = _headers(scope["headers"])
        status = _fault(scope, headers)
        if status:
            return await _refuse(scope, send, status)
        _see_through_proxies(scope, headers, self._trusted)
        scope[BODYLESS] = _is_bodyless(scope, headers)
        request_id = logs.request_id_from(headers.get("x-request-id"))
        line = _Line(scope, send, request_id)
        incoming = _Incoming(scope, receive, line.send)
        with bound_contextvars(request_id=request_id):
            try:
                await self._inner(scope, incoming.receive, incoming.send)
            finally:
                line.write()


class _Line:
    """The log line of one request, filled while the answer goes out."""

    def __init__(self, scope: Any, send: Any, request_id: str) -> None:
        self._scope = scope
        self._send = send
        self._request_id = request_id.encode()
        self._started = time.perf_counter()
        self._status = 0

    async def send(self, message: Any) -> None:
        """Pass a part of the answer on, with the id in its head."""
        if message["type"].endswith("response.start"):
            self._status = message["status"]
            message["headers"] = [*message["headers"], (b"x-request-id", self._request_id)]
        elif message["type"] == "websocket.accept":
            self._status = HTTPStatus.SWITCHING_PROTOCOLS.value
        await self._send(message)

    def write(self) -> None:
        """To be called when the answer is complete, or when the client has gone (status 0)."""
        route = self._scope.get(ROUTE) or "-"
        tell = log.debug if route in _QUIET else log.info
        tell(
            "request",
            method=self._scope.get("method", "WEBSOCKET"),
            route=route,
            status=self._status,
            duration_ms=round((time.perf_counter() - self._started) * 1000, 1),
        )


class _Incoming:
    """The body of a request on its way in, whether anybody reads it or not.

    Who still sends does not look for an answer, and a connection that is closed on them takes the answer away
    (RFC 9112 §9.6). So an answer that comes early is given, and then the rest is taken in and thrown away.
    """

    def __init__(self, scope: Any, receive: Any, send: Any) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._heard = asyncio.Event()
        self._complete = scope["type"] != "http" or scope[BODYLESS]

    async def receive(self) -> Any:
        """The next part, for the application."""
        message = await self._receive()
        self._complete = self._complete or not message.get("more_body", False)
        self._heard.set()
        return message

    async def send(self, message: Any) -> None:
        """Pass the answer on; its end waits for the end of the request."""
        last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if last and not self._complete:
            await self._send({**message, "more_body": True})
            await self._rest()
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    async def _rest(self) -> None:
        body = self._scope.get(_BODY)
        if body is not None:
            body.throw_away()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LINGER):
                while not self._complete:
                    self._heard.clear()
                    await asyncio.wait_for(self._heard.wait(), _SILENCE)


def install(app: Quart, trusted: Sequence[Network]) -> None:
    """Put the entrance before an application. First of all: what it limits must not have been read."""
    app.url_map.converters["int"] = Number
    # The limit is known once the route is: `_before` sets it before anybody reads.
    app.config["MAX_CONTENT_LENGTH"] = None
    app.before_request(_before)
    app.before_websocket(_before_websocket)
    app.asgi_app = Entrance(app.asgi_app, trusted)  # type: ignore[method-assign]


async def _before() -> None:
    asked = cast(SizedRequest, request)
    scope = cast(dict[str, Any], asked.scope)
    scope[ROUTE] = asked.url_rule.rule if asked.url_rule else None
    scope[_BODY] = asked.body
    view = current_app.view_functions.get(asked.endpoint or "")
    most = getattr(view, LARGER, MOST_BYTES)
    if most > MOST_BYTES:
        asked.body_timeout = _SECONDS_FOR_MUCH
    asked.limit(most)


async def _before_websocket() -> None:
    scope = cast(dict[str, Any], websocket.scope)
    scope[ROUTE] = websocket.url_rule.rule if websocket.url_rule else None


def _fault(scope: Any, headers: dict[str, str]) -> int:
    """The status for a request that no server should take, 0 for all others."""
    # Two lengths: what is the end of this request for us may be its middle for the proxy (RFC 9112 §6.3).
    if "content-length" in headers and "transfer-encoding" in headers:
        return 400
    # HTTP/2 without TLS is what somebody gets who tunnels past the proxy with `Upgrade: h2c`.
    if scope["http_version"] == "2" and scope["scheme"] in ("http", "ws"):
        return 505
    size = sum(len(name) + len(value) for name, value in scope["headers"])
    if size + len(scope.get("raw_path") or b"") + len(scope["query_string"]) > MOST_HEADER_BYTES:
        return 431
    return 0


def _is_bodyless(scope: Any, headers: dict[str, str]) -> bool:
    """Whether it is known beforehand that nothing follows the headers (RFC 9112 §6.3)."""
    return (
        scope.get("method") in ("GET", "HEAD")
        and scope["http_version"] in ("1.0", "1.1")
        and "transfer-encoding" not in headers
        and headers.get("content-length", "0") == "0"
    )


async def _refuse(scope: Any, send: Any, status: int) -> None:
    log.info("request refused", status=status)
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [(b"content-length", b"0")]
    if scope["http_version"] != "2":
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The headers with small names; several with one name become a list, as HTTP allows."""
    headers: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin1").lower(), value.decode("latin1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def _see_through_proxies(scope: Any, headers: dict[str, str], trusted: Sequence[Network]) -> None:
    """When the peer is a proxy of ours, the address and scheme it saw are the real ones.

    `X-Forwarded-For` grows at its right end; from there the first address that is none of ours is the
    client's. What stands left of it anybody may have written (SECURITY §7).
    """
    if not trusted or not _is_trusted((scope.get("client") or ("",))[0], trusted):
        return
    for address in reversed([part.strip() for part in headers.get("x-forwarded-for", "").split(",")]):
        parsed = _address(address)
        if parsed is None:
            break
        scope["client"] = (str(parsed), 0)
        if not _is_trusted(address, trusted):
            break
    scheme = headers.get("x-forwarded-proto", "").lower()
    if scheme in ("http", "https") and scope["type"] == "http":
        scope["scheme"] = scheme


def _is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    parsed = _address(address)
    return parsed is not None and any(
        parsed.version == network.version and parsed in network for network in trusted
    )


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(text.strip("[]"))
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed
