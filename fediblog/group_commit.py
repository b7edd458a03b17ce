"""One writer for SQLite that lets many small transactions share one commit (TIMELINES §6).

Under `synchronous=FULL` every commit waits for the disk, so a queue of writers would go at the pace of the
disk. Here one task owns the write connection. It opens a transaction, gives each waiting unit of work a
savepoint in turn, and commits them all at once: a unit that fails is rolled back alone, and nobody hears
of success before the commit.

A unit only awaits the database: whatever else it waited for would hold up all the others.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tortoise.backends.sqlite.client import SqliteClient, SqliteTransactionWrapper

from fediblog.errors import Unavailable

_MOST_UNITS = 64


@dataclass(eq=False, slots=True)
class _Unit:
    """A place in the queue: may it start, is its body done, is it on the disk."""

    start: asyncio.Future[SqliteTransactionWrapper]
    finished: asyncio.Future[bool]
    committed: asyncio.Future[None]
    after_commit: list[Callable[[], None]] = field(default_factory=list)

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
        self._task = asyncio.create_task(self._run(), name="group-commit")

    async def close(self) -> None:
        """Stop. Units that have not been committed hear Unavailable."""
        self._closed = True
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        while not self._queue.empty():
            self._queue.get_nowait().fail(Unavailable())

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[tuple[SqliteTransactionWrapper, list[Callable[[], None]]]]:
        """A turn on the write connection; leaving it waits until the group is on the disk.

        Yields the connection and the list of callbacks that run once the commit has succeeded. Raises
        Unavailable when the writer has been closed.
        """
        if self._closed:
            raise Unavailable()
        loop = asyncio.get_running_loop()
        unit = _Unit(loop.create_future(), loop.create_future(), loop.create_future())
        self._queue.put_nowait(unit)
        success = False
        try:
            yield await unit.start, unit.after_commit
            success = True
        finally:
            if not unit.finished.done():
                unit.finished.set_result(success)
        # Shielded: who gives up waiting does not undo what the group has already promised the others.
        await asyncio.shield(unit.committed)

    async def _run(self) -> None:
        while True:
            first = await self._queue.get()
            async with self._client.acquire_connection():
                await self._commit_group(first)

    async def _commit_group(self, first: _Unit) -> None:
        connection = SqliteTransactionWrapper(self._client)
        units, members = [first], []
        try:
            await connection._connection.execute("BEGIN IMMEDIATE")
            for unit in units:
                if await self._run_unit(connection, unit):
                    members.append(unit)
                if len(units) < _MOST_UNITS and not self._queue.empty():
                    units.append(self._queue.get_nowait())
            await connection._connection.execute("COMMIT")
        except BaseException as error:
            await _give_up(connection, error, units)
            if not isinstance(error, Exception):
                raise
        else:
            _settle(members)

    async def _run_unit(self, connection: SqliteTransactionWrapper, unit: _Unit) -> bool:
        """Give the unit its turn. True when its work stands in the open transaction."""
        if unit.start.done():
            return False
        await connection._connection.execute("SAVEPOINT unit")
        unit.start.set_result(connection)
        success = await unit.finished
        if not success:
            if not connection._connection.in_transaction:
                # Some faults, a full disk among them, make SQLite roll back all that was open.
                raise Unavailable()
            await connection._connection.execute("ROLLBACK TO unit")
        await connection._connection.execute("RELEASE unit")
        return success


def _settle(members: list[_Unit]) -> None:
    for unit in members:
        for callback in unit.after_commit:
            # Not called here: one that fails must not end the writer.
            asyncio.get_running_loop().call_soon(callback)
        if not unit.committed.done():
            unit.committed.set_result(None)


async def _give_up(connection: SqliteTransactionWrapper, error: BaseException, units: list[_Unit]) -> None:
    """Nothing of the group is kept: every unit that has not failed on its own hears why."""
    if connection._connection.in_transaction:
        await connection._connection.rollback()
    for unit in units:
        unit.fail(error if isinstance(error, Exception) else Unavailable())
