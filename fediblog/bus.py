"""Saying something to all processes of a site. It is heard once or missed, and never kept.

In one process it goes from hand to hand, with Redis through pub/sub. Saying never blocks and never raises:
whatever is lost on the way, people miss something that they see when they read again.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from fediblog.config import Config
from fediblog.ending import end

log = structlog.get_logger()

Hearer = Callable[[bytes], None]

_MOST_WAITING = 10_000
_BATCH = 500
_PAUSE = 1.0
_PATIENCE = 2.0
_SILENCE = 5.0
_ERRORS = (RedisError, OSError)

_hearers: list[Hearer] = []
_wire: "_Wire | None" = None


def open(config: Config) -> None:
    """From now on other processes hear too, where there are some."""
    global _wire
    if not config.embedded:
        # Redis keeps databases apart, but not what is said in them.
        _wire = _Wire(config.redis.url.get_secret_value(), f"fediblog:{config.domain}")


async def close() -> None:
    """Say what still waits, as far as Redis takes it in a moment, and let go of it."""
    global _wire
    wire, _wire = _wire, None
    if wire is not None:
        await wire.close()


def heard() -> bool:
    """False when nobody hears: then nothing need be said."""
    return _wire is not None or bool(_hearers)


def say(message: bytes) -> None:
    """Tell everybody who hears, in this and in all other processes."""
    if _wire is None:
        _tell(message)
    else:
        _wire.say(message)


def hear(hearer: Hearer) -> None:
    """Have this called with whatever is said, until `ignore`. It must be quick and must not fail."""
    _hearers.append(hearer)
    if _wire is not None:
        _wire.hear()


def ignore(hearer: Hearer) -> None:
    """Hear no more."""
    _hearers.remove(hearer)
    if _wire is not None and not _hearers:
        _wire.ignore()


async def ready() -> None:
    """Wait until what others say is heard here; but not long when Redis is away."""
    if _wire is not None:
        await _wire.ready()


def _tell(message: bytes) -> None:
    for hearer in tuple(_hearers):
        hearer(message)


class _Wire:
    """The connections to Redis: one to speak, and one to hear while somebody does."""

    def __init__(self, url: str, channel: str) -> None:
        self._redis = Redis.from_url(
            url, socket_connect_timeout=_PATIENCE, socket_keepalive=True, health_check_interval=10
        )
        self._channel = channel
        self._waiting: deque[bytes] = deque()
        self._speaking: asyncio.Task[None] | None = None
        self._hearing: asyncio.Task[None] | None = None
        self._connected = asyncio.Event()

    def say(self, message: bytes) -> None:
        if len(self._waiting) >= _MOST_WAITING:
            return
        self._waiting.append(message)
        if self._speaking is None or self._speaking.done():
            self._speaking = asyncio.create_task(self._speak(), name="bus-speaking")

    def hear(self) -> None:
        if self._hearing is None or self._hearing.done():
            self._hearing = asyncio.create_task(self._hear(), name="bus-hearing")

    def ignore(self) -> None:
        self._connected.clear()
        if self._hearing is not None:
            self._hearing.cancel()
            self._hearing = None

    async def ready(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await self._connected.wait()

    async def close(self) -> None:
        if self._speaking is not None:
            await asyncio.wait([self._speaking], timeout=_PATIENCE)
        await end(*(task for task in (self._speaking, self._hearing) if task is not None))
        with suppress(*_ERRORS):
            await self._redis.aclose()

    async def _speak(self) -> None:
        """Until nothing waits. Many messages at once cost little more than one."""
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]
            try:
                async with asyncio.timeout(_SILENCE), self._redis.pipeline(transaction=False) as pipe:
                    for message in batch:
                        pipe.publish(self._channel, message)
                    await pipe.execute()
            except (*_ERRORS, TimeoutError):
                # Old news is none: who listens has missed it.
                self._waiting.clear()
                await asyncio.sleep(_PAUSE)

    async def _hear(self) -> None:
        """For ever; a connection that is lost is made anew."""
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    await pubsub.subscribe(self._channel)
                    await self._pass_on(pubsub)
            except _ERRORS as error:
                if self._connected.is_set():
                    log.warning("streams hear nothing from other processes", reason=str(error))
                self._connected.clear()
                await asyncio.sleep(_PAUSE)

    async def _pass_on(self, pubsub: PubSub) -> None:
        while True:
            message = await pubsub.get_message(timeout=_SILENCE)
            if message is None:
                continue
            if message["type"] == "subscribe":
                self._connected.set()
            elif message["type"] == "message":
                _tell(message["data"])
