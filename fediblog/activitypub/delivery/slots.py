"""How many letters are being sent at once. Who waits for an answer gives the place back and waits beside.

Few places beat many: the more lanes share a loop, the later results are written. But a server that hangs must
not hold a place (EGRESS §2.3): 200 hanging ones among 1,000 cost the others 30 s that way.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

T = TypeVar("T")

PATIENCE = 0.3
_MOST_BESIDE = 1_000


class Slots:
    """Places for lanes of one kind."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._taken = 0
        self._beside = 0

    @property
    def free(self) -> int:
        """How many places there are at this moment."""
        return max(0, self.number - self._taken)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place for the block. It is taken at once: whoever leases servers counts the free ones before."""
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1

    async def waiting(self, sending: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """What is sent from a place, once it has ended, however it did. The place is lent out meanwhile."""
        task = asyncio.get_running_loop().create_task(sending)
        try:
            await asyncio.wait([task], timeout=PATIENCE)
            if not task.done():
                await self._wait_beside(task)
            return task
        finally:
            task.cancel()

    async def _wait_beside(self, task: "asyncio.Task[T]") -> None:
        beside = int(self._beside < _MOST_BESIDE)
        self._taken -= beside
        self._beside += beside
        try:
            await asyncio.wait([task])
        finally:
            self._taken += beside
            self._beside -= beside
