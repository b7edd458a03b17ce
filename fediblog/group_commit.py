"""One writer for SQLite that lets many small transactions share one commit (TIMELINES §6).

Under `synchronous=FULL` every commit waits for the disk, so a queue of writers would go at the pace of the
disk. Here one task owns the write connection. It opens a transaction, gives each waiting unit of work a
savepoint in turn, and commits them all at once: a unit that fails is rolled back alone, and nobody hears
of success before the commit.

A unit only awaits the database: whatever else it waited for would hold up all the others.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Any, cast

import aiosqlite
from tortoise.backends.sqlite.client import SqliteClient

from fediblog.errors import Unavailable
from fediblog.sqlite import Turn

Callback = Callable[[], None]

_MOST_UNITS = 64


class _Lent:
    """The write connection for one turn. Whoever asks for it after the turn, or when the transaction has
    been rolled back under him, must not write: outside of a transaction it would stand at once.
    """

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection
        self._returned = False

    def give_back(self) -> None:
        """The turn is over."""
        self._returned = True

    def __getattr__(self, name: str) -> Any:
        if self._returned or not self._connection.in_transaction:
            raise Unavailable()
        return getattr(self._connection, name)


@dataclass(eq=False, slots=True)
class _Unit:
    """A place in the queue: may it start, is its body done, is it on the disk."""

    start: asyncio.Future[Turn]
    finished: asyncio.Future[bool]
    committed: asyncio.Future[None]
    # Callbacks run as if whoever asked for them had called them.
    context: Context = field(default_factory=copy_context)
    after_commit: list[Callback] = field(default_factory=list)

    def fail(self, error: BaseException) -> None:
        """Tell the unit that it has not happened, unless it knows already."""
        for future in (self.start, self.committed):
            if not future.done():
                future.set_exception(error)
                future.exception()  # Marks it as seen: a unit that was cancelled will not ask.


class Writer:
    """The task that owns the write connection of a SQLite database."""

    def __init__(self, client: SqliteClient) -> None:
        self._client = client
        self._queue: asyncio.Queue[_Unit] = asyncio.Queue()
        self._closed = False
        self._start()

    async def close(self) -> None:
        """Stop. Units that have not been committed hear Unavailable."""
        self._closed = True
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[tuple[Turn, list[Callback]]]:
        """A turn on the write connection; leaving it waits until the group is on the disk.

        Yields the connection and the list of callbacks that run once the commit has succeeded. Raises
        Unavailable when the writer has been closed.
        """
        unit = self._queued()
        success = False
        try:
            yield await unit.start, unit.after_commit
            success = True
        finally:
            if not unit.finished.done():
                unit.finished.set_result(success)
        # Shielded: who gives up waiting does not undo what the group has already promised the others.
        await asyncio.shield(unit.committed)

    def _queued(self) -> _Unit:
        if self._closed:
            raise Unavailable()
        if self._task.done():
            # It does not end by itself. If it ever does, one group pays for it and not the whole process.
            self._start()
        loop = asyncio.get_running_loop()
        unit = _Unit(loop.create_future(), loop.create_future(), loop.create_future())
        self._queue.put_nowait(unit)
        return unit

    def _start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="group-commit")

    async def _run(self) -> None:
        try:
            while True:
                await self._commit_group(await self._queue.get())
        finally:
            # Nobody may wait for a writer that is not there.
            while not self._queue.empty():
                self._queue.get_nowait().fail(Unavailable())

    async def _commit_group(self, first: _Unit) -> None:
        units, members = [first], []
        try:
            async with self._client.acquire_connection() as connection:
                await _begin(connection)
                for unit in units:
                    if await self._run_unit(connection, unit):
                        members.append(unit)
                    if len(units) < _MOST_UNITS and not self._queue.empty():
                        units.append(self._queue.get_nowait())
                await _commit(connection, members)
        except BaseException as error:
            await self._give_up(error, units)
            if not isinstance(error, Exception):
                raise

    async def _run_unit(self, connection: aiosqlite.Connection, unit: _Unit) -> bool:
        """Give the unit its turn. True when its work stands in the open transaction."""
        if unit.start.done():
            return False
        await connection.execute("SAVEPOINT unit")
        success = await self._turn(connection, unit)
        if not connection.in_transaction:
            # Some faults, a full disk among them, make SQLite roll back all that was open.
            raise Unavailable()
        if not success:
            await connection.execute("ROLLBACK TO unit")
        await connection.execute("RELEASE unit")
        return success

    async def _turn(self, connection: aiosqlite.Connection, unit: _Unit) -> bool:
        """Wait for the body of the unit. False when it failed, or was given up before it began."""
        if unit.start.done():
            return False
        lent = _Lent(connection)
        wrapper = Turn(self._client)
        wrapper._connection = cast(aiosqlite.Connection, lent)
        unit.start.set_result(wrapper)
        try:
            return await unit.finished
        finally:
            lent.give_back()

    async def _give_up(self, error: BaseException, units: list[_Unit]) -> None:
        """Nothing of the group is kept: every unit that has not failed on its own hears why."""
        connection = self._client._connection
        try:
            # What cannot even be rolled back is tried again before the next group.
            with suppress(sqlite3.Error, ValueError):
                if connection is not None and connection.in_transaction:
                    await connection.rollback()
        finally:
            for unit in units:
                unit.fail(error if isinstance(error, Exception) else Unavailable())


async def _begin(connection: aiosqlite.Connection) -> None:
    if connection.in_transaction:
        await connection.rollback()
    await connection.execute("BEGIN IMMEDIATE")


async def _commit(connection: aiosqlite.Connection, members: list[_Unit]) -> None:
    """Who is told to stop meanwhile waits for the end: what is on the disk has happened."""
    commit = asyncio.ensure_future(connection.execute("COMMIT"))
    try:
        await asyncio.shield(commit)
    finally:
        await commit
        _settle(members)


def _settle(members: list[_Unit]) -> None:
    for unit in members:
        schedule(unit.after_commit, unit.context)
        if not unit.committed.done():
            unit.committed.set_result(None)


def schedule(callbacks: list[Callback], context: Context) -> None:
    """Let callbacks run in the loop's next round: one that fails must not fail what is committed."""
    for callback in callbacks:
        asyncio.get_running_loop().call_soon(callback, context=context)
