"""The framework as we use it: the same application with less to do for each request, and bodies with limits.

Most requests are reads without a body, answered by bytes that are there already. For these Quart would start
three tasks and listen for a disconnect that changes nothing; what streams, and what has a body, still goes
its way.
"""

import asyncio
from collections.abc import Generator
from functools import lru_cache
from inspect import iscoroutinefunction
from typing import Any, cast

from quart import Quart, Request, Response
from quart.asgi import ASGIHTTPConnection, ASGIWebsocketConnection
from quart.utils import encode_headers
from quart.wrappers.request import Body
from quart.wrappers.response import DataBody
from werkzeug.exceptions import RequestEntityTooLarge

BODYLESS = "fediblog.bodyless"
"""Set in the scope of a request that has no body, so that nobody waits for one."""

MOST_BYTES = 1024 * 1024
# So much of a body that nobody has read yet is kept; then the sender waits.
_BUFFER = 256 * 1024
_MESSAGES = 16


class _Body(Body):
    """A body that may be told how large it may become, and lets the sender wait while nobody reads it."""

    def __init__(self, expected: int | None, most: int | None) -> None:
        super().__init__(expected, most)
        self._room = asyncio.Event()
        self._room.set()
        self._wanted_whole = False
        self._thrown_away = False

    def limit(self, most: int) -> bool:
        """Take no more than this. False when more is here already."""
        self._max_content_length = most
        return len(self._data) <= most

    def append(self, data: bytes) -> None:
        """Keep what has arrived."""
        if self._thrown_away:
            return
        super().append(data)
        if len(self._data) >= _BUFFER and not self._wanted_whole:
            self._room.clear()

    def throw_away(self) -> None:
        """Nobody wants it any more: from now on it may come at any pace and is not kept."""
        self._thrown_away = True
        self._data.clear()
        self._room.set()

    async def room(self) -> None:
        """Wait until somebody has read what is here."""
        await self._room.wait()

    async def __anext__(self) -> bytes:
        data = await super().__anext__()
        self._room.set()
        return data

    def __await__(self) -> Generator[Any, None, Any]:
        self._wanted_whole = True
        self._room.set()
        return (yield from super().__await__())


class SizedRequest(Request):
    """A request whose body has the limit of its route."""

    body_class: type[_Body] = _Body
    body: _Body

    def limit(self, most: int) -> None:
        """Refuse a body over `most` bytes. Raises RequestEntityTooLarge when that is known already."""
        self.max_content_length = most
        self.max_form_memory_size = MOST_BYTES
        if not self.body.limit(most) or (self.content_length or 0) > most:
            raise RequestEntityTooLarge

    @property
    def blueprints(self) -> list[str]:
        """Quart's: the blueprint of the route and those it lies in, from the inside out."""
        return list(_around(self.endpoint or ""))


@lru_cache(1_024)
def _around(endpoint: str) -> tuple[str, ...]:
    outer = endpoint.rpartition(".")[0]
    return (outer, *_around(outer)) if outer else ()


class _Connection(ASGIHTTPConnection):
    """One request and its answer. A body comes in at the pace at which it is read: it costs its buffer."""

    async def __call__(self, receive: Any, send: Any) -> None:
        """ASGI's own signature."""
        if not self.scope.get(BODYLESS):
            await super().__call__(receive, send)
            return
        request = self._create_request_from_scope(send)
        request.body.set_complete()
        response = await self.app.handle_request(request)
        if _bytes_of(response) is not None:
            await self._deliver(send, response)
        else:
            await self._while_somebody_listens(receive, self._deliver(send, response))

    async def handle_messages(self, request: Request, receive: Any) -> None:
        """Take the body in; returns when the other side has gone."""
        body = cast(_Body, request.body)
        while (message := await receive())["type"] == "http.request":
            body.append(message.get("body", b""))
            if message.get("more_body", False):
                await body.room()
            else:
                body.set_complete()

    async def handle_request(self, request: Request, send: Any) -> None:
        """Answer a request."""
        await self._deliver(send, await self.app.handle_request(request))

    async def _while_somebody_listens(self, receive: Any, delivery: Any) -> None:
        sending = asyncio.ensure_future(delivery)
        gone = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait((sending, gone), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, gone):
                task.cancel()
            await asyncio.gather(sending, gone, return_exceptions=True)
        if not sending.cancelled():
            sending.result()

    async def _deliver(self, send: Any, response: Any) -> None:
        """Send an answer. Who does not take it in time does not get the rest."""
        seconds = getattr(response, "timeout", ...)
        try:
            async with asyncio.timeout(self.app.config["RESPONSE_TIMEOUT"] if seconds is ... else seconds):
                await self._send_response(send, response)
        except TimeoutError:
            pass

    async def _send_response(self, send: Any, response: Any) -> None:
        body = _bytes_of(response)
        if body is None:
            await super()._send_response(send, response)
            return
        headers = encode_headers(response.headers)
        await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})


class _WebSocket(ASGIWebsocketConnection):
    """Takes messages in at the pace at which they are read."""

    def __init__(self, app: Quart, scope: Any) -> None:
        super().__init__(app, scope)
        self.queue = asyncio.Queue(_MESSAGES)


class Application(Quart):
    """Quart with our requests and connections."""

    request_class = SizedRequest
    asgi_http_class = _Connection
    asgi_websocket_class = _WebSocket

    def ensure_async(self, func: Any) -> Any:
        """Quart's, which looks at the same functions some ten times in each request."""
        return func if _is_async(func) else super().ensure_async(func)


_is_async = lru_cache(512)(iscoroutinefunction)


def _bytes_of(response: Any) -> bytes | None:
    """The body of an answer that is there as a whole."""
    body = getattr(response, "response", None)
    if isinstance(response, Response) and isinstance(body, DataBody):
        return body.data[body.begin : body.end]
    return None


async def _gone(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
