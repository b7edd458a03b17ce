"""Those who listen to streams in this process: how many there may be, how long, and what waits for each.

Whether a token still holds is asked every few seconds for all of them in one statement, so that a revoked
token, a suspended account and a disabled log-in end their streams whoever decided so, and in which process
(SECURITY §6). While the database is away they go on for a minute at most.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from typing import NamedTuple

import structlog

from fediblog import bus
from fediblog.errors import FediblogError, TooMany, Unavailable
from fediblog.models import Account
from fediblog.services import streams, tokens
from fediblog.services.channels import Channel
from fediblog.services.streams import News

log = structlog.get_logger()

MOST = 5_000
MOST_OF_ONE = 64
MOST_CHANNELS = 100
# Who has so much waiting does not read, or reads too slowly.
MOST_WAITING = 200
_MOST_NEWS = 10_000
LOOK_EVERY = 3.0
_LONGEST_UNSEEN = 60.0


# Of what is said to one listener alone.
NOWHERE = Channel("")


class Message(NamedTuple):
    """What is sent: in which channel, what happened, and JSON or an id where there is more to say."""

    channel: Channel
    event: str
    payload: str | None = None


class Listener:
    """One connection: whose it is, to which channels it listens, and what waits to be sent to it."""

    def __init__(self, account: Account, scopes: frozenset[str], token_id: int) -> None:
        self.account, self.scopes, self.token_id = account, scopes, token_id
        self.channels: set[Channel] = set()
        self.over = False
        self._waiting: deque[Message] = deque()
        self._awake = asyncio.Event()

    def put(self, message: Message) -> bool:
        """Have something sent. False when too much waits already."""
        if len(self._waiting) >= MOST_WAITING:
            return False
        if message.channel in self.channels or message.channel == NOWHERE:
            self._waiting.append(message)
            self._awake.set()
        return True

    async def next(self, seconds: float | None = None) -> Message | None:
        """What is to be sent next; None after so long a silence, and at the end (`over`)."""
        if not self._waiting and not self.over:
            self._awake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._awake.wait()
        return self._waiting.popleft() if self._waiting and not self.over else None

    def end(self) -> None:
        """Nothing more is sent."""
        self.over = True
        self._waiting.clear()
        self._awake.set()


Tell = Callable[[News, Collection[Listener]], Awaitable[None]]


class Hall:
    """All listeners of an application. While nobody is there nothing is heard and nothing costs."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._listeners: set[Listener] = set()
        self._of_one: Counter[int] = Counter()
        self._news: asyncio.Queue[News] = asyncio.Queue(_MOST_NEWS)
        self._hear = streams.understood(self._take)
        self._tasks: list[asyncio.Task[None]] = []
        self._closed = False

    def __len__(self) -> int:
        return len(self._listeners)

    def admit(self, listener: Listener) -> None:
        """Raises TooMany for one of too many streams of somebody, Unavailable when we are full or closing."""
        if self._closed or len(self._listeners) >= MOST:
            raise Unavailable
        if self._of_one[listener.account.id] >= MOST_OF_ONE:
            raise TooMany("You have too many streams open.")

    async def enter(self, listener: Listener) -> None:
        """Let somebody listen from now on. Raises as `admit`; who gives up waiting is not here."""
        self.admit(listener)
        self._listeners.add(listener)
        self._of_one[listener.account.id] += 1
        if len(self._listeners) == 1:
            self._open()
        try:
            await bus.ready()
        except BaseException:
            self.leave(listener)
            raise

    def leave(self, listener: Listener) -> None:
        """End somebody's stream; twice is the same as once."""
        listener.end()
        if listener not in self._listeners:
            return
        self._listeners.remove(listener)
        self._of_one[listener.account.id] -= 1
        if not self._of_one[listener.account.id]:
            del self._of_one[listener.account.id]
        if not self._listeners:
            self._shut()

    def close(self) -> None:
        """End all streams and let nobody in any more: the process is about to stop."""
        self._closed = True
        for listener in tuple(self._listeners):
            self.leave(listener)

    def _open(self) -> None:
        self._news = asyncio.Queue(_MOST_NEWS)
        bus.hear(self._hear)
        self._tasks = [asyncio.create_task(self._pass_on()), asyncio.create_task(self._watch())]

    def _shut(self) -> None:
        bus.ignore(self._hear)
        for task in self._tasks:
            task.cancel()

    def _take(self, news: News) -> None:
        with suppress(asyncio.QueueFull):
            self._news.put_nowait(news)

    async def _pass_on(self) -> None:
        while True:
            news = await self._news.get()
            try:
                await self._tell(news, tuple(self._listeners))
            except FediblogError as error:
                log.info("news for streams lost", reason=error.message)
            except Exception:
                # One piece of news that we cannot tell must not be the last for everybody.
                log.exception("news for streams failed", kind=news.kind)

    async def _watch(self) -> None:
        seen = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_EVERY)
            asked = tuple(self._listeners)
            try:
                holding = await tokens.holding({listener.token_id for listener in asked})
                seen = time.monotonic()
            except FediblogError:
                if time.monotonic() - seen < _LONGEST_UNSEEN:
                    continue
                holding = set()
            for listener in asked:
                if listener.token_id not in holding:
                    self.leave(listener)
