"""Serving HTTP with hypercorn: its settings, the socket, and the wish to end."""

import asyncio
import logging
import os
import signal
from contextlib import suppress
from types import FrameType
from typing import Any, NoReturn

import hypercorn
from hypercorn.asyncio import serve
from hypercorn.protocol import h11
from hypercorn.protocol.events import Event
from hypercorn.protocol.ws_stream import WSStream
from quart import Quart
from wsproto.events import Ping

from fediblog import health
from fediblog.config import Config
from fediblog.house import StartRefused

# SECURITY R8: requests in flight get this long.
GRACE = 20.0
# So long connections are still taken after the signal, and `/readyz` says 503, for the proxy in front to see.
_NOTICE = 0.5
# A process of many is replaced after so many requests, give or take: what leaks does not add up.
_MOST_REQUESTS = 100_000


class _WebSocket(WSStream):
    """hypercorn's pings sleep on when their connection has gone, and would hold up our end: these go too."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._gone = asyncio.Event()

    async def handle(self, event: Event) -> None:
        """Something has come from the other side, or the other side has gone."""
        await super().handle(event)
        if self.closed:
            self._gone.set()

    async def _send_pings(self) -> None:
        while not self.closed:
            await self._send_wsproto_event(Ping())
            with suppress(TimeoutError):
                async with asyncio.timeout(self.config.websocket_ping_interval):
                    await self._gone.wait()


class Stop:
    """The wish to end: SIGTERM, SIGINT, or a parent that has died."""

    def __init__(self, parent: int | None = None, impatient: bool = False) -> None:
        """`parent`: a pipe whose other end our parent holds. `impatient`: a second Ctrl-C ends at once."""
        self._wished = asyncio.Event()
        self._impatient = impatient
        self._loop = asyncio.get_running_loop()
        # Not the loop's own handlers: they go when it closes, and a second signal would then be our death.
        signal.signal(signal.SIGTERM, self._signalled)
        signal.signal(signal.SIGINT, self._signalled)
        if parent is not None:
            self._loop.add_reader(parent, self._orphaned, parent)

    async def wait(self) -> None:
        """Until somebody wishes us to end."""
        await self._wished.wait()

    def _signalled(self, number: int, _: FrameType | None) -> None:
        if self._impatient and number == signal.SIGINT:
            signal.signal(number, _end_at_once)
        else:
            signal.signal(number, signal.SIG_IGN)
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wished.set)

    def _orphaned(self, parent: int) -> None:
        self._loop.remove_reader(parent)
        self._wished.set()


def listen(config: Config) -> int:
    """Bind the address of the configuration and give the descriptor. Raises StartRefused when it is taken."""
    settings = hypercorn.Config()
    settings.bind = [config.bind]
    try:
        [socket] = settings.create_sockets().insecure_sockets
        return socket.detach()
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise StartRefused(f"fediblog cannot listen on {config.bind}: {reason}.") from None


async def serve_http(app: Quart, descriptor: int, stop: Stop, replaceable: bool = False) -> None:
    """Serve until the stop; then requests in flight may end and new ones are turned away."""

    async def trigger() -> None:
        await stop.wait()
        health.of(app).drain()
        await asyncio.sleep(_NOTICE)

    # There is no other way to say so.
    setattr(h11, "WSStream", _WebSocket)  # noqa: B010
    await serve(app, _settings(descriptor, replaceable), shutdown_trigger=trigger)


def _settings(descriptor: int, replaceable: bool) -> hypercorn.Config:
    settings = hypercorn.Config()
    settings.bind = [f"fd://{descriptor}"]
    settings.backlog = 1024
    # The log lines are ours (entrance.py); what hypercorn has to say itself goes the same way as all others.
    settings.accesslog = None
    settings.errorlog = logging.getLogger("hypercorn.error")
    settings.include_server_header = False
    # All headers of a request together. What is bigger is answered with 431.
    settings.h11_max_incomplete_size = 32 * 1024
    settings.h2_max_header_list_size = 32 * 1024
    settings.websocket_max_message_size = 64 * 1024
    # Phones sit behind routers that forget who is silent for a minute.
    settings.websocket_ping_interval = 30
    # Longer than the minute for which proxies keep their connections, so that it is they who close; it is
    # also how long a client may take for its headers.
    settings.keep_alive_timeout = 65
    settings.graceful_timeout = GRACE
    settings.shutdown_timeout = 5
    if replaceable:
        settings.max_requests = _MOST_REQUESTS
        settings.max_requests_jitter = _MOST_REQUESTS // 4
    return settings


def _end_at_once(*_: int | FrameType | None) -> NoReturn:
    os._exit(130)
