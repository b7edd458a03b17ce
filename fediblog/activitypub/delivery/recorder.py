"""How it went, written down together: what happens within a moment goes into one commit.

Between an answer and the commit that knows of it lies what would be sent twice after a kill -9. So there is a
bound on how much that may be; who would go beyond it waits for the next commit.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from fediblog.errors import NoSpace, Unavailable
from fediblog.services import outgoing
from fediblog.services.outgoing import Left, Put

log = structlog.get_logger()

# EGRESS §2.2: 256 costs nothing that can be measured, 64 a third of the rate.
MOST_UNRECORDED = 256
_MOMENT = 0.03
_PAUSE = 1.0


class Recorder:
    """Takes results of a worker and writes them down while `run` runs; calls `written` after each commit."""

    def __init__(self, owner: str, written: Callable[[], None]) -> None:
        self._owner = owner
        self._written = written
        self._puts: list[tuple[Put, Callable[[], None]]] = []
        self._lefts: list[Left] = []
        self._room = asyncio.Semaphore(MOST_UNRECORDED)
        self._something = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def idle(self) -> bool:
        """Whether all is written that has been given."""
        return self._idle.is_set()

    async def admit(self) -> Callable[[], None]:
        """Wait until one more may be under way. Gives what is to be called if nothing comes of it."""
        await self._room.acquire()
        return self._room.release

    def put(self, put: Put, release: Callable[[], None]) -> None:
        """One letter has been answered. `release` is what `admit` gave."""
        self._puts.append((put, release))
        self._tell()

    def leave(self, left: Left) -> None:
        """A lane has ended. Its letters are written down with it, never after it."""
        self._lefts.append(left)
        self._tell()

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._something.wait()
            await asyncio.sleep(_MOMENT)
            self._something.clear()
            await self._write()

    async def settled(self) -> None:
        """Wait until all is written that has been given so far."""
        await self._idle.wait()

    def _tell(self) -> None:
        self._idle.clear()
        self._something.set()

    async def _write(self) -> None:
        puts, lefts = self._puts, self._lefts
        self._puts, self._lefts = [], []
        await self._insist(lambda: outgoing.settle(self._owner, [put for put, _ in puts], lefts))
        for _, release in puts:
            release()
        if not self._puts and not self._lefts:
            self._idle.set()
        self._written()

    async def _insist(self, write: Callable[[], Awaitable[None]]) -> None:
        """What was sent is written down, however long the database is away; nothing more is sent then."""
        while True:
            try:
                return await write()
            except (Unavailable, NoSpace) as error:
                log.warning("what became of letters cannot be written", reason=error.message)
                await asyncio.sleep(_PAUSE)
