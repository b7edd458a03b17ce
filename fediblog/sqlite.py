"""Tortoise's engine for SQLite, without a thread's turn for what takes microseconds.

aiosqlite hands every statement to a thread and waits to be woken: ten times the price of a look-up by key.
Here such a statement runs where it is asked. The thread has what may take its time: opening and committing,
which wait for other processes and for the disk, and every statement that was slow a moment ago. A look that
turns out to be slow is broken off and begun anew in the thread (docs/decisions/0010).
"""

import asyncio
import re
import sqlite3
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import aiosqlite
from tortoise.backends.sqlite.client import SqliteClient, SqliteTransactionWrapper, translate_exceptions

from fediblog.remembering import Recent

# Seconds of CPU for which a statement may hold up the loop: a busy machine is not its fault. And seconds for
# which one that was slow is the thread's.
_PATIENCE = 0.003
_SLOW_FOR = 60.0
# A write cannot be broken off, so one that was slow is remembered for a day.
_SLOW_TO_WRITE_FOR = 86_400.0
# Instructions of SQLite's machine between two looks at the clock: some 20 µs.
_STEPS = 1_000
# After so many statements in a row others have a turn on the loop.
_IN_A_ROW = 20
_ROWS_AT_ONCE = 64
_STATEMENTS_KEPT = 1_024
# Kilobytes of pages for the looks in the thread, which are few.
_FEW_PAGES = -8_192
# With a post or somebody goes whatever hangs on them: nobody knows how much.
_SHORT = re.compile(
    r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE FROM (?!(post|account|person)\b)|SAVEPOINT|RELEASE|ROLLBACK TO)\b",
    re.I,
)

_NOT_NOW = (sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_BUSY)

Doing = Callable[..., Any]


class _Direct(SqliteClient):
    """Questions go to the connection as they are: it needs no lock, since it takes one at a time."""

    @translate_exceptions
    async def execute_query_dict(self, query: str, values: list[Any] | None = None) -> list[dict[str, Any]]:
        """Tortoise's own: the rows of an answer."""
        rows = list(await self._connection.execute_fetchall(query, values))  # type: ignore[union-attr]
        # A row made into a dict by itself looks every name up from the first column on.
        names = rows[0].keys() if rows else []
        return [dict(zip(names, row, strict=True)) for row in rows]

    @translate_exceptions
    async def execute_query_tuples(
        self, query: str, values: list[Any] | None = None
    ) -> list[tuple[Any, ...]]:
        """The rows of an answer without the names of their columns."""
        rows = await self._connection.execute_fetchall(query, values)  # type: ignore[union-attr]
        return [tuple(row) for row in rows]


class Turn(_Direct, SqliteTransactionWrapper):
    """The connection that writes, while a unit of work has it."""


class Client(_Direct):
    """A connection that reads when its settings say `query_only`, else the one that writes."""

    async def create_connection(self, with_db: bool) -> None:
        """Tortoise's own."""
        if self._connection is None:
            kind = Reading if "query_only" in self.pragmas else Writing
            connection = kind(self.filename)
            self._connection = await connection
            await connection.set_up(self.pragmas)
            await self._post_connect()


client_class = Client


class _Connection(aiosqlite.Connection):
    """Runs on the loop what its kinds say is short, and the rest in its thread."""

    def __init__(self, path: str) -> None:
        super().__init__(partial(_opened, path), _ROWS_AT_ONCE)
        self._path = path
        self._slow: Recent[bool] = Recent(_STATEMENTS_KEPT)
        self._in_a_row = 0

    async def set_up(self, pragmas: Mapping[str, Any]) -> None:
        """Give the connection its settings."""
        for name, value in pragmas.items():
            await self.execute(f"PRAGMA {name}={value}")

    async def _execute(self, fn: Doing, *args: Any, **kwargs: Any) -> Any:
        """aiosqlite's own: all that is to be done with the connection goes through here."""
        if not (args and isinstance(args[0], str) and self._is_short(fn, args[0])):
            return await self._in_thread(partial(fn, *args, **kwargs))
        found = await self._here(fn, *args)
        # After the statement: before it somebody else could have the connection by the time it runs.
        self._in_a_row += 1
        if self._in_a_row > _IN_A_ROW:
            self._in_a_row = 0
            await asyncio.sleep(0)
        return found

    def _is_short(self, fn: Doing, sql: str) -> bool:
        return _SHORT.match(sql) is not None and self._slow.get(sql) is None

    async def _here(self, fn: Doing, sql: str, *args: Any) -> Any:
        raise NotImplementedError

    async def _in_thread(self, doing: Doing) -> Any:
        return await super()._execute(doing)  # type: ignore[no-untyped-call]


class Writing(_Connection):
    """The connection that writes: whoever has a turn has it alone, and has locked the database already."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        # Each counted by one side alone: the loop, the thread.
        self._given = self._done = 0

    def _is_short(self, fn: Doing, sql: str) -> bool:
        # Who was cancelled may have left something to the thread, and what follows comes after it.
        idle = self._given == self._done
        return idle and self.in_transaction and super()._is_short(fn, sql)

    async def _here(self, fn: Doing, sql: str, *args: Any) -> Any:
        begun = time.thread_time()
        try:
            return fn(sql, *args)
        finally:
            if time.thread_time() - begun > _PATIENCE:
                self._slow.put(sql, True, _SLOW_TO_WRITE_FOR)

    async def _in_thread(self, doing: Doing) -> Any:
        self._given += 1
        return await super()._in_thread(partial(self._counted, doing))

    def _counted(self, doing: Doing) -> Any:
        try:
            return doing()
        finally:
            self._done += 1


class Reading(_Connection):
    """The connection that reads: two in truth, so that the loop never waits for what the thread reads."""

    _quick: sqlite3.Connection | None = None
    _until = 0.0

    async def set_up(self, pragmas: Mapping[str, Any]) -> None:
        """Give both their settings. On the loop nothing is waited for."""
        await super().set_up({**pragmas, "cache_size": _FEW_PAGES})
        self._quick = _opened(self._path)
        for name, value in {**pragmas, "busy_timeout": 0}.items():
            self._quick.execute(f"PRAGMA {name}={value}")
        self._quick.set_progress_handler(self._is_over, _STEPS)

    async def close(self) -> None:
        """Close both."""
        if self._quick is not None:
            self._quick.close()
            self._quick = None
        await super().close()

    def _is_short(self, fn: Doing, sql: str) -> bool:
        return self._quick is not None and fn == self._execute_fetchall and super()._is_short(fn, sql)

    async def _here(self, fn: Doing, sql: str, *args: Any) -> Any:
        assert self._quick is not None
        self._until = time.thread_time() + _PATIENCE
        try:
            return self._quick.execute(sql, *args).fetchall()
        except sqlite3.OperationalError as error:
            # Not all of them have a code: what is no UTF-8 is Python's own complaint.
            if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _NOT_NOW:
                raise
            self._slow.put(sql, True, _SLOW_FOR)
        return await self._in_thread(partial(fn, sql, *args))

    def _is_over(self) -> bool:
        return time.thread_time() > self._until


def _opened(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=_STATEMENTS_KEPT
    )
    connection.row_factory = sqlite3.Row
    return connection
