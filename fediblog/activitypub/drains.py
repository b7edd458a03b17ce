"""Working through a tray that has rows of its own: one drain at a time in a process."""

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

log = structlog.get_logger()


class Drain(Protocol):
    """One time of working through the tray."""

    def wake(self) -> None:
        """There may be more."""

    def stop(self) -> None:
        """Begin nothing more."""

    async def run(self) -> None:
        """Until nothing is due, or the stop. What is in hand is returned in any case."""


class Drains:
    """The drains of this process, of which at most one runs, under the name of the worker.

    `release(owner)` frees what a worker of that name held, and gives the number of it; `freed` says what that
    was.
    """

    def __init__(
        self, make: Callable[[str], Drain], release: Callable[[str], Awaitable[int]], freed: str
    ) -> None:
        self._make = make
        self._release = release
        self._freed = freed
        self._owner = f"process-{os.getpid()}-{secrets.token_hex(4)}"
        self._loop: asyncio.AbstractEventLoop | None = None
        self.current: Drain | None = None

    async def begin(self, owner: str) -> None:
        """A worker of this name starts: what it held when it died is free again."""
        self._owner = owner
        if number := await self._release(owner):
            log.warning(self._freed, number=number)

    async def drain(self) -> None:
        """Work until nothing is due; what runs already is only woken.

        A loop that was closed under a drain has taken it along.
        """
        if self.current is not None and self._loop is not None and not self._loop.is_closed():
            self.current.wake()
            return
        self._loop = asyncio.get_running_loop()
        mine = self.current = self._make(self._owner)
        try:
            await mine.run()
        finally:
            if self.current is mine:
                self.current = None

    def stop(self) -> None:
        """Begin nothing more: what is not begun yet goes back."""
        if self.current is not None:
            self.current.stop()
