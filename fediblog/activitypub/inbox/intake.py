"""Many requests, one commit: what arrives while one commit runs goes into the next (EGRESS §3.2).

A commit waits for the disk, so one for each activity would let them in at the pace of the disk. Each request
waits for the commit that its own row is in: 202 is said of nothing that a power cut could take away.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context

from fediblog import queue
from fediblog.errors import FediblogError, Unavailable
from fediblog.queue import Job
from fediblog.services.inbox_items import New

MOST_IN_ONE = 256
# More than these are turned away (R15): at any pace worth having they are gone in a second.
MOST_WAITING = 2_048
# So long somebody waits for a commit before being told to come again, in seconds.
PATIENCE = 10.0

Writing = Callable[[Sequence[New]], Awaitable[None]]


class Intake:
    """Gathers what arrives, for `add`, which keeps several in one commit."""

    def __init__(self, add: Writing) -> None:
        self._add = add
        self._waiting: list[tuple[New, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def keep(self, arrival: New) -> None:
        """Returns when it is on the disk. Raises Unavailable, or NoSpace, when that is not known to be so."""
        if len(self._waiting) >= MOST_WAITING:
            raise Unavailable()
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((arrival, kept))
        if self._writing is None or self._writing.done():
            # In a context of its own: it serves others too.
            self._writing = asyncio.create_task(self._write_all(), name="intake", context=Context())
        try:
            async with asyncio.timeout(PATIENCE):
                await kept
        except TimeoutError:
            raise Unavailable() from None

    async def _write_all(self) -> None:
        while self._waiting:
            together, self._waiting = self._waiting[:MOST_IN_ONE], self._waiting[MOST_IN_ONE:]
            await self._write(together)

    async def _write(self, together: Sequence[tuple[New, asyncio.Future[None]]]) -> None:
        try:
            # Whoever gave up waiting has been told 503, and comes again: their row may be left out.
            arrivals = [arrival for arrival, kept in together if not kept.done()]
            if arrivals:
                await self._add(arrivals)
                queue.nudge(Job.RECEIVE)
        except FediblogError as error:
            _fail(together, error)
        except BaseException:
            # Nobody may wait for a writer that is not there.
            _fail([*together, *self._waiting], Unavailable())
            self._waiting.clear()
            raise
        else:
            for _, kept in together:
                if not kept.done():
                    kept.set_result(None)


def _fail(together: Sequence[tuple[New, asyncio.Future[None]]], error: FediblogError) -> None:
    for _, kept in together:
        if not kept.done():
            kept.set_exception(error)
