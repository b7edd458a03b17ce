"""The body of a request, within its budgets: bytes, seconds, and how many may bring something at once.

Above that the inbox says 503 before it reads anything: it is shed before people are (SECURITY §9 R15).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from fediblog.activitypub.compact import MOST_BYTES
from fediblog.errors import FediblogError, TooLarge, Unavailable, Unsupported
from fediblog.http import media_type

Receive = Callable[[], Awaitable[Any]]

MOST_AT_ONCE = 512
# Nearly all are of 2 kB. Those that are not could fill the memory, so few are here at a time.
_LARGE = 64 * 1024
_MOST_LARGE = 32
_SECONDS = 15.0
# With the signature over the body the type proves nothing; some write only this much of it.
_TYPES = frozenset(("application/activity+json", "application/ld+json", "application/json"))


class TooSlow(FediblogError):
    """The request did not arrive in time."""

    http_status = 408
    default = "The request did not arrive in time."


class Left(FediblogError):
    """The client went away in the middle of its request: nobody hears the answer."""

    http_status = 400
    default = "The request did not arrive."


class Room:
    """How many are being served at this moment."""

    def __init__(self) -> None:
        self._people = 0
        self._large = 0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place for one request. Raises Unavailable when there is none."""
        if self._people >= MOST_AT_ONCE:
            raise Unavailable()
        self._people += 1
        try:
            yield
        finally:
            self._people -= 1

    @asynccontextmanager
    async def large_one(self) -> AsyncIterator[None]:
        """A place for one large body. Raises Unavailable when there is none."""
        if self._large >= _MOST_LARGE:
            raise Unavailable()
        self._large += 1
        try:
            yield
        finally:
            self._large -= 1


class Body:
    """A body on its way in: read within its budgets, or thrown away."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._ended = False

    async def read(self, room: Room, announced: int) -> bytes:
        """All of it. Raises TooLarge, as soon as that is known, TooSlow, Left, Unavailable."""
        if announced > MOST_BYTES:
            raise TooLarge()
        try:
            async with asyncio.timeout(_SECONDS):
                start = b"" if announced > _LARGE else await self._read_to(_LARGE, b"")
                if self._ended:
                    return start
                async with room.large_one():
                    body = await self._read_to(MOST_BYTES, start)
        except TimeoutError:
            raise TooSlow() from None
        if not self._ended:
            raise TooLarge()
        return body

    async def throw_away(self) -> None:
        """Take in what still comes: who is sending does not look for an answer."""
        while not self._ended:
            with suppress(Left):
                await self._next()

    async def _read_to(self, most: int, start: bytes) -> bytes:
        """Until the end, or until there is more than so much."""
        pieces, size = [start], len(start)
        while not self._ended and size <= most:
            piece = await self._next()
            pieces.append(piece)
            size += len(piece)
        if size > MOST_BYTES:
            raise TooLarge()
        return b"".join(pieces)

    async def _next(self) -> bytes:
        message = await self._receive()
        if message["type"] != "http.request":
            self._ended = True
            raise Left()
        self._ended = not message.get("more_body", False)
        piece: bytes = message.get("body", b"")
        return piece


def announced(headers: Mapping[str, str]) -> int:
    """The length that the request says it has. Raises Unsupported for what the inbox does not read."""
    if headers.get("content-encoding", "identity").lower() != "identity":
        # A bomb is small until it is opened.
        raise Unsupported("Compressed bodies are not read here.")
    kind = media_type(headers.get("content-type", ""))
    if kind is None or kind.essence not in _TYPES:
        raise Unsupported()
    length = headers.get("content-length", "0")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 16 else MOST_BYTES + 1
