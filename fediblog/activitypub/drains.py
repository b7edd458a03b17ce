"""Working through a tray that has rows of its own: one drain at a time in a process."""

import asyncio
import os
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

from fediblog import queue
from fediblog.bells import Bell
from fediblog.queue import Job

log = structlog.get_logger()

# Seconds: for which an idle drain of a worker waits for more, and after which the next begins anew.
_PATIENCE = 1.0
_TOGETHER = 30.0


class Drain(Protocol):
    """One time of working through the tray."""

    def wake(self) -> None:
        """There may be more."""

    def takes_more(self) -> bool:
        """Whether it looks for more when it is woken: not after the stop, nor at the end of its time."""

    def stop(self) -> None:
        """Begin nothing more."""

    async def run(self) -> None:
        """Until nothing is due, or the stop. What is in hand is returned in any case."""


class Drains:
    """The drains of this process for one job, of which at most one runs, under the name of the worker.

    `release(owner)` frees what a worker of that name held, and gives the number of it; `freed` says what that
    was. In a worker a drain that has come to its end waits a moment for more: to begin one anew takes a
    message through Celery, which costs more than most of what there is to do.
    """

    def __init__(
        self, job: Job, make: Callable[[str], Drain], release: Callable[[str], Awaitable[int]], freed: str
    ) -> None:
        self._make = make
        self._release = release
        self._freed = freed
        self._owner = f"process-{os.getpid()}-{secrets.token_hex(4)}"
        self._loop: asyncio.AbstractEventLoop | None = None
        self._patience = 0.0
        self._rung: asyncio.Event | None = None
        self.current: Drain | None = None
        queue.hang(job, Bell(self._is_at_work, self._wake))

    async def begin(self, owner: str) -> None:
        """A worker of this name starts: what it held when it died is free again."""
        self._owner = owner
        self._patience = _PATIENCE
        if number := await self._release(owner):
            log.warning(self._freed, number=number)

    async def drain(self) -> None:
        """Work until nothing is due; what runs already is only woken.

        A loop that was closed under a drain has taken it along.
        """
        if self._is_here() and self._loop is not None and not self._loop.is_closed():
            self._wake()
            return
        self._loop, self._rung = asyncio.get_running_loop(), None
        until = time.monotonic() + _TOGETHER
        await self._run()
        while time.monotonic() < until and await self._more():
            await self._run()

    def stop(self) -> None:
        """Begin nothing more: what is not begun yet goes back."""
        self._patience = 0.0
        if self.current is not None:
            self.current.stop()
        if self._rung is not None:
            self._rung.set()

    async def _run(self) -> None:
        mine = self.current = self._make(self._owner)
        try:
            await mine.run()
        finally:
            if self.current is mine:
                self.current = None

    async def _more(self) -> bool:
        """Wait for a ring. False when none comes in time, or when this is the end."""
        if not self._patience:
            return False
        rung = self._rung = asyncio.Event()
        try:
            async with asyncio.timeout(self._patience):
                await rung.wait()
        except TimeoutError:
            pass
        finally:
            self._rung = None
        return rung.is_set() and self._patience > 0

    def _is_here(self) -> bool:
        return self.current is not None or self._rung is not None

    def _is_at_work(self) -> bool:
        """Whether a ring will be heard: by a drain of the loop that asks, or by one that waits for it."""
        if self._loop is not asyncio.get_running_loop():
            return False
        return self._rung is not None or (self.current is not None and self.current.takes_more())

    def _wake(self) -> None:
        if self.current is not None:
            self.current.wake()
        elif self._rung is not None:
            self._rung.set()
