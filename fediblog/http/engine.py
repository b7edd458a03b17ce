"""The engine: an httpx transport that lets aiohttp do the work (EGRESS §1 has the measurements).

httpx's own engine costs twice the time for each request and walks all its connections each time. aiohttp
keeps no bound on idle connections, so there are two sessions over one guard: one keeps its connections
and serves a bounded number of origins, the other closes each after use.
"""

import asyncio
import ssl
import time
from asyncio.sslproto import SSLProtocol
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
import httpx
from yarl import URL

from fediblog.http.errors import HungUp, Unreachable
from fediblog.http.guard import Guard, dialling

CONNECT_SECONDS = 5  # look-up, connection and TLS together
READ_SECONDS = 10
KEEP_SECONDS = 20
MOST_KEPT_ORIGINS = 1000

# An extension of httpx.Request: this one must not go over a connection from before.
FRESH = "fediblog.fresh"

# A whole TLS record and its frame. asyncio allocates 256 KiB for each connection otherwise, which makes
# 300 MB of a thousand idle ones.
_TLS_BUFFER = 16_640


def use_small_tls_buffers() -> None:
    """For every TLS connection that asyncio's own loop makes from now on; other loops have their own way."""
    SSLProtocol.max_size = _TLS_BUFFER


class Engine(httpx.AsyncBaseTransport):
    """One request, one answer. Follows nothing, remembers nothing but open connections.

    Raises our own errors: Refused, Unreachable, HungUp.
    """

    def __init__(self, guard: Guard, context: ssl.SSLContext) -> None:
        self._kept = Kept(MOST_KEPT_ORIGINS, KEEP_SECONDS)
        self._keeping = _session(guard, context, keepalive_timeout=KEEP_SECONDS)
        self._closing = _session(guard, context, force_close=True)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request whose content is bytes, and give the answer as soon as its headers are there."""
        session = self._session_for(request)
        with dialling() as dialled, _our_errors(dialled):
            answer = await session.request(
                request.method,
                URL(str(request.url), encoded=True),
                headers=[(name.decode(), value.decode()) for name, value in request.headers.raw],
                data=request.content or None,
                allow_redirects=False,
            )
        return httpx.Response(
            answer.status, headers=answer.raw_headers, stream=_Body(answer), request=request
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._keeping.close()
        await self._closing.close()
        # Transports close in the loop's next round.
        await asyncio.sleep(0)

    def _session_for(self, request: httpx.Request) -> aiohttp.ClientSession:
        if request.extensions.get(FRESH):
            return self._closing
        origin = f"{request.url.scheme}://{request.url.netloc.decode()}"
        return self._keeping if self._kept.has_room_for(origin) else self._closing


class Kept:
    """The origins whose connections may stay open, so many at most.

    An origin gives its place up when it has not been used for as long as connections are kept: then it has
    none any more. Taking a place away earlier would leave its connections behind.
    """

    def __init__(self, most: int, seconds: float) -> None:
        self._most = most
        self._seconds = seconds
        self._used: OrderedDict[str, float] = OrderedDict()

    def has_room_for(self, origin: str) -> bool:
        """Whether this origin has a place or gets one now."""
        now = time.monotonic()
        while self._used and now - next(iter(self._used.values())) > self._seconds:
            self._used.popitem(last=False)
        if origin not in self._used and len(self._used) >= self._most:
            return False
        self._used[origin] = now
        self._used.move_to_end(origin)
        return True


class _Body(httpx.AsyncByteStream):
    """What aiohttp reads, piece by piece as it came, not unpacked."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _our_errors():
            async for piece in self._answer.content.iter_any():
                yield piece

    async def aclose(self) -> None:
        """Let go. A connection with something left to read is closed, others are kept."""
        self._answer.close()


def _session(guard: Guard, context: ssl.SSLContext, **connections: Any) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            resolver=guard,
            use_dns_cache=False,
            socket_factory=guard.socket,
            ssl=context,
            limit=0,
            **connections,
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
        timeout=aiohttp.ClientTimeout(connect=CONNECT_SECONDS, sock_read=READ_SECONDS),
    )


@contextmanager
def _our_errors(dialled: list[str] | None = None) -> Iterator[None]:
    """aiohttp's errors in our words. With `dialled` empty, a connection from before was used."""
    try:
        yield
    except TimeoutError as error:
        raise Unreachable("time") from error
    except aiohttp.ClientSSLError as error:
        raise Unreachable("certificate") from error
    except aiohttp.ClientConnectorError as error:
        raise Unreachable("connection") from error
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
        raise (HungUp if dialled == [] else Unreachable)("connection") from error
    except (aiohttp.ClientResponseError, aiohttp.ClientPayloadError) as error:
        raise Unreachable("answer") from error
    except (aiohttp.ClientError, OSError) as error:
        raise Unreachable("connection") from error
