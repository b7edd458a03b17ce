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

    async def waiting(self, sending: Coroutine[Any, Any, T]) -> T:
        """The result of what is sent from a place. After a moment the place is given back meanwhile."""
        task = asyncio.ensure_future(sending)
        try:
            await asyncio.wait([task], timeout=PATIENCE)
            if task.done() or self._beside >= _MOST_BESIDE:
                return await task
            return await self._wait_beside(task)
        except asyncio.CancelledError:
            task.cancel()
            raise

    async def _wait_beside(self, task: "asyncio.Future[T]") -> T:
        self._taken -= 1
        self._beside += 1
        try:
            return await task
        finally:
            self._taken += 1
            self._beside -= 1
