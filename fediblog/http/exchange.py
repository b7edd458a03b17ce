"""One request to one server: headers, signature, turn, and the second try that a kept connection may need."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

import httpx

from fediblog.http.engine import FRESH
from fediblog.http.errors import HungUp, Unreachable
from fediblog.http.turns import Turns
from fediblog.http.urls import host


@dataclass(frozen=True)
class Outgoing:
    """A request as it will be sent: what a signer signs. `url` has been through `check_url`."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


Signer = Callable[[Outgoing], Mapping[str, str]]
"""Gives the headers that make a request authentic, those it covers included: Date, Digest, Signature.
Asked anew for every hop and every try."""


class Exchange:
    """Requests by one transport under one name, in turns.

    The transport is called directly. httpx's client would cost half as much again and bring cookies,
    redirects and proxies that would have to be switched off.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport, user_agent: str) -> None:
        self._transport = transport
        self._basics = {"User-Agent": user_agent, "Accept-Encoding": "gzip"}
        self._turns = Turns()

    def turn(self, url: str) -> AbstractAsyncContextManager[None]:
        """A turn at the host of this URL. Every `ask` stands in one."""
        return self._turns.of(host(url))

    async def ask(self, outgoing: Outgoing, signer: Signer | None = None) -> httpx.Response:
        """Sign and send. The answer is to be closed; its body has not been read.

        When a connection from before turns out to be closed, the request is signed and sent once more over
        a new one. Whoever has got it twice tells by its id (RFC 9110 §9.2.2 would not repeat a POST).
        Raises Refused, Unreachable.
        """
        try:
            return await self._send(outgoing, signer, fresh=False)
        except HungUp:
            return await self._send(outgoing, signer, fresh=True)

    async def close(self) -> None:
        """Close every connection."""
        await self._transport.aclose()

    async def _send(self, outgoing: Outgoing, signer: Signer | None, fresh: bool) -> httpx.Response:
        # Names are written as by us alone, each once, so that later ones replace earlier ones.
        headers = {**self._basics, **outgoing.headers, **(signer(outgoing) if signer else {})}
        request = httpx.Request(
            outgoing.method,
            outgoing.url,
            headers=list(headers.items()),
            content=outgoing.body,
            extensions={FRESH: fresh},
        )
        return await self._transport.handle_async_request(request)


@asynccontextmanager
async def deadline(seconds: float) -> AsyncIterator[None]:
    """The block ends in time, or with Unreachable. Only this ends headers and bodies that come in drops."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise Unreachable("time") from None
