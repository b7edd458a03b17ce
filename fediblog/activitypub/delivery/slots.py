"""How many letters are being sent at once. Who waits for an answer lends the place out and waits beside.

Few places beat many: the more lanes share a loop, the later results are written. But a server that hangs must
not hold a place (EGRESS §2.3): 200 hanging ones among 1,000 cost the others 30 s that way.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from typing import Any, TypeVar

T = TypeVar("T")

PATIENCE = 0.3
MOST_BESIDE = 1_000


class Slots:
    """Places for lanes of one kind."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.taken = 0
        self.beside = 0

    @property
    def free(self) -> int:
        """How many places there are at this moment."""
        return max(0, self.number - self.taken)

    @asynccontextmanager
    async def place(self) -> AsyncIterator["Place"]:
        """A place for the block. It is taken at once: whoever leases servers counts the free ones before."""
        self.taken += 1
        try:
            yield Place(self)
        finally:
            self.taken -= 1


class Place:
    """The place of one lane, which may send several letters at a time."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._sending = 0
        self._beside = 0
        self._lent = False

    async def send(
        self, sending: Coroutine[Any, Any, T], meanwhile: AbstractContextManager[None]
    ) -> "asyncio.Task[T]":
        """Let it be sent, and give the task when it has ended, with whatever came of it.

        Once that takes long `meanwhile` is entered, and while it takes long for all that the lane is sending
        the place is somebody else's.
        """
        task = asyncio.get_running_loop().create_task(sending)
        self._sending += 1
        self._count()
        try:
            await asyncio.wait([task], timeout=PATIENCE)
            if not task.done() and self._slots.beside < MOST_BESIDE:
                with self._aside(), meanwhile:
                    await asyncio.wait([task])
            await asyncio.wait([task])
        finally:
            task.cancel()
            self._sending -= 1
            self._count()
        return task

    @contextmanager
    def _aside(self) -> Iterator[None]:
        self._beside += 1
        self._slots.beside += 1
        self._count()
        try:
            yield
        finally:
            self._beside -= 1
            self._slots.beside -= 1
            self._count()

    def _count(self) -> None:
        """Lend the place out, or take it back: over the number for a moment, if need be."""
        lent = 0 < self._sending == self._beside
        if lent != self._lent:
            self._lent = lent
            self._slots.taken += -1 if lent else 1
