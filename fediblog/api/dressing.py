"""What each answer of the API carries, below the framework: it is the same for all of them."""

from hashlib import sha1
from typing import Any

from fediblog import moments
from fediblog.allowances import Allowance

ALLOWANCE = "fediblog.allowance"
"""In the scope of a request: what its caller may still ask for."""

PREFIXES = (
    "/api/",
    "/oauth/token",
    "/oauth/revoke",
    "/oauth/userinfo",
    "/.well-known/oauth-authorization-server",
    "/openapi.json",
)

Header = tuple[bytes, bytes]
Headers = list[Header]

_ASKED = (b"authorization", b"if-none-match")
_OF_BODIES = (b"content-type", b"content-length")
_FOR_ONE = (b"cache-control", b"private, no-store")
# Kept by whoever likes to, and asked for each time: what is deleted is gone.
_FOR_ALL = (b"cache-control", b"public, no-cache")

_ALWAYS: Headers = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"POST, PUT, DELETE, GET, PATCH, OPTIONS"),
    (b"access-control-allow-headers", b"Authorization, Content-Type, Idempotency-Key"),
    (
        b"access-control-expose-headers",
        b"Link, X-RateLimit-Reset, X-RateLimit-Limit, X-RateLimit-Remaining, X-Request-Id,"
        b" Mastodon-Async-Refresh",
    ),
    (b"access-control-max-age", b"7200"),
    (b"vary", b"Authorization, Origin"),
    (b"x-content-type-options", b"nosniff"),
]


class Dressed:
    """Adds what each answer of the API carries, below the framework: it is the same for all of them."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """ASGI's own signature."""
        if scope["type"] != "http" or not scope["path"].startswith(PREFIXES):
            await self._inner(scope, receive, send)
        else:
            await self._inner(scope, receive, _Answer(scope, send).send)


class _Answer:
    """One answer on its way out. What everybody may read has an ETag: whoever keeps it gets it once."""

    def __init__(self, scope: Any, send: Any) -> None:
        self._scope = scope
        asked = {name: value for name, value in scope["headers"] if name in _ASKED}
        self._private = b"authorization" in asked or scope["method"] not in ("GET", "HEAD")
        self._known = asked.get(b"if-none-match")
        self._start: Any = None
        self._send = send

    async def send(self, message: Any) -> None:
        """Pass a part of the answer on."""
        if message["type"] == "http.response.start":
            for_all = message["status"] == 200 and not self._private
            message["headers"] = _dressed(
                message["headers"], self._private, _FOR_ALL if for_all else _FOR_ONE
            )
            if (left := self._scope.get(ALLOWANCE)) is not None:
                message["headers"] += _counted(left)
            if for_all:
                self._start = message
                return
        if self._start is not None:
            start, self._start = self._start, None
            message = _marked(start, message, self._known)
            await self._send(start)
        await self._send(message)


def _dressed(headers: Headers, private: bool, caching: Header) -> Headers:
    replaced = (b"vary", b"cache-control") if private else (b"vary",)
    kept = [header for header in headers if header[0] not in replaced]
    if not any(name == b"cache-control" for name, _ in kept):
        kept.append(caching)
    return kept + _ALWAYS


def _marked(start: Any, message: Any, known: bytes | None) -> Any:
    """The body, or nothing for whoever has it already; then `start` becomes a 304 (RFC 9110 §13.1.2)."""
    if message.get("more_body", False):
        return message
    tag = b'"' + sha1(message["body"], usedforsecurity=False).hexdigest().encode() + b'"'
    start["headers"].append((b"etag", tag))
    if known is None or not any(each.strip().removeprefix(b"W/") == tag for each in known.split(b",")):
        return message
    start["status"] = 304
    start["headers"] = [header for header in start["headers"] if header[0] not in _OF_BODIES]
    return {**message, "body": b""}


def _counted(left: Allowance) -> Headers:
    return [
        (b"x-ratelimit-limit", str(left.most).encode()),
        (b"x-ratelimit-remaining", str(max(0, left.left)).encode()),
        (b"x-ratelimit-reset", moments.iso(left.until).encode()),
    ]
